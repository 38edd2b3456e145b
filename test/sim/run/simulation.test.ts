import { expect, test } from "vitest";
import { brokenVariants } from "./broken-variants.ts";
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

/** Within so many seeds each mistake has to show. */
const SEEDS_FOR_A_MISTAKE = 40;

for (const variant of brokenVariants) {
  test(`it is noticed when an operator ${variant.name}`, async () => {
    const found = await seedThatShows(variant);
    console.log(`${found.tried} seeds: an operator that ${variant.name}: ${found.violation}`);
    expect(found.violation).not.toBe("");
  }, 60_000);
}

async function seedThatShows(variant: Variant): Promise<{ tried: number; violation: string }> {
  for (let tried = 1; tried <= SEEDS_FOR_A_MISTAKE; tried++) {
    const { violations } = await runSeed(FIRST_SEED + tried - 1, variant);
    const [violation] = violations;
    if (violation !== undefined) return { tried, violation };
  }
  return { tried: SEEDS_FOR_A_MISTAKE, violation: "" };
}
