import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "../../src/model/duration.ts";

describe("formatDuration", () => {
  it.each([
    [0, "0s"],
    [6_000_000, "1h40m"],
    [90_061_001, "25h1m1s1ms"],
  ])("writes %i ms", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it("writes what is read as the same", () => {
    fc.assert(
      fc.property(fc.nat(), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });
});

describe("parseDuration", () => {
  it.each([
    ["1s", 1_000],
    ["350ms", 350],
    ["0s", 0],
    ["1m30s", 90_000],
    ["1h2m3s4ms", 3_723_004],
    ["2s2s", 4_000],
    ["999999h", 3_599_996_400_000],
  ])("reads %s", (text, expectedMs) => {
    expect(parseDuration(text)).toBe(expectedMs);
  });

  it.each(["", "1", "s", "1.5s", "-1s", "1d", "1 s", " 1s", "1s\n", "1us", "1000000s", "1S"])(
    "refuses %j",
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it("adds up the parts, whatever their order", () => {
    const part = fc.tuple(
      fc.nat({ max: 999_999 }),
      fc.constantFrom(["h", 3_600_000], ["m", 60_000], ["s", 1_000], ["ms", 1]),
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
        const text = parts.map(([amount, [unit]]) => `${amount}${unit}`).join("");
        const expectedMs = parts.reduce((sum, [amount, [, unitMs]]) => sum + amount * unitMs, 0);
        expect(parseDuration(text)).toBe(expectedMs);
      }),
    );
  });
});
