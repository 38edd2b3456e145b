import { layerLag } from "./execution-layer.ts";
import type { PodRun } from "./pod-run.ts";
import { storedHeight } from "./volume.ts";

/** The members of one cluster as they truly are, whatever anybody is told about them. */
export interface TrueGroup {
  readonly runs: readonly PodRun[];
  readonly isCut: (one: PodRun, other: PodRun) => boolean;
  readonly maxBlocksBehind: number;
  readonly nowMs: number;
}

export const trueLeader = ({ runs }: TrueGroup): PodRun | undefined =>
  runs.find(({ process }) => process?.role === "leader");

/** A process that is up, in Raft, and was not asked to end. */
function isInRaft({ nowMs }: TrueGroup, { process, endAtMs }: PodRun): boolean {
  if (process?.mode !== "raft" || process.upAtMs > nowMs) return false;
  return process.stopping === undefined && endAtMs === undefined;
}

/** Whether the member's vote and its copy of the blocks count now: with the leader, or with a majority without one. */
export function takesPart(group: TrueGroup, one: PodRun): boolean {
  if (!isInRaft(group, one) || isBehind(group, one)) return false;
  const leader = trueLeader(group);
  if (leader !== undefined && leader !== one)
    return one.process?.role === "follower" && !group.isCut(leader, one);
  const heard = group.runs.filter((other) => isInRaft(group, other) && !group.isCut(one, other));
  const voters = raftOf(one)?.voters.length ?? 0;
  return heard.length > voters / 2;
}

/** Of the epoch that its process is in. */
const raftOf = ({ process, volume }: PodRun) => volume.rafts.get(process?.epoch ?? 0);

/** Whether a member that runs lacks more blocks than is tolerated, in its log, its store or its execution layer. */
function isBehind({ runs, maxBlocksBehind, nowMs }: TrueGroup, one: PodRun): boolean {
  if (one.process === undefined) return false;
  if (layerLag(one, nowMs) > maxBlocksBehind) return true;
  const best = Math.max(...runs.map(({ volume }) => storedHeight(volume)));
  return best - storedHeight(one.volume) > maxBlocksBehind;
}

/** Notes since when each member has been away or behind, which tells what nobody can know yet. */
export function noteParticipation(group: TrueGroup): void {
  const { nowMs } = group;
  const leader = trueLeader(group);
  for (const run of group.runs) {
    run.leaderlessSinceMs = leader === undefined ? (run.leaderlessSinceMs ?? nowMs) : undefined;
    run.absentSinceMs = takesPart(group, run) ? undefined : (run.absentSinceMs ?? nowMs);
    run.behindSinceMs = isBehind(group, run) ? (run.behindSinceMs ?? nowMs) : undefined;
  }
}
