import { diagnoseExit } from "../evnode/failures.ts";
import { parseTimestampMs } from "../evnode/timestamp.ts";
import { isBootstrapped } from "../model/identity.ts";
import { majorityOf } from "../model/majority.ts";
import { answerOf, type Member, type MemberPod } from "../model/member.ts";
import { hasBudget } from "./budget.ts";
import { isHeldBack, isHeldLong } from "./held-back.ts";
import { isNewsAfterOrder, isRejoinIn } from "./orders.ts";
import { heightOf, leadership, soleOf } from "./quorum.ts";
import { agedMs, type Snapshot } from "./snapshot.ts";
import { lastOfStandstill } from "./standstill.ts";
import { type Decider, NOTHING } from "./step.ts";

/** Longer than any election, and than any member takes to lead or to give the lead back. */
const LIMBO_MS = 30_000;
const RECHECK_MS = 2_000;

interface Cure {
  readonly member: Member;
  readonly pod: MemberPod;
  readonly by: "eviction" | "deletion";
  readonly why: string;
}

/**
 * Gives a member a new pod where that cures it, and where it can lose nothing by that.
 *
 * | seen | then |
 * | --- | --- |
 * | ev-node of a member that was rebuilt is held back by Kubernetes for the starts that failed before | delete its pod: a new one is started at once |
 * | ev-node exited because it lost the lead, is held back, and without it no majority is in Raft | delete its pod |
 * | ev-node ended well, is held back for longer than a new pod takes, and without it no majority is in Raft | delete its pod |
 * | ev-node of a single sequencer ended well, and is held back | delete its pod |
 * | all others are a majority and follow a leader, none of them leads, no block comes, and this one runs and serves nobody | evict its pod: it holds the lead and does not use it |
 * | it took the lead after the last block, all others follow it and hold what it holds, and no block comes | evict its pod, once: it leads and makes no block |
 *
 * Kubernetes waits 10 s before the second start of a container and up to 5 min before later ones. ev-node ends whenever
 * it loses the lead, which is no fault, so a few elections in a row would keep members away for minutes.
 */
export const repair: Decider = (snapshot) => {
  const { identity, chainLock } = snapshot;
  if (identity.kind !== "present" || chainLock.kind !== "ours") return NOTHING;
  if (!isBootstrapped(identity.identity)) return NOTHING;
  const cure = heldBack(snapshot) ?? limbo(snapshot) ?? idle(snapshot);
  if (!cure) return NOTHING;
  if (!snapshot.isCertain) return { needsCertainty: true, recheckAfterMs: RECHECK_MS };
  // One member at a time, whoever wants it.
  return { stages: [[{ kind: "removePod", ...cure }]], stop: true, recheckAfterMs: RECHECK_MS };
};

function heldBack(snapshot: Snapshot): Cure | undefined {
  for (const member of snapshot.members) {
    const { pod } = member;
    if (!pod || pod.terminating || !isHeldBack(pod)) continue;
    const why = isRebuilt(member, pod)
      ? "its Raft state was written anew, and Kubernetes holds it back for the starts before"
      : reasonToHurry(member, pod, snapshot);
    if (why !== undefined) return { member, pod, by: "deletion", why };
  }
  return undefined;
}

/** It was rebuilt after its last exit. */
function isRebuilt(member: Member, pod: MemberPod): boolean {
  const answer = answerOf(member);
  return isRejoinIn(pod, answer?.executedOrder) && answer?.volume.kind === "intact" && !isNewsAfterOrder(pod);
}

function reasonToHurry(member: Member, pod: MemberPod, { members }: Snapshot): string | undefined {
  const { evnode } = pod;
  if (evnode.kind !== "waiting" || evnode.lastExit === undefined) return undefined;
  if (soleOf(members))
    return evnode.lastExit.code === 0
      ? "it ended as it was asked to, and Kubernetes holds it back"
      : undefined;
  const hasLostLead = diagnoseExit(evnode.lastExit.lastLine)?.reason === "LeadershipLost";
  // As after all members stopped at once: each of them levels, and starts once more to be in Raft.
  const wasAsked = evnode.lastExit.code === 0 && isHeldLong(pod);
  if (!hasLostLead && !wasAsked) return undefined;
  const others = members.filter((other) => other !== member);
  // Who does not answer may be a majority with the rest.
  const there = others.filter((other) => !answerOf(other) || isInRaft(other));
  return there.length < majorityOf(members.length)
    ? `it ${hasLostLead ? "lost the lead" : "ended as it was asked to"}, Kubernetes holds it back, and there is no majority without it`
    : undefined;
}

/** Runs as a voter, with a leader or without. */
function isInRaft(member: Member): boolean {
  const answer = answerOf(member);
  if (!answer || !member.pod || member.pod.terminating || answer.mode?.kind === "level") return false;
  return answer.node.kind === "open" || answer.node.raftPortOpen;
}

function limbo(snapshot: Snapshot): Cure | undefined {
  const { members } = snapshot;
  if (leadership(members).kind !== "none" || !lastOfStandstill(snapshot)) return undefined;
  const [mute, ...more] = members.filter((member) => !follows(member));
  if (!mute?.pod || mute.pod.terminating || more.length > 0 || members.length < 3) return undefined;
  const { report } = mute;
  if (report.kind !== "answered" || !isInRaft(mute) || report.answer.node.kind !== "closed") return undefined;
  if (agedMs(report.answer.node.sinceMs, report, snapshot) < LIMBO_MS) return undefined;
  // It executes blocks that its execution layer lacks, as whoever led after it would have to.
  if (report.answer.execution && report.answer.execution.blocksBehind !== 0) return undefined;
  const why =
    "all others follow a leader, none of them leads, and no block comes: it leads without making blocks";
  return { member: mute, pod: mute.pod, by: gently(snapshot), why };
}

/**
 * A leader that stops in the middle of its lead may have a reason, such as blocks that the DA layer does not take. One
 * that never began has none that it does not share with whoever is next.
 */
function idle(snapshot: Snapshot): Cure | undefined {
  const { members } = snapshot;
  const known = leadership(members);
  const head = lastOfStandstill(snapshot);
  if (known.kind !== "one" || !head || members.length < 3) return undefined;
  const { leader } = known;
  const { pod, report } = leader;
  if (!pod || report.kind !== "answered" || (report.answer.execution?.blocksBehind ?? 0) !== 0)
    return undefined;
  const leadAgesMs = report.answer.leadAgesMs ?? [];
  if (leadAgesMs.length === 0) return undefined;
  const leadsForMs = agedMs(Math.min(...leadAgesMs), report, snapshot);
  if (leadsForMs < LIMBO_MS || snapshot.nowMs - leadsForMs <= head.timeMs) return undefined;
  if (createdMs(leader) > head.timeMs && !isOfOutage(leader, members)) return undefined;
  // What it alone holds, another one would make again.
  const height = heightOf(leader);
  const hold = (other: Member) => height !== undefined && (heightOf(other) ?? -1) >= height;
  if (!members.every((other) => other === leader || (follows(other) && hold(other)))) return undefined;
  const why = "it took the lead after the last block, all others follow it, and it makes no block";
  return { member: leader, pod, by: gently(snapshot), why };
}

/**
 * A pod that is newer than the last block may be one that this has made already, but for those that came together, when
 * all members had stopped. What is made in place of one comes later than the rest, so at least one of them stays.
 */
function isOfOutage(leader: Member, members: readonly Member[]): boolean {
  const oldestMs = Math.min(...members.map(createdMs));
  const together = members.filter((member) => createdMs(member) - oldestMs < LIMBO_MS);
  return together.length > 1 && together.includes(leader);
}

const createdMs = ({ pod }: Member) => parseTimestampMs(pod?.createdAt ?? "") ?? Number.POSITIVE_INFINITY;

const gently = (snapshot: Snapshot) => (hasBudget(snapshot) ? "eviction" : "deletion");

/** Its HTTP server is open, which it is only while a leader is known, and it is another. */
function follows(member: Member): boolean {
  const node = answerOf(member)?.node;
  return node?.kind === "open" && node.isLeader === false;
}
