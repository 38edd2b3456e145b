import { describe, expect, it } from "vitest";
import { ratio, summaryOf } from "../../hack/measure/statistics.ts";

describe("summary of measured values", () => {
  it.each([
    { values: [5], summary: { count: 1, median: 5, best: 5, worst: 5 } },
    { values: [9, 1, 5], summary: { count: 3, median: 5, best: 1, worst: 9 } },
    { values: [100, 9, 20, 10], summary: { count: 4, median: 15, best: 9, worst: 100 } },
    { values: [7, undefined, 3], summary: { count: 2, median: 5, best: 3, worst: 7 } },
  ])("of $values has the median $summary.median", ({ values, summary }) => {
    expect(summaryOf(values)).toEqual(summary);
  });

  it("of nothing is nothing, rather than zero", () => {
    expect(summaryOf([])).toBeUndefined();
    expect(summaryOf([undefined])).toBeUndefined();
  });
});

describe("ratio to the yardstick", () => {
  it("is a share with two digits", () => {
    expect(ratio(400, 1_000)).toBe("0.40");
  });

  it.each([
    [undefined, 1],
    [1, undefined],
    [1, 0],
  ])("of %s to %s is unknown", (ours, yardstick) => {
    expect(ratio(ours, yardstick)).toBe("unknown");
  });
});
