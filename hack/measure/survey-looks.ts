import type { ChainSurvey } from "./chain-survey.ts";
import { type Members, podsOf } from "./pods.ts";
import { pause, pollUntil, type Session } from "./session.ts";

/** A chain whose every block is read and remembered. */
export interface Surveyed {
  readonly members: Members;
  readonly survey: ChainSurvey;
}

const READ_TIMEOUT_MS = 180_000;
/** Every block that is served has to be seen, also one that is gone a moment later. */
export const LOOK_EVERY_MS = 50;

interface Reading {
  /** What every member has to serve before the reading ends. */
  readonly atLeastTo?: number;
  readonly from?: number;
  readonly timeoutMs?: number;
}

/**
 * Reads every block of every member anew: these are other processes, or have other stores, than before. Answers whether
 * all were read in time.
 */
export async function readAll(
  session: Session,
  { members, survey }: Surveyed,
  { atLeastTo = 0, from = 1, timeoutMs = READ_TIMEOUT_MS }: Reading = {},
): Promise<boolean> {
  let againFrom: number | undefined = from;
  const isRead = async () => {
    const whole = await survey.look(await podsOf(session, members), againFrom);
    againFrom = undefined;
    return whole && survey.top() >= atLeastTo ? true : undefined;
  };
  return (await pollUntil(isRead, { everyMs: LOOK_EVERY_MS, timeoutMs }, session)) === true;
}

/** Reads what is served for as long as `work` takes. */
export async function keepLooking<T>(
  session: Session,
  { members, survey }: Surveyed,
  work: () => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const looking = (async () => {
    while (!over.signal.aborted) {
      await survey.look(await podsOf(session, members));
      await pause(LOOK_EVERY_MS, session);
    }
  })();
  try {
    return await work();
  } finally {
    over.abort();
    await looking;
  }
}
