import type { KubeApi } from "../../src/kube/api.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import type { Random } from "../../src/runtime/random.ts";

/** A server to try, real or simulated. */
export interface Environment {
  readonly api: KubeApi;
  /** An empty namespace. */
  readonly namespace: string;
  /** The clock that `pass` moves, directly or by waiting. */
  readonly clock: Clock;
  readonly random: Random;
  /** Lets time pass for the server, by waiting or by moving its clock. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
  /** Absent for a real server. */
  readonly command?: Command;
}

export type NewEnvironment = () => Promise<Environment>;

/** What only a simulated server does at a word. A real one does it, too, but when it likes. */
export interface Command {
  /** Makes the server forget all versions up to now. */
  compact(): void;
}

/** Longest time that a suite lets pass for one thing to happen. */
const PATIENCE_MS = 20_000;
const STEP_MS = 100;

/** Lets time pass until `isTrue`. */
export async function until(environment: Environment, what: string, isTrue: () => boolean): Promise<void> {
  for (let passedMs = 0; passedMs < PATIENCE_MS; passedMs += STEP_MS) {
    if (isTrue()) return;
    await environment.pass(STEP_MS);
  }
  if (!isTrue()) throw new Error(`it did not happen within ${PATIENCE_MS} ms: ${what}`);
}

/** As `until`, for what has to be asked of the server. */
export async function eventually(
  environment: Environment,
  what: string,
  isTrue: () => Promise<boolean>,
): Promise<void> {
  for (let passedMs = 0; passedMs < PATIENCE_MS; passedMs += STEP_MS) {
    if (await isTrue()) return;
    await environment.pass(STEP_MS);
  }
  throw new Error(`it did not happen within ${PATIENCE_MS} ms: ${what}`);
}

/** Lets time pass until the promise is settled. */
export async function settled<T>(environment: Environment, what: string, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const watched = promise.finally(() => {
    isSettled = true;
  });
  // The caller gets the failure from the returned promise; this only keeps it from being nobody's meanwhile.
  watched.catch(() => {});
  await until(environment, what, () => isSettled);
  return watched;
}
