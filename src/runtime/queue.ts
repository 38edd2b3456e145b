import { exponentialMs, type Growth, TokenBucket } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import { DelayHeap } from "./delay-heap.ts";

export interface QueueOptions {
  readonly clock: Clock;
  /** Delay of a key after its first, second, … failure in a row. */
  readonly growth?: Growth;
  /** Retries of all keys together. */
  readonly retriesPerSecond?: number;
  readonly retryBurst?: number;
  /** Told about every step of a key, for metrics. */
  readonly observer?: QueueObserver;
}

export interface QueueObserver {
  /** A key that was not waiting waits from now on. */
  added(): void;
  handedOut(waitedMs: number): void;
  /** It was given back after so long. */
  done(workedMs: number): void;
  retried(): void;
}

/** Work that is under way. */
export interface Unfinished {
  /** Of all keys together. */
  readonly totalMs: number;
  readonly longestMs: number;
}

const silent: QueueObserver = { added() {}, handedOut() {}, done() {}, retried() {} };

const patientGrowth: Growth = { baseMs: 5, maxMs: 300_000 };

/**
 * A queue of keys with the semantics of client-go's work queue: a key waits at most once, is never handed out
 * twice at the same time, and one that is added while it is worked on comes again afterwards.
 *
 * One thing differs: handing a key out cancels its pending delay, because the work that begins looks at the
 * world anew and decides itself when it wants to look again.
 */
export class Queue {
  readonly #clock: Clock;
  readonly #growth: Growth;
  readonly #bucket: TokenBucket;
  /** Keys ready to be handed out, in order; a subset of `#dirty`. */
  readonly #ready = new Set<string>();
  /** Keys that need work, and since when, on the monotonic clock. */
  readonly #dirty = new Map<string, number>();
  /** Keys that are worked on, and since when. */
  readonly #processing = new Map<string, number>();
  readonly #delayed = new DelayHeap();
  readonly #failures = new Map<string, number>();
  readonly #observer: QueueObserver;
  readonly #waiters: Array<(key: string | undefined) => void> = [];
  #timer: { readonly atMs: number; readonly cancel: () => void } | undefined;
  #isShutDown = false;

  constructor(options: QueueOptions) {
    this.#clock = options.clock;
    this.#growth = options.growth ?? patientGrowth;
    this.#observer = options.observer ?? silent;
    const { retriesPerSecond = 10, retryBurst = 100 } = options;
    this.#bucket = new TokenBucket(retriesPerSecond, retryBurst, this.#clock.monotonicMs());
  }

  /** Keys that could be handed out now. */
  get depth(): number {
    return this.#ready.size;
  }

  /** Keys that wait for their time. */
  get delayedCount(): number {
    return this.#delayed.size;
  }

  unfinished(): Unfinished {
    const nowMs = this.#clock.monotonicMs();
    const ages = [...this.#processing.values()].map((sinceMs) => nowMs - sinceMs);
    return { totalMs: ages.reduce((sum, age) => sum + age, 0), longestMs: Math.max(0, ...ages) };
  }

  add(key: string): void {
    if (this.#isShutDown || this.#dirty.has(key)) return;
    this.#dirty.set(key, this.#clock.monotonicMs());
    this.#observer.added();
    if (this.#processing.has(key)) return;
    this.#ready.add(key);
    this.#serve();
  }

  addAfter(key: string, delayMs: number): void {
    if (this.#isShutDown) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    this.#delayed.add(key, this.#clock.monotonicMs() + delayMs);
    this.#schedule();
  }

  /** Adds the key after a delay that grows with its failures in a row. Returns that delay. */
  retry(key: string): number {
    const failures = this.failures(key) + 1;
    this.#failures.set(key, failures);
    this.#observer.retried();
    const delayMs = Math.max(
      exponentialMs(failures, this.#growth),
      this.#bucket.reserve(this.#clock.monotonicMs()),
    );
    this.addAfter(key, delayMs);
    return delayMs;
  }

  /** The next `retry` of this key counts from the start again. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The next key, which must be given back with `done`; undefined once the queue is shut down. */
  take(): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
      this.#serve();
    });
  }

  done(key: string): void {
    const nowMs = this.#clock.monotonicMs();
    this.#observer.done(nowMs - (this.#processing.get(key) ?? nowMs));
    this.#processing.delete(key);
    if (!this.#dirty.has(key) || this.#isShutDown) return;
    this.#ready.add(key);
    this.#serve();
  }

  /** Nothing is handed out or taken in any more. What was waiting is dropped: the next operator looks anew. */
  shutDown(): void {
    this.#isShutDown = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#delayed.clear();
    this.#ready.clear();
    this.#dirty.clear();
    this.#serve();
  }

  #serve(): void {
    for (;;) {
      const [key] = this.#ready;
      if (this.#waiters.length === 0 || (key === undefined && !this.#isShutDown)) return;
      const waiter = this.#waiters.shift();
      if (key !== undefined) this.#handOut(key);
      waiter?.(key);
    }
  }

  #handOut(key: string): void {
    const nowMs = this.#clock.monotonicMs();
    this.#observer.handedOut(nowMs - (this.#dirty.get(key) ?? nowMs));
    this.#ready.delete(key);
    this.#dirty.delete(key);
    this.#processing.set(key, nowMs);
    this.#delayed.drop(key);
  }

  #schedule(): void {
    const atMs = this.#delayed.nextAtMs();
    if (atMs === undefined || (this.#timer !== undefined && this.#timer.atMs <= atMs)) return;
    this.#timer?.cancel();
    const delayMs = Math.max(0, atMs - this.#clock.monotonicMs());
    this.#timer = {
      atMs,
      cancel: this.#clock.after(Math.min(delayMs, LONGEST_TIMER_MS), () => this.#onTimer()),
    };
  }

  #onTimer(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonicMs();
    for (let key = this.#delayed.takeDue(nowMs); key !== undefined; key = this.#delayed.takeDue(nowMs)) {
      this.add(key);
    }
    this.#schedule();
  }
}

/** `setTimeout` takes no more than 31 bits; a longer wait is made of several timers. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
