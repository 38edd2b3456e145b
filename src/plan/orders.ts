import { parseTimestampMs } from "../evnode/timestamp.ts";
import type { Order, Voter } from "../model/agent-protocol.ts";
import type { Identity } from "../model/identity.ts";
import { answerOf, type Member, type MemberPod } from "../model/member.ts";
import { memberHost, memberName } from "../model/names.ts";
import type { Action } from "./actions.ts";
import { intentsOf } from "./intent.ts";
import type { Snapshot } from "./snapshot.ts";

/** The full membership: every member's raft id and address. It goes into raft's log and can never change there. */
export function votersOf(snapshot: Snapshot, identity: Identity): Voter[] | undefined {
  const intents = intentsOf(snapshot, identity);
  if (!intents) return undefined;
  const { raft, replicas } = intents.current.spec;
  const { name, namespace = "" } = snapshot.cluster.metadata;
  return Array.from({ length: replicas }, (_, ordinal) => {
    const host = memberHost(name, namespace, ordinal, identity.clusterDomain);
    return { id: memberName(name, ordinal), address: `${host}:${raft.port}` };
  });
}

/** It names the pod: a later loss of the same member is another repair, with an order of its own. */
export const rejoinOrderId = (pod: MemberPod) => `rejoin-${pod.uid}`;

/**
 * Kubelet shows a changed annotation to the agent within a second, as a rule. On a busy node it can miss a change that
 * follows another one closely, and show it at its next regular look at the pod, more than a minute later. Any further
 * change of the pod makes it look.
 */
export const REPEAT_AFTER_MS = 5_000;

/** Nothing when the pod carries this order already, unless its agent should have it by now and does not know it. */
export function giveOrder(member: Member, wanted: Order, nowMs: number): Action[] {
  const { pod } = member;
  if (!pod || pod.terminating) return [];
  if (carries(pod, wanted) && !isOverdue(member, pod, wanted, nowMs)) return [];
  return [{ kind: "order", member, pod, order: wanted }];
}

const carries = (pod: MemberPod, wanted: Order) => pod.order === JSON.stringify(wanted);

function isOverdue(member: Member, pod: MemberPod, { id }: Order, nowMs: number): boolean {
  const answer = answerOf(member);
  if (answer?.podUid !== pod.uid || answer.executedOrder === id || answer.refusedOrder?.id === id)
    return false;
  const givenAtMs = parseTimestampMs(pod.orderGivenAt ?? "");
  return givenAtMs === undefined || nowMs - givenAtMs >= REPEAT_AFTER_MS;
}
