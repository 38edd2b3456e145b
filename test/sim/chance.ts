import type { Random } from "../../src/runtime/random.ts";

/** Questions that the simulated world asks of its one source of chance. */
export class Chance {
  readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  /** True in this share of all cases. */
  is(probability: number): boolean {
    return this.random.next() < probability;
  }

  /** A whole number of milliseconds, or of anything else. */
  between(least: number, most: number): number {
    return least + Math.floor(this.random.next() * (most - least + 1));
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.random.next() * items.length)];
  }
}
