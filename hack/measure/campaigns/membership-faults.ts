import type { Status } from "../../../src/api/evnodecluster.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { memberName } from "../../../src/model/names.ts";
import { say } from "../../local-cluster/progress.ts";
import { longestGap } from "../block-gaps.ts";
import { campaign } from "../campaign.ts";
import { inLanes } from "../lanes.ts";
import { type FaultCase, faultCases, type Moment } from "../membership-fault-cases.ts";
import { type Scene, volumesFor } from "../membership-faults.ts";
import { hasPassed, phaseOf } from "../membership-phase.ts";
import { askForMembers, missing, type Side, settled, startSide, takenOver } from "../membership-side.ts";
import { provideNamespace } from "../namespaces.ts";
import { leaderAddress, operatedCluster, removeCluster, statusOf } from "../operated-cluster.ts";
import { podsOf } from "../pods.ts";
import { requireLocal } from "../provide-cluster.ts";
import { patchNow } from "../rollout-sides.ts";
import { pause, pollUntil, type Session } from "../session.ts";
import { removeLeftVolumes } from "../small-volumes.ts";
import { type Look, longestStandstill, toldIn } from "../standstill.ts";
import { keepLooking, LOOK_EVERY_MS, readAll } from "../survey-looks.ts";
import { duration } from "../table.ts";
import { sendTransactions } from "../transactions.ts";
import { type FaultedChange, membershipFaultsReport, wrongsOf } from "./membership-faults-report.ts";

const BLOCK_TIME = "200ms";
const PHASE_TIMEOUT_MS = 300_000;
const END_TIMEOUT_MS = 360_000;
const BLOCKS_BETWEEN = 15;
const BLOCKS_AFTER = 5;
/** Beyond the deadline of a change the old members need their time to start again. */
const GO_ON_MS = 60_000;

/** One fault in each phase of a change of the number of members: the old set goes on or the new one, never both. */
export const membershipFaults = campaign({
  name: "membership-faults",
  about:
    "one fault in each phase of a change of the number of members: whether the chain stays one and goes on",
  options: {
    cases: { full: faultCases.length, short: 2, about: "up to which case, in the order of the table" },
    skip: { full: 0, short: 0, about: "how many cases to leave out at the beginning" },
    "at-once": { full: 2, short: 2, about: "cases side by side, but for those that kill the operator" },
  },
  async run(session, { cases, skip, "at-once": atOnce }) {
    requireLocal(session);
    const namespace = await provideNamespace(session, "membership-faults");
    await removeLeftVolumes(session);
    const numbered = faultCases.map((one, index) => ({ ...one, number: index + 1, namespace }));
    const chosen = numbered.slice(skip, cases);
    const ofAll = chosen.filter(({ moments }) => moments.some(({ fault }) => fault.isOfAll));
    const tryOne = async (one: Trial) => tryCase(session, one);
    const seen = [
      ...(await inLanes(
        atOnce,
        chosen.filter((one) => !ofAll.includes(one)),
        tryOne,
      )),
      ...(await inLanes(1, ofAll, tryOne)),
    ];
    return membershipFaultsReport(seen);
  },
});

interface Trial extends FaultCase {
  readonly number: number;
  readonly namespace: string;
}

/** What is noted while it goes on. */
interface Notes {
  readonly looks: Look[];
  latest: Status;
  phase: string;
}

async function tryCase(session: Session, trial: Trial): Promise<FaultedChange> {
  const { number, from, to, moments, ends, stopWithinSeconds } = trial;
  const notes: Notes = { looks: [], latest: {}, phase: moments.at(-1)?.phase ?? "" };
  const startMs = performance.now();
  const boundMs = stopWithinSeconds * 1_000 + GO_ON_MS;
  let found: Partial<FaultedChange>;
  try {
    found = await changeWithFaults(session, trial, notes);
  } catch (error) {
    session.signal.throwIfAborted();
    found = { failed: error instanceof Error ? error.message : String(error) };
  }
  const one: FaultedChange = {
    number,
    change: `${from} to ${to}${trial.isSuspended ? ", resumed" : ""}`,
    phase: notes.phase,
    fault: moments.map(({ fault }) => fault.name).join("; then "),
    expected: ends,
    outcome: undefined,
    message: toldIn(notes.latest),
    boundMs,
    standstill: longestStandstill(notes.looks, boundMs),
    gapMs: undefined,
    tookMs: performance.now() - startMs,
    problems: [],
    ...found,
  };
  say(describe(one));
  return one;
}

async function changeWithFaults(
  session: Session,
  trial: Trial,
  notes: Notes,
): Promise<Partial<FaultedChange>> {
  const { namespace, number, from, to, moments, stopWithinSeconds } = trial;
  const more = { membership: { stopWithinSeconds } };
  const wish = { namespace, name: `chain-${number}`, replicas: from, blockTime: BLOCK_TIME, more } as const;
  const cluster = operatedCluster(wish);
  const faults = moments.map(({ fault }) => fault);
  const volumes = await volumesFor(session, cluster, { from, to, faults });
  try {
    const side = await startSide(session, wish);
    return await watched(session, side, notes, async () => {
      const { leader = memberName(cluster.name, 0) } = await statusOf(session, cluster);
      const scene: Scene = { session, members: cluster, from, to, leader, volumes };
      return change(session, { trial, side, scene, notes });
    });
  } finally {
    await removeCluster(session, cluster);
    for (const volume of volumes.values()) await volume.remove();
  }
}

/** Reads every block and every status for as long as it takes. */
async function watched<T>(session: Session, side: Side, notes: Notes, work: () => Promise<T>): Promise<T> {
  const over = new AbortController();
  const looking = (async () => {
    while (!over.signal.aborted) {
      notes.latest = await statusOf(session, side.members);
      notes.looks.push({ atMs: performance.now(), top: side.survey.top(), told: toldIn(notes.latest) });
      await pause(LOOK_EVERY_MS, session);
    }
  })();
  try {
    return await keepLooking(session, side, work);
  } finally {
    over.abort();
    await looking;
  }
}

interface Course {
  readonly trial: Trial;
  readonly side: Side;
  readonly scene: Scene;
  readonly notes: Notes;
}

async function change(session: Session, course: Course): Promise<Partial<FaultedChange>> {
  const { trial, side, scene, notes } = course;
  const { survey } = side;
  const { from, to, moments } = trial;
  const sender = sendTransactions(
    session,
    await leaderAddress(session, side.members),
    `change-${trial.number}`,
  );
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
  outcome: FaultedChange["outcome"],
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

function describe(one: FaultedChange): string {
  const { number, change, phase, fault, outcome = "not over", gapMs, standstill, message = "" } = one;
  const wrongs = wrongsOf(one).map((wrong) => `; WRONG: ${wrong}`);
  const stop = duration(gapMs ?? standstill.ms);
  return `${number}, ${change}, ${phase}, ${fault}: ${outcome}, no block for ${stop} ${message}${wrongs.join("")}`;
}
