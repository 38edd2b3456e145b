import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseQuantity } from "../../src/model/quantity.ts";

const BILLION = 1_000_000_000n;

describe("parseQuantity", () => {
  it.each([
    ["1", BILLION],
    ["0", 0n],
    ["500m", BILLION / 2n],
    ["1.5", (3n * BILLION) / 2n],
    ["0.000000001", 1n],
    ["1k", 1_000n * BILLION],
    ["1Ki", 1_024n * BILLION],
    ["1.5Gi", 1_610_612_736n * BILLION],
    ["2Pi", 2n * 1_024n ** 5n * BILLION],
  ])("reads %s", (text, expected) => {
    expect(parseQuantity(text)).toBe(expected);
  });

  it.each(["", "1GB", "-1", "+1", "1e3", "Gi", ".5", "1.", "1 Gi", "1gi", "1000000000000000"])(
    "refuses %j",
    (text) => {
      expect(parseQuantity(text)).toBeUndefined();
    },
  );

  it("orders decimal and binary units as their sizes", () => {
    const sizes = ["1m", "1", "1k", "1Ki", "1M", "1Mi", "1G", "1Gi", "1T", "1Ti", "1P", "1Pi"].map((text) => {
      const size = parseQuantity(text);
      if (size === undefined) throw new Error(text);
      return size;
    });
    expect(sizes).toEqual([...sizes].sort((a, b) => (a < b ? -1 : 1)));
    expect(new Set(sizes).size).toBe(sizes.length);
  });

  it("reads a whole number in thousandths as the same amount", () => {
    fc.assert(
      fc.property(fc.nat({ max: 999_999_999 }), (amount) => {
        expect(parseQuantity(`${amount}000m`)).toBe(parseQuantity(String(amount)));
      }),
    );
  });
});
