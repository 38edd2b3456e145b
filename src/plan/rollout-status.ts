import type { Status } from "../api/evnodecluster.ts";
import { parseTimestampMs } from "../evnode/timestamp.ts";
import type { Handover } from "../model/agent-protocol.ts";
import type { RolloutRecord } from "../model/rollout-record.ts";
import { missedBlocks } from "./missed-blocks.ts";
import { leadership } from "./quorum.ts";
import { isOpen } from "./rollout-scene.ts";
import { agedMs, type Snapshot } from "./snapshot.ts";
import type { Plan } from "./step.ts";
import { recordOn } from "./stored-record.ts";

type RolloutStatus = Pick<
  Status,
  "updatedMembers" | "updatePending" | "rollout" | "lastRollout" | "lastHandover"
>;

/** What is told of changes on their way to the members, of the last one, and of the last change of the leader. */
export function rolloutStatus(snapshot: Snapshot, { rollout }: Plan): RolloutStatus {
  const { statefulSet, members } = snapshot;
  const record = recordOn(statefulSet);
  const progress = rollout?.progress;
  const handover = handoverOf(snapshot);
  return {
    ...(rollout ? { updatedMembers: `${rollout.updated}/${members.length}` } : {}),
    ...(progress && !isOpen(record) && progress.changes.length > 0
      ? { updatePending: progress.changes }
      : {}),
    ...(progress ? { rollout: { ...progress, ...(isOpen(record) ? countsOf(snapshot, record) : {}) } } : {}),
    ...lastRolloutOf(record, snapshot),
    ...(handover ? { lastHandover: handover } : {}),
  };
}

type Counts = { readonly leaderChanges: number; readonly longestGapMs?: number };

/** Counted from one status to the next; what changes twice in between is counted once. */
function countsOf(snapshot: Snapshot, record: RolloutRecord | undefined): Counts {
  const { cluster, members } = snapshot;
  const before = cluster.status?.rollout;
  const isSame = before?.startedAt === record?.startedAt;
  const known = leadership(members);
  const leader = known.kind === "one" ? known.leader.name : undefined;
  const earlier = cluster.status?.lastLeader;
  const isNew = leader !== undefined && earlier !== undefined && leader !== earlier;
  const leaderChanges = (isSame ? (before?.leaderChanges ?? 0) : 0) + (isNew ? 1 : 0);
  const gaps = [isSame ? before?.longestGapMs : undefined, gapSince(snapshot, record?.startedAt)];
  const measured = gaps.filter((gap) => gap !== undefined);
  return { leaderChanges, ...(measured.length === 0 ? {} : { longestGapMs: Math.max(...measured) }) };
}

/** The longest time without blocks that an agent tells of since then. */
export function gapSince(snapshot: Snapshot, startedAt: string | undefined): number | undefined {
  const { members, nowMs } = snapshot;
  const sinceMs = nowMs - (parseTimestampMs(startedAt ?? "") ?? nowMs);
  const gaps = members.flatMap(({ report }) => {
    const handover = report.kind === "answered" ? report.answer.handover : undefined;
    if (!handover || report.kind !== "answered") return [];
    return agedMs(handover.ageMs, report, snapshot) <= sinceMs ? [handover.gapMs] : [];
  });
  return gaps.length === 0 ? undefined : Math.round(Math.max(...gaps));
}

function lastRolloutOf(record: RolloutRecord | undefined, snapshot: Snapshot): Pick<Status, "lastRollout"> {
  const before = snapshot.cluster.status;
  if (!record || record.kind === "rolling" || record.finishedAt === undefined)
    return before?.lastRollout ? { lastRollout: before.lastRollout } : {};
  const { wish, changes, startedAt, finishedAt } = record;
  const result = record.kind === "completed" ? "Completed" : "Reverted";
  const { leaderChanges, longestGapMs } = record;
  return {
    lastRollout: {
      target: wish,
      result,
      changes,
      startedAt,
      finishedAt,
      ...(leaderChanges === undefined ? {} : { leaderChanges }),
      ...(longestGapMs === undefined ? {} : { longestGapMs, ...missedBlocks(longestGapMs, snapshot) }),
    },
  };
}

/** The leader's own account of how it came to lead. An earlier one stays while nobody knows a newer one. */
function handoverOf(snapshot: Snapshot): Status["lastHandover"] {
  const { members, cluster, nowMs } = snapshot;
  const before = cluster.status?.lastHandover;
  const known = leadership(members);
  const { report, name = "" } = known.kind === "one" ? known.leader : {};
  const handover = report?.kind === "answered" ? report.answer.handover : undefined;
  if (report?.kind !== "answered" || !handover) return before;
  if (before?.leader === name && before.height === handover.lastHeight && before.hash === handover.lastHash)
    return before;
  const at = new Date(nowMs - agedMs(handover.ageMs, report, snapshot)).toISOString();
  return { leader: name, at, ...blocksOf(handover), ...missedBlocks(handover.gapMs, snapshot) };
}

function blocksOf({ lastHeight, lastHash, firstHash, parentHash, gapMs }: Handover) {
  return { height: lastHeight, hash: lastHash, nextHash: firstHash, parentHash, gapMs: Math.round(gapMs) };
}
