import type { Clock } from "./clock.ts";

/** A time limit was reached. `code` is what error mapping looks at. */
class DeadlineError extends Error {
  override readonly name = "DeadlineError";
  readonly code = "DEADLINE_EXCEEDED";
}

export interface Limit {
  readonly signal: AbortSignal;
  /** Whether the time limit, and not the caller, ended it. */
  expired(): boolean;
  /** Must be called when the work is over, or the timer keeps running. */
  clear(): void;
}

/** A signal that aborts with a `DeadlineError` after `limitMs`, or as soon as `outer` aborts, with its reason. */
export function limited(clock: Clock, limitMs: number, what: string, outer?: AbortSignal): Limit {
  const controller = new AbortController();
  let hasExpired = false;
  const cancel = clock.after(limitMs, () => {
    if (controller.signal.aborted) return;
    hasExpired = true;
    controller.abort(new DeadlineError(`${what} took longer than ${limitMs} ms`));
  });
  const onOuter = () => controller.abort(outer?.reason);
  if (outer?.aborted === true) onOuter();
  else outer?.addEventListener("abort", onOuter, { once: true });
  return {
    signal: controller.signal,
    expired: () => hasExpired,
    clear: () => {
      cancel();
      outer?.removeEventListener("abort", onOuter);
    },
  };
}

/** Settles like `work`, but rejects as soon as `signal` aborts. `work` itself goes on; its late failure is ignored. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stopListening = () => {};
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = () => reject(signal.reason);
    stopListening = () => signal.removeEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    stopListening();
  }
}
