import { setTimeout as sleep } from "node:timers/promises";

/** What a look found: what was waited for, or what is missing, in words. */
export type Look<T> = { readonly found: T } | { readonly missing: string };

interface Bound {
  readonly withinMs: number;
  readonly everyMs?: number;
}

/** Looks again and again until it is there; when the time is over, says what was missing at the last look. */
export async function until<T>(
  what: string,
  look: () => Promise<Look<T>>,
  { withinMs, everyMs = 200 }: Bound,
): Promise<T> {
  const startMs = performance.now();
  for (;;) {
    const seen = await lookOnce(look);
    if ("found" in seen) return seen.found;
    const tookMs = Math.round(performance.now() - startMs);
    if (tookMs >= withinMs) throw new Error(`${what}: not within ${withinMs} ms: ${seen.missing}`);
    await sleep(everyMs);
  }
}

/** Looks again and again for the whole time; fails as soon as a look finds what must not be. */
export async function holds(
  what: string,
  violation: () => Promise<string | undefined>,
  { forMs, everyMs = 250 }: { readonly forMs: number; readonly everyMs?: number },
): Promise<void> {
  const startMs = performance.now();
  while (performance.now() - startMs < forMs) {
    const seen = await violation();
    if (seen !== undefined) {
      throw new Error(`${what}: broken after ${Math.round(performance.now() - startMs)} ms: ${seen}`);
    }
    await sleep(everyMs);
  }
}

/** An error of the look itself is one more reason why it is not there yet. */
async function lookOnce<T>(look: () => Promise<Look<T>>): Promise<Look<T>> {
  try {
    return await look();
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}
