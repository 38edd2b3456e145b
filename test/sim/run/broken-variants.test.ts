import { expect, test } from "vitest";
import { brokenVariants } from "./broken-variants.ts";
import { runSeed } from "./run-seed.ts";
import type { Variant } from "./simulated-operator.ts";

/** Within so many seeds each mistake has to show: `firstSeed`, which is tried first, only saves time. */
const LAST_SEED = 1_000;

for (const variant of brokenVariants) {
  test(`it is noticed when an operator ${variant.name}`, async () => {
    const { tried, violation } = await seedsUntilNoticed(variant);
    console.log(`seed ${tried}: an operator that ${variant.name}: ${violation}`);
    expect(violation).not.toBe("");
    // Nothing is noticed by a rule that the operator breaks as it is.
    const { violations } = await runSeed(tried, asItIs(variant));
    expect(violations).toEqual([]);
  }, 300_000);
}

const asItIs = ({ isSeen, profile }: Variant): Variant => ({
  name: "as it is",
  isSeen,
  ...(profile && { profile }),
});

async function seedsUntilNoticed(variant: Variant): Promise<{ tried: number; violation: string }> {
  const { firstSeed = 1 } = variant;
  const all = Array.from({ length: LAST_SEED }, (_, index) => index + 1);
  for (const seed of [firstSeed, ...all]) {
    const [violation] = (await runSeed(seed, variant)).violations;
    if (violation !== undefined) return { tried: seed, violation };
  }
  return { tried: LAST_SEED, violation: "" };
}
