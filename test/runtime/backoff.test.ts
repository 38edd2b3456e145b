import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exponentialMs, jitteredMs, TokenBucket } from "../../src/runtime/backoff.ts";
import { fixedRandom, seededRandom } from "./seeded-random.ts";

describe("exponentialMs", () => {
  const growth = { baseMs: 5, maxMs: 300_000 };

  it.each([
    [0, 5],
    [1, 5],
    [2, 10],
    [3, 20],
    [10, 2_560],
    [16, 163_840],
    [17, 300_000],
    [5_000, 300_000],
  ])("after %i failures waits %i ms", (failures, delayMs) => {
    expect(exponentialMs(failures, growth)).toBe(delayMs);
  });
});

describe("jitteredMs", () => {
  it.each([
    [0, 1_000],
    [0.5, 1_250],
    [0.999, 1_499.5],
  ])("with a draw of %d stretches a second to %d ms", (draw, delayMs) => {
    expect(jitteredMs(1_000, 0.5, fixedRandom(draw))).toBeCloseTo(delayMs, 6);
  });
});

describe("TokenBucket", () => {
  it("lets the burst pass at once and then one request per interval", () => {
    const bucket = new TokenBucket(10, 3, 0);
    expect([0, 0, 0, 0, 0].map((now) => bucket.reserve(now))).toEqual([0, 0, 0, 100, 200]);
  });

  it("refills while it is idle, but never above the burst", () => {
    const bucket = new TokenBucket(10, 2, 0);
    bucket.reserve(0);
    bucket.reserve(0);
    expect([bucket.reserve(60_000), bucket.reserve(60_000), bucket.reserve(60_000)]).toEqual([0, 0, 100]);
  });

  it("never lets more pass in any window than the burst and the rate allow", () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 120 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 8 }), (gapsMs, burst) => {
        const bucket = new TokenBucket(10, burst, 0);
        let nowMs = 0;
        const passes = gapsMs.map((gap) => {
          nowMs += gap;
          return nowMs + bucket.reserve(nowMs);
        });
        passes.forEach((start, first) => {
          passes.slice(first).forEach((end, count) => {
            expect(count + 1).toBeLessThanOrEqual(burst + (end - start) / 100 + 1e-6);
          });
        });
      }),
      { numRuns: 60 },
    );
  });
});

describe("seededRandom", () => {
  it("repeats itself for the same seed and differs for another", () => {
    const draws = (seed: number) => {
      const random = seededRandom(seed);
      return Array.from({ length: 5 }, () => random.next());
    };
    expect(draws(7)).toEqual(draws(7));
    expect(draws(7)).not.toEqual(draws(8));
  });
});
