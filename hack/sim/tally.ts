import { FaultCounts } from "../../test/sim/run/fault-counts.ts";
import { faultTable } from "../../test/sim/run/telling.ts";
import type { Report } from "./report.ts";

const HOUR_MS = 3_600_000;

/** What the seeds of a campaign came to, all together. */
export class Tally {
  readonly #counts = new FaultCounts();
  readonly #failed: number[] = [];
  #seeds = 0;
  #virtualMs = 0;
  #slowest: Pick<Report, "seed" | "slowestMs"> = { seed: 0, slowestMs: 0 };

  add({ seed, failure, counts, virtualMs, slowestMs }: Report): void {
    this.#seeds += 1;
    this.#virtualMs += virtualMs;
    if (failure !== undefined) this.#failed.push(seed);
    if (slowestMs > this.#slowest.slowestMs) this.#slowest = { seed, slowestMs };
    for (const [fault, times] of counts) this.#counts.add(fault, times);
  }

  get hasFailures(): boolean {
    return this.#failed.length > 0;
  }

  /** One line, for while it goes on. */
  progress(ofSeeds: number, seconds: number): string {
    const speed = (this.#seeds / seconds).toFixed(2);
    return `${this.#seeds} of ${ofSeeds} seeds, ${speed} a second, ${this.#failed.length} failed`;
  }

  /** Faults with how often each was really injected, what the operator did, and how it ended. */
  summary(seconds: number): string {
    const { seed, slowestMs } = this.#slowest;
    const failed = this.#failed.toSorted((a, b) => a - b).join(", ");
    return [
      faultTable(this.#counts),
      `longest time until all was well: ${(slowestMs / 1000).toFixed(0)} s, in seed ${seed}`,
      `${(this.#virtualMs / HOUR_MS).toFixed(1)} simulated hours in ${seconds.toFixed(0)} s`,
      `${this.#seeds} seeds, ${(this.#seeds / seconds).toFixed(2)} a second, ${this.#failed.length} failed${failed && `: ${failed}`}`,
    ].join("\n");
  }
}
