import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDurationMs, parseDurationMs } from "../../src/evnode/duration.ts";

describe("Go durations", () => {
  it.each([
    ["0", 0],
    ["0s", 0],
    ["350ms", 350],
    ["1s", 1_000],
    ["1.5s", 1_500],
    [".5s", 500],
    ["1.s", 1_000],
    ["2m30s", 150_000],
    ["1h", 3_600_000],
    ["1000us", 1],
    ["1000µs", 1],
    ["1000μs", 1],
    ["1000000ns", 1],
    ["1s500ms", 1_500],
    ["2562047h", 9_223_369_200_000],
  ])("reads %s as %d ms", (text, durationMs) => {
    expect(parseDurationMs(text)).toBe(durationMs);
  });

  it.each([
    "",
    "5",
    "1",
    "-1s",
    "+1s",
    "1d",
    "1 s",
    " 1s",
    "1s ",
    "s",
    ".s",
    "1..5s",
    "1,5s",
    "1S",
    "1e3ms",
    "∞",
  ])("refuses %j", (text) => {
    expect(parseDurationMs(text)).toBeUndefined();
  });

  it("refuses what is not a whole number of milliseconds", () => {
    expect(parseDurationMs("1500us")).toBeUndefined();
    expect(parseDurationMs("0.5ms")).toBeUndefined();
  });

  it("refuses what Go's 64 bits of nanoseconds cannot hold", () => {
    expect(parseDurationMs("2562048h")).toBeUndefined();
  });

  it("reads back every duration that it writes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_000_000_000_000 }), (durationMs) => {
        expect(parseDurationMs(formatDurationMs(durationMs))).toBe(durationMs);
      }),
    );
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])("does not write %d", (durationMs) => {
    expect(() => formatDurationMs(durationMs)).toThrow(RangeError);
  });
});
