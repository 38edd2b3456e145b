import type { Clock } from "../runtime/clock.ts";
import type { Random } from "../runtime/random.ts";

export interface Interval {
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly everyMs: number;
  /** What share of the interval chance may add or take away, so that members do not ask in step. */
  readonly jitter: number;
}

/** A run that took longer than the interval is followed by this much rest all the same. */
const MIN_REST_MS = 50;

/** Runs again and again, one after the other, until the signal aborts. `run` must not fail. */
export async function repeat(
  { clock, random, signal, everyMs, jitter }: Interval,
  run: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    const startMs = clock.monotonicMs();
    await run();
    const nextMs = startMs + everyMs * (1 + jitter * (2 * random.next() - 1));
    await clock.sleep(Math.max(MIN_REST_MS, nextMs - clock.monotonicMs()), signal).catch(() => undefined);
  }
}
