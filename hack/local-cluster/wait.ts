import { setTimeout as sleep } from "node:timers/promises";

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly everyMs?: number;
}

/** The answer that ends a wait; a string is the reason why it goes on. */
export const ready = Symbol("ready");
export type Readiness = typeof ready | string;

/**
 * Asks until the answer is `ready` and throws with the last answer when the time is over. An error of the
 * question itself counts as "not yet", with its message as the reason.
 */
export async function waitUntil(
  what: string,
  ask: () => Promise<Readiness>,
  { timeoutMs, everyMs = 100 }: WaitOptions,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer: Readiness = await ask().catch((error: unknown) =>
      error instanceof Error ? error.message : String(error),
    );
    if (answer === ready) return;
    if (performance.now() >= deadline) throw new Error(`${what} not ready after ${timeoutMs} ms: ${answer}`);
    await sleep(everyMs);
  }
}
