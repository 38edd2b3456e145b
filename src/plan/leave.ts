import { parseTimestampMs } from "../evnode/timestamp.ts";
import { annotations } from "../model/annotations.ts";
import { answerOf, type Member } from "../model/member.ts";
import { isRejoinIn, rejoinOrderId } from "./orders.ts";
import { soleOf } from "./quorum.ts";
import { isOpen } from "./rollout-scene.ts";
import type { Snapshot } from "./snapshot.ts";
import { recordOn } from "./stored-record.ts";
import type { Loss } from "./volumes.ts";

/** Who allows a lost member to be rebuilt. */
export type Leave =
  /** Its owner named it. */
  | { readonly kind: "approved" }
  /** The policy in spec.repair allows it. */
  | { readonly kind: "policy" }
  /** It waits for its owner, and why; `isFinal` where an approval does not help. */
  | { readonly kind: "ask"; readonly why?: string; readonly isFinal?: true };

/** The member that its owner allows to be rebuilt. */
export const approvedMember = ({ cluster }: Snapshot): string | undefined =>
  cluster.metadata.annotations?.[annotations.approveRejoin];

const HOUR_MS = 3_600_000;

/**
 * | the lost member | then |
 * | --- | --- |
 * | is the only one, and does not run | ask: nobody has what it lost, and no approval brings it back |
 * | was rebuilt in this pod, and lost it again before it took part | ask: its volume does not keep what is written |
 * | was named by its owner | approved |
 * | has blocks of a fork, by the last words of its ev-node | ask: they are evidence |
 * | is one of several, or runs on a copy of its volume that somebody brought back | ask |
 * | does not run as a rollout has made it | ask: its image may be to blame, and then its volume is as good as before |
 * | is of a cluster whose spec is not valid, or says `Approve` | ask |
 * | was begun already, by what the status tells | policy: what was begun is brought to its end |
 * | comes after as many others within the hour as the policy allows | ask |
 * | anything else | policy |
 */
export function leaveFor(
  { member, runs, unusable, isFork }: Loss,
  lostCount: number,
  snapshot: Snapshot,
): Leave {
  const { parsed, members } = snapshot;
  if (soleOf(members) && !runs) return { kind: "ask", isFinal: true };
  const failed = failureIn(member, snapshot);
  if (failed !== undefined) return { kind: "ask", why: failed, isFinal: true };
  if (approvedMember(snapshot) === member.name) return { kind: "approved" };
  if (isFork) return { kind: "ask", why: "Its blocks are evidence of a fork, and are kept on its volume." };
  if (lostCount > 1 || runs) return { kind: "ask" };
  if (unusable !== undefined && isOfRollout(member, snapshot))
    return { kind: "ask", why: "A rollout has changed it, and its image may be what cannot use the volume." };
  if (parsed.kind !== "valid" || parsed.repair.mode === "Approve") return { kind: "ask" };
  const orders = recentOrders(snapshot);
  if (member.pod && orders.includes(rejoinOrderId(member, member.pod))) return { kind: "policy" };
  const { maxPerHour } = parsed.repair;
  if (orders.length < maxPerHour) return { kind: "policy" };
  return {
    kind: "ask",
    why: `${orders.length} members were rebuilt within the last hour, and spec.repair.maxPerHour allows ${maxPerHour}.`,
  };
}

/** What a rollout under way brought, it may take back. */
function isOfRollout({ pod }: Member, { statefulSet }: Snapshot): boolean {
  if (!isOpen(recordOn(statefulSet))) return false;
  return pod?.update !== undefined || pod?.revision === statefulSet?.status?.updateRevision;
}

function failureIn(member: Member, { cluster }: Snapshot): string | undefined {
  const executed = answerOf(member)?.executedOrder;
  if (!member.pod || !isRejoinIn(member.pod, executed)) return undefined;
  const told = cluster.status?.repairs?.find(({ order }) => order === executed);
  // What the status does not tell yet has not come up either.
  if (told?.doneAt !== undefined) return undefined;
  return `It was rebuilt in this pod, and did not come up. Look at its volume; to have it tried again, delete pod ${member.name}.`;
}

function recentOrders({ cluster, nowMs }: Snapshot): readonly string[] {
  const repairs = cluster.status?.repairs ?? [];
  const isRecent = (at: string | undefined) => nowMs - (parseTimestampMs(at ?? "") ?? 0) < HOUR_MS;
  return repairs.flatMap(({ order, at }) => (order !== undefined && isRecent(at) ? [order] : []));
}
