import type { Clock } from "../runtime/clock.ts";

/** How long news that can wait are gathered, so that several become one write. */
const GATHER_MS = 1_000;

/**
 * Pods, claims and agents of a cluster that comes up change a dozen times within seconds. What nobody waits for is
 * gathered for a moment before it is written. A run that comes too early comes again, so nothing waits for long.
 */
export class Gathering {
  readonly #clock: Clock;
  readonly #sinceMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True while this cluster's news may wait for more of their kind. The first that waits begins the time. */
  mayWait(key: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    const sinceMs = this.#sinceMs.get(key) ?? nowMs;
    this.#sinceMs.set(key, sinceMs);
    return nowMs - sinceMs < GATHER_MS;
  }

  /** Nothing waits any more: it was written, or is no news after all, or the cluster is gone. */
  end(key: string): void {
    this.#sinceMs.delete(key);
  }

  /** How long until what waits is to be written; for ever when nothing does. */
  dueInMs(key: string): number {
    const sinceMs = this.#sinceMs.get(key);
    if (sinceMs === undefined) return Number.POSITIVE_INFINITY;
    return Math.max(0, sinceMs + GATHER_MS - this.#clock.monotonicMs());
  }
}
