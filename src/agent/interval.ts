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

/** Runs again and again, one after the other, until the signal aborts. `run` must not fail. */
export async function repeat(
  { clock, random, signal, everyMs, jitter }: Interval,
  run: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await run();
    const delayMs = everyMs * (1 + jitter * (2 * random.next() - 1));
    await clock.sleep(delayMs, signal).catch(() => undefined);
  }
}
