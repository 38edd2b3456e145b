import type { Random } from "./random.ts";

export interface Growth {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** `baseMs` after the first failure, twice as much after each further one, at most `maxMs`. */
export function exponentialMs(failures: number, growth: Growth): number {
  const doublings = Math.max(0, failures - 1);
  // 2 ** 1024 is Infinity, which the minimum turns into `maxMs`.
  return Math.min(growth.maxMs, growth.baseMs * 2 ** doublings);
}

/** A delay between `delayMs` and `delayMs * (1 + fraction)`, so that many who failed together do not return together. */
export function jitteredMs(delayMs: number, fraction: number, random: Random): number {
  return delayMs * (1 + fraction * random.next());
}

/** Lets `burst` requests pass at once and `perSecond` in the long run. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #atMs: number;

  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#atMs = nowMs;
  }

  /** Takes a token, on credit if there is none, and tells how long to wait until it would be there. */
  reserve(nowMs: number): number {
    const elapsedMs = Math.max(0, nowMs - this.#atMs);
    this.#tokens = Math.min(this.#burst, this.#tokens + elapsedMs * this.#perMs) - 1;
    this.#atMs = Math.max(this.#atMs, nowMs);
    return this.#tokens >= 0 ? 0 : -this.#tokens / this.#perMs;
  }
  /** Takes a token if there is one now. */
  take(nowMs: number): boolean {
    if (this.reserve(nowMs) === 0) return true;
    this.#tokens += 1;
    return false;
  }
}
