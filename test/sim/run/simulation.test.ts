import { expect, test } from "vitest";
import { FaultCounts } from "./fault-counts.ts";
import { runSeed } from "./run-seed.ts";
import type { Variant } from "./simulated-operator.ts";
import { failureOf, faultTable } from "./telling.ts";

/** The same seeds every time; `npm run sim` runs others. */
const FIRST_SEED = 1;
const SEEDS = 4;
const HISTORY_LINES = 60;

test("whatever goes wrong, no rule is broken, and all becomes well; each seed has one history", async () => {
  const counts = new FaultCounts();
  const startedMs = performance.now();
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const [first, second] = [await runSeed(seed), await runSeed(seed)];
    const failure = first.violations.length === 0 ? "" : failureOf(first, HISTORY_LINES);
    expect(failure).toBe("");
    expect(`seed ${seed}: ${second.history.digest()}`).toBe(`seed ${seed}: ${first.history.digest()}`);
    counts.addAll(first.counts);
  }
  const perSecond = (2 * SEEDS * 1000) / (performance.now() - startedMs);
  console.log(`${faultTable(counts)}\n${perSecond.toFixed(2)} seeds a second`);
  expect(counts.entries().length).toBeGreaterThan(15);
}, 60_000);

test.each([1, 2, 4])(
  "so it is where the number of members changes, in seed %i",
  async (seed) => {
    const variant: Variant = { name: "as it is", isSeen: "inTheEnd", profile: "membership" };
    const result = await runSeed(seed, variant);
    expect(result.violations.length === 0 ? "" : failureOf(result, HISTORY_LINES, "membership")).toBe("");
    const counts = new Map(result.counts.entries());
    expect(counts.get("change of the number of members decided") ?? 0).toBeGreaterThan(0);
  },
  60_000,
);
