import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { recommendedRttMax } from "../../src/evnode/rtt-recommendation.ts";

describe("the recommended rttMax", () => {
  it.each<[string, number | undefined, number, boolean, number]>([
    ["of a fast network is the end of its row", undefined, 1, true, 25],
    ["has headroom of a quarter", undefined, 20, true, 25],
    ["is rounded up to a step", undefined, 21, true, 30],
    ["for 45 ms", undefined, 45, true, 60],
    ["is no longer than the spec takes", undefined, 4_500, true, 5_000],
    ["not even where that is too short", 5_000, 9_000, true, 5_000],
    ["stays while it covers what is measured", 60, 60, true, 60],
    ["is raised when it does not", 60, 61, true, 80],
    ["stays while more than half of it is needed", 60, 25, true, 60],
    ["is lowered when half of it is enough", 60, 24, true, 30],
    ["is lowered to the end of the row of fast networks", 40, 1, true, 25],
    ["stays while a pair is unknown, which may be the farthest", 60, 1, false, 60],
    ["is raised all the same then", 60, 100, false, 125],
  ])("%s", (_, standing, measuredMs, isEveryPairKnown, expected) => {
    expect(recommendedRttMax(standing, measuredMs, isEveryPairKnown)).toBe(expected);
  });

  const aroundMs = fc.double({ min: 0.1, max: 3_500, noNaN: true });
  const noise = fc.array(fc.double({ min: -0.2, max: 0.2, noNaN: true }), { minLength: 1, maxLength: 60 });

  it("changes at most once with noise of 20 % around a value, and covers what is measured", () => {
    fc.assert(
      fc.property(aroundMs, noise, (valueMs, shares) => {
        let standing: number | undefined;
        const told = new Set<number>();
        for (const share of shares) {
          const measuredMs = valueMs * (1 + share);
          standing = recommendedRttMax(standing, measuredMs, true);
          expect(standing).toBeGreaterThanOrEqual(measuredMs);
          told.add(standing);
        }
        expect(told.size).toBeLessThanOrEqual(2);
      }),
      { numRuns: 2_000 },
    );
  });

  it("never goes down by noise, so it does not swing", () => {
    fc.assert(
      fc.property(aroundMs, noise, (valueMs, shares) => {
        let standing = recommendedRttMax(undefined, valueMs, true);
        for (const share of shares) {
          const next = recommendedRttMax(standing, valueMs * (1 + share), true);
          expect(next).toBeGreaterThanOrEqual(standing);
          standing = next;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
