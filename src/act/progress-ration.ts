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
  /** Clusters whose minute is over, and for which the ration of all was used up. */
  readonly #waiting = new Set<string>();

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
    this.#waiting.add(key);
    if (!this.#bucket.take(nowMs)) return false;
    this.wrote(key);
    return true;
  }

  /** A status that was written because it says something new told the heights as well. */
  wrote(key: string): void {
    this.#waiting.delete(key);
    this.#lastMs.set(key, this.#clock.monotonicMs());
  }

  /** There is nothing to tell. When it would have been this cluster's turn, its next minute begins. */
  skip(key: string): void {
    if (this.#untilDueMs(key) === 0) this.wrote(key);
  }

  /** How long until this cluster should try to tell its progress: when its minute is over, and the queue is. */
  dueInMs(key: string): number {
    if (!this.#waiting.has(key)) return this.#untilDueMs(key);
    return Math.min(PER_CLUSTER_MS, (this.#waiting.size / PER_SECOND) * 1_000);
  }

  forget(key: string): void {
    this.#waiting.delete(key);
    this.#lastMs.delete(key);
  }

  #untilDueMs(key: string): number {
    const lastMs = this.#lastMs.get(key);
    if (lastMs === undefined) return PER_CLUSTER_MS;
    return Math.max(0, lastMs + PER_CLUSTER_MS - this.#clock.monotonicMs());
  }
}
