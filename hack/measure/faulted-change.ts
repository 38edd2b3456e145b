import type { Status } from "../../src/api/evnodecluster.ts";
import { kinds } from "../../src/model/kinds.ts";
import { longestGap } from "./block-gaps.ts";
import type { FaultCase, Moment, Outcome } from "./membership-fault-cases.ts";
import type { Scene } from "./membership-faults.ts";
import { hasPassed, phaseOf } from "./membership-phase.ts";
import { askForMembers, missing, type Side, settled, takenOver } from "./membership-side.ts";
import { statusOf } from "./operated-cluster.ts";
import { podsOf } from "./pods.ts";
import { patchNow } from "./rollout-sides.ts";
import { pause, pollUntil, type Session } from "./session.ts";
import { type Look, toldIn } from "./standstill.ts";
import { LOOK_EVERY_MS, readAll } from "./survey-looks.ts";
import { sendToLeader } from "./transactions.ts";

const PHASE_TIMEOUT_MS = 300_000;
const END_TIMEOUT_MS = 360_000;
const BLOCKS_BETWEEN = 15;
const BLOCKS_AFTER = 5;

/** One case of a campaign. */
export interface Trial extends FaultCase {
  readonly number: number;
  readonly namespace: string;
}

/** What is noted while it goes on, by whoever looks. */
export interface Notes {
  readonly looks: Look[];
  latest: Status;
  /** The last one that a fault was to fall into. */
  phase: string;
}

export interface Course {
  readonly trial: Trial;
  readonly side: Side;
  readonly scene: Scene;
  readonly notes: Notes;
}

/** What became of a change. */
export interface Became {
  /** Undefined: it was not over within the time. */
  readonly outcome: Outcome | undefined;
  /** Why it was taken back, or what it waits for. */
  readonly message: string | undefined;
  readonly tookMs: number;
  /** The longest time between two blocks around it, by the times in their headers. */
  readonly gapMs: number | undefined;
  /** What is wrong with the chain, or with the transactions that were in it before, in words. */
  readonly problems: readonly string[];
  /** What kept it from being tried, or the members from coming back. */
  readonly failed?: string;
}

/** Asks for another number of members, lets every fault happen in its phase, and waits until all is well again. */
export async function changeWithFaults(session: Session, course: Course): Promise<Became> {
  const { trial, side, scene, notes } = course;
  const { survey } = side;
  const { from, to, moments } = trial;
  const sender = await sendToLeader(session, side.members, `change-${trial.number}`);
  await grows(session, side, BLOCKS_BETWEEN);
  const before = survey.top();
  const kept = await settled(session, side.members, sender);
  for (const { fault } of moments) await fault.prepare?.(scene);
  const startMs = performance.now();
  const epoch = await begin(session, course);
  const mends: Promise<void>[] = [];
  for (const moment of moments) {
    await meet(session, course, moment, epoch);
    const { mend } = moment.fault;
    if (!mend) continue;
    const mending = pause(mend.afterMs, session).then(async () => mend.undo(scene));
    // Awaited below; until then a failure must not end the process as an unhandled one.
    mending.catch(() => {});
    mends.push(mending);
  }
  const end = await endOf(session, notes, epoch);
  await Promise.all(mends);
  const tookMs = performance.now() - startMs;
  const message = end.outcome === "Completed" ? undefined : (end.message ?? toldIn(notes.latest));
  const isBack = await comesBack(session, side, end.outcome === "TakenBack" ? from : to, end.outcome);
  await sender.stop();
  await grows(session, side, BLOCKS_AFTER);
  await readAll(session, side);
  const lost = await missing(session, side.members, kept);
  return {
    outcome: end.outcome,
    message,
    tookMs,
    gapMs: longestGap(survey.times().filter(({ height }) => height >= before))?.ms,
    problems: [...new Set([...survey.problems(), ...survey.replaced(), ...lost])],
    ...isBack,
  };
}

/** Asks for the other number; where it is suspended before, in one edit with its end. */
async function begin(session: Session, { trial, side }: Course): Promise<number> {
  const { to, isSuspended, stopWithinSeconds } = trial;
  if (!isSuspended) return askForMembers(session, side.members, to, { stopWithinSeconds });
  await patchNow(session, kinds.cluster, side.members, { spec: { suspend: true } });
  const isGone = async () => {
    const { phase } = await statusOf(session, side.members);
    return (phase === "Suspended" && (await podsOf(session, side.members)).length === 0) || undefined;
  };
  if (!(await pollUntil(isGone, { everyMs: 250, timeoutMs: PHASE_TIMEOUT_MS }, session)))
    throw new Error("it is not suspended within the time");
  return askForMembers(session, side.members, to, { stopWithinSeconds }, { suspend: false });
}

/** Waits for the phase, and lets the fault happen in it. */
async function meet(
  session: Session,
  { scene, notes }: Course,
  moment: Moment,
  epoch: number,
): Promise<void> {
  const isThere = async () => {
    const seen = phaseOf(notes.latest, epoch);
    if (seen === undefined) return undefined;
    return seen === moment.phase || hasPassed(seen, moment.phase) ? seen : undefined;
  };
  const poll = { everyMs: 10, timeoutMs: PHASE_TIMEOUT_MS };
  const seen = await pollUntil(isThere, poll, session);
  if (seen === undefined) throw new Error(`it did not come to the phase ${moment.phase}`);
  notes.phase = seen;
  if (seen !== moment.phase) throw new Error(`the phase ${moment.phase} was over before it was seen`);
  await moment.fault.happen(scene);
}

async function endOf(session: Session, notes: Notes, epoch: number) {
  const isOver = async () => (phaseOf(notes.latest, epoch) === "over" ? true : undefined);
  await pollUntil(isOver, { everyMs: LOOK_EVERY_MS, timeoutMs: END_TIMEOUT_MS }, session);
  const { result, message } = notes.latest.membership?.lastChange ?? {};
  const outcome = result === "Completed" || result === "TakenBack" ? result : undefined;
  return { outcome, message };
}

/** What was taken back is not asked for any more: then all are ready. */
async function comesBack(
  session: Session,
  side: Side,
  count: number,
  outcome: Became["outcome"],
): Promise<{ readonly failed?: string }> {
  if (outcome === "TakenBack")
    await patchNow(session, kinds.cluster, side.members, { spec: { replicas: count } });
  if (outcome === undefined) return {};
  return takenOver(session, side, count).then(
    () => ({}),
    (error: unknown) => ({ failed: String(error) }),
  );
}

/** Waits for blocks, which somebody else reads. */
async function grows(session: Session, { survey }: Side, blocks: number): Promise<void> {
  const from = survey.top();
  const isEnough = async () => (survey.top() >= from + blocks ? true : undefined);
  const poll = { everyMs: LOOK_EVERY_MS, timeoutMs: END_TIMEOUT_MS };
  if (!(await pollUntil(isEnough, poll, session)))
    throw new Error(`there were no ${blocks} blocks after block ${from} within ${poll.timeoutMs / 1_000} s`);
}
