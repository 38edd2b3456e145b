import type { EvNodeCluster } from "../api/evnodecluster.ts";
import { isRetryable, toKubeError } from "../kube/errors.ts";
import { parseDuration } from "../model/duration.ts";
import { getCluster } from "./clusters.ts";
import type { Connection, Session } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { Failure } from "./failure.ts";

const EVERY_MS = 500;

/** Looks again until there is an answer; undefined when the time was over first. A server that is away is waited for. */
export async function awaitCluster<T>(
  { clock, signal }: Pick<Session, "clock" | "signal">,
  connection: Connection,
  name: string,
  withinMs: number,
  answer: (cluster: EvNodeCluster) => T | undefined,
): Promise<T | undefined> {
  const endMs = clock.monotonicMs() + withinMs;
  for (;;) {
    const found = answer(await lookUntil(endMs, { clock, signal }, connection, name));
    if (found !== undefined) return found;
    if (clock.monotonicMs() >= endMs) return undefined;
    await clock.sleep(EVERY_MS, signal);
  }
}

async function lookUntil(
  endMs: number,
  { clock, signal }: Pick<Session, "clock" | "signal">,
  connection: Connection,
  name: string,
): Promise<EvNodeCluster> {
  for (;;) {
    try {
      return await getCluster(connection, name);
    } catch (error) {
      if (error instanceof Failure) throw error;
      const failure = toKubeError(error);
      if (!isRetryable(failure) || failure.kind === "NotFound" || clock.monotonicMs() >= endMs) throw failure;
      await clock.sleep(Math.max(EVERY_MS, failure.retryAfterMs ?? 0), signal);
    }
  }
}

/** A flag such as `--timeout 5m`. */
export function durationOf(flag: string, given: string | undefined, otherwiseMs: number): number {
  if (given === undefined) return otherwiseMs;
  const ms = parseDuration(given);
  if (ms !== undefined) return ms;
  throw new Failure(exitCodes.usage, `--${flag} is "${given}", expected a duration such as 90s or 5m`);
}
