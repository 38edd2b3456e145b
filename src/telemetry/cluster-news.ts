import type { Status } from "../api/evnodecluster.ts";

/** What was counted last of a cluster. At first it is the status that an operator wrote before this one. */
export type Told = Pick<Status, "lastLeader" | "lastHandover" | "lastRollout">;

/** What has happened since. Each is counted once, however often the status tells it. */
export interface ClusterNews {
  readonly hasNewLeader: boolean;
  readonly handover: Status["lastHandover"];
  readonly rollout: Status["lastRollout"];
}

/**
 * | told | status | news |
 * | --- | --- | --- |
 * | no leader yet | a leader | none: it is the first |
 * | a leader | another | a change of the leader |
 * | a handover | the same leader and block, at about the same time | none |
 * | a handover | an older one, from a status that was not written yet | none |
 * | none, or an older one | a handover | that handover; the same for rollouts |
 */
export function newsOf(told: Told | undefined, status: Status): ClusterNews {
  const { lastLeader, lastHandover: handover, lastRollout: rollout } = status;
  const before = told?.lastLeader;
  return {
    hasNewLeader: before !== undefined && lastLeader !== undefined && before !== lastLeader,
    handover: isNewHandover(told?.lastHandover, handover) ? handover : undefined,
    rollout: isLater(told?.lastRollout?.finishedAt, rollout?.finishedAt) ? rollout : undefined,
  };
}

/** What is told when this status is: never less than before. */
export function toldAfter(told: Told | undefined, status: Status): Told {
  const { handover, rollout } = newsOf(told, status);
  return {
    ...lastOf("lastLeader", status.lastLeader, told?.lastLeader),
    ...lastOf("lastHandover", handover, told?.lastHandover),
    ...lastOf("lastRollout", rollout, told?.lastRollout),
  };
}

function lastOf<K extends keyof Told>(key: K, newer: Told[K], older: Told[K]): Pick<Told, K> | object {
  const last = newer ?? older;
  return last === undefined ? {} : { [key]: last };
}

function isNewHandover(told: Status["lastHandover"], now: Status["lastHandover"]): boolean {
  if (now === undefined) return false;
  const isSame = told?.leader === now.leader && told?.height === now.height && told?.hash === now.hash;
  return !isSame && isLater(told?.at, now.at);
}

/** The operator writes all times in one format, in which their order is that of the texts. */
const isLater = (told: string | undefined, now: string | undefined) =>
  now !== undefined && (told === undefined || now > told);
