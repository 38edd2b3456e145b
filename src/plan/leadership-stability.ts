import type { Finding } from "../api/conditions.ts";
import { parseTimestampMs } from "../evnode/timestamp.ts";
import { majorityOf } from "../model/majority.ts";
import { answerOf, type Member } from "../model/member.ts";
import { timingOf } from "../resources/timing.ts";
import { drillRecordOn } from "./drill-state.ts";
import { participation, soleOf } from "./quorum.ts";
import { agedMs, type Snapshot } from "./snapshot.ts";
import { appliedIntent } from "./stored-intent.ts";
import { recordOn } from "./stored-record.ts";

/** How many changes of the leader within an hour are none to worry about, besides those of rollouts and drills. */
export const TOLERATED_CHANGES = 5;
const HOUR_MS = 3_600_000;
/** A leader change may come of a restart so long after its beginning was noted, or its end. */
const AFTERWARDS_MS = 60_000;
/** Upstream's formula: a heartbeat time-out is four round trips at least. */
const TRIPS_IN_HEARTBEAT = 4;
const THROTTLED_SHARE = 0.05;

/** How often a member took the lead within the last hour, as far as their agents have seen it; undefined when none tells. */
export function leaderChanges(snapshot: Snapshot): number | undefined {
  // What it takes after a restart is its own.
  return soleOf(snapshot.members) ? 0 : takenAgesMs(snapshot)?.length;
}

/**
 * | seen | then |
 * | --- | --- |
 * | one member only | kept |
 * | no agent tells how often its member took the lead | unknown |
 * | more changes than are tolerated within an hour, rollouts and drills aside | the leadership flaps |
 * | anything else | kept |
 */
export function stabilityFinding(snapshot: Snapshot): Finding<"LeadershipStable"> {
  const finding = (reason: Finding<"LeadershipStable">["reason"], message: string) => {
    return { type: "LeadershipStable", reason, message } as const;
  };
  if (soleOf(snapshot.members))
    return finding("LeadershipKept", "A single member has nobody to lose the lead to.");
  const ages = takenAgesMs(snapshot);
  if (ages === undefined) return finding("ChangesUnknown", "No member tells how often it took the lead.");
  const unexplained = ages.filter((ageMs) => !isExplained(ageMs, snapshot));
  if (unexplained.length <= TOLERATED_CHANGES)
    return finding("LeadershipKept", "The leader seldom changes, but for rollouts and drills.");
  const what = `The leader changed more than ${TOLERATED_CHANGES} times within an hour, and no rollout or drill explains it.`;
  return finding("LeadershipFlaps", [what, ...causes(snapshot)].join(" "));
}

function takenAgesMs(snapshot: Snapshot): number[] | undefined {
  const told = snapshot.members.flatMap(({ report }) => {
    if (report.kind !== "answered" || report.answer.leadAgesMs === undefined) return [];
    return [report.answer.leadAgesMs.map((ageMs) => agedMs(ageMs, report, snapshot))];
  });
  if (told.length === 0) return undefined;
  return told.flat().filter((ageMs) => ageMs <= HOUR_MS);
}

/** The last rollout and the last drill are known; what an earlier one came to is counted. */
function isExplained(ageMs: number, snapshot: Snapshot): boolean {
  const takenMs = snapshot.nowMs - ageMs;
  const record = recordOn(snapshot.statefulSet);
  const finishedAt = record && "finishedAt" in record ? record.finishedAt : undefined;
  const spans: [string | undefined, string | undefined][] = [
    [record?.startedAt, finishedAt ?? new Date(snapshot.nowMs).toISOString()],
    [drillRecordOn(snapshot)?.at, drillRecordOn(snapshot)?.at],
  ];
  return spans.some(([from, to]) => {
    const [fromMs, toMs] = [parseTimestampMs(from ?? ""), parseTimestampMs(to ?? "")];
    return fromMs !== undefined && toMs !== undefined && takenMs >= fromMs && takenMs <= toMs + AFTERWARDS_MS;
  });
}

/** What is to be seen of why; without a figure that moves by itself. */
function causes(snapshot: Snapshot): string[] {
  const { members, parsed } = snapshot;
  const tolerated = parsed.kind === "valid" ? parsed.spec.readiness.maxBlocksBehind : 30;
  const away = members.filter((member) => participation(member, members.length, tolerated) !== "yes");
  const [slow, held] = [slowPaths(snapshot), members.filter(isHeldBack)];
  const quorum = `${members.length - away.length} of ${members.length} members take part, ${majorityOf(members.length)} are needed`;
  return [
    `${quorum}${away.length === 0 ? "." : `; missing are ${names(away)}.`}`,
    ...(slow.length === 0
      ? []
      : [`A round trip takes more than a quarter of the heartbeat time-out: ${slow.join(", ")}.`]),
    ...(held.length === 0 ? [] : [`The CPU limit holds back ${names(held)}.`]),
  ];
}

function slowPaths({ members, statefulSet }: Snapshot): string[] {
  const spec = appliedIntent(statefulSet)?.spec;
  if (!spec) return [];
  const limitMs = timingOf(spec.raft.timing).heartbeatTimeoutMs / TRIPS_IN_HEARTBEAT;
  return members.flatMap((member) => {
    const peers = answerOf(member)?.peers ?? [];
    const slow = peers.filter(({ raft }) => raft.kind === "reached" && raft.rttMs > limitMs);
    return slow.map(({ name }) => `${member.name} to ${name}`);
  });
}

function isHeldBack(member: Member): boolean {
  return (answerOf(member)?.throttledShare ?? 0) > THROTTLED_SHARE;
}

const names = (members: readonly Member[]) => members.map(({ name }) => name).join(", ");
