import { TokenBucket } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";

const PER_CLUSTER_MS = 60_000;
const PER_SECOND = 2;
const BURST = 2;

/**
 * Heights rise with every block. They are written at most once a minute for each cluster, and twice a second for
 * all together, so that a quiet chain costs the API server next to nothing.
 */
export class ProgressRation {
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  readonly #lastMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#bucket = new TokenBucket(PER_SECOND, BURST, clock.monotonicMs());
  }

  /** True when this cluster's progress may be written now. A cluster seen for the first time waits its minute. */
  take(key: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    const lastMs = this.#lastMs.get(key);
    if (lastMs === undefined) this.#lastMs.set(key, nowMs);
    if (lastMs === undefined || nowMs - lastMs < PER_CLUSTER_MS) return false;
    if (!this.#bucket.take(nowMs)) return false;
    this.#lastMs.set(key, nowMs);
    return true;
  }

  /** A status that was written because it says something new told the heights as well. */
  wrote(key: string): void {
    this.#lastMs.set(key, this.#clock.monotonicMs());
  }

  /** How long until this cluster's progress may be written, the ration of all clusters aside. */
  dueInMs(key: string): number {
    const lastMs = this.#lastMs.get(key);
    if (lastMs === undefined) return PER_CLUSTER_MS;
    return Math.max(0, lastMs + PER_CLUSTER_MS - this.#clock.monotonicMs());
  }

  forget(key: string): void {
    this.#lastMs.delete(key);
  }
}
