import type { Clock } from "../../src/runtime/clock.ts";

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A start that is easy to recognise in time stamps. */
const START_MS = Date.UTC(2030, 0, 1);

/** A clock that stands still until `advance`. Timers run in the order of their times, then of their creation. */
export class VirtualClock implements Clock {
  readonly #timers = new Set<Timer>();
  #elapsedMs = 0;
  #skewMs = 0;
  #order = 0;

  nowMs(): number {
    return START_MS + this.#elapsedMs + this.#skewMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#elapsedMs + Math.max(0, delayMs), order: this.#order++, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.after(delayMs, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Lets time pass, running every timer that falls due and all promise reactions in between. */
  async advance(ms: number): Promise<void> {
    const targetMs = this.#elapsedMs + ms;
    await settle();
    for (let timer = this.#next(targetMs); timer !== undefined; timer = this.#next(targetMs)) {
      this.#elapsedMs = Math.max(this.#elapsedMs, timer.atMs);
      this.#timers.delete(timer);
      timer.run();
      await settle();
    }
    this.#elapsedMs = targetMs;
  }

  /** Time passes without a timer running, as when the process was stopped or busy. */
  stall(ms: number): void {
    this.#elapsedMs += ms;
  }

  /** Somebody sets the wall clock. */
  setWallClockBy(ms: number): void {
    this.#skewMs += ms;
  }

  #next(untilMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.atMs > untilMs) continue;
      if (first === undefined || timer.atMs < first.atMs) first = timer;
      else if (timer.atMs === first.atMs && timer.order < first.order) first = timer;
    }
    return first;
  }
}

/** Lets every promise reaction run that is possible without time passing. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
