import type { Clock } from "../runtime/clock.ts";

/** Does this work with a signal that aborts after so long, or as soon as `outer` does. */
export async function within<T>(
  clock: Clock,
  limitMs: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const cancel = clock.after(limitMs, () => deadline.abort(new Error(`no answer within ${limitMs} ms`)));
  try {
    return await work(AbortSignal.any([deadline.signal, outer]));
  } finally {
    cancel();
  }
}
