import type { CompleteSpec } from "../api/complete-spec.ts";
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
  const { spec } = intents.current;
  return membershipVoters(snapshot, identity, spec, spec.replicas);
}

/** The same of another number of members, as it is or is to be. */
export function membershipVoters(
  { cluster }: Snapshot,
  identity: Identity,
  { raft }: CompleteSpec,
  replicas: number,
): Voter[] {
  const { name, namespace = "" } = cluster.metadata;
  return Array.from({ length: replicas }, (_, ordinal) => {
    const host = memberHost(name, namespace, ordinal, identity.clusterDomain);
    return { id: memberName(name, ordinal), address: `${host}:${raft.port}` };
  });
}

/** Whether this order let the member join again in this pod. */
export const isRejoinIn = ({ uid }: MemberPod, order: string | undefined): order is string =>
  isOneOf(`rejoin-${uid}`, order);

/** It names the pod, and counts: each loss is another repair, with an order of its own, also in one pod. */
export const rejoinOrderId = (member: Member, pod: MemberPod): string =>
  nextOrderId(`rejoin-${pod.uid}`, member);

/** What was done under an id is not done again, so that one for what was lost since has the next number. */
export function nextOrderId(first: string, member: Member): string {
  const executed = answerOf(member)?.executedOrder;
  if (!isOneOf(first, executed)) return first;
  const count = Number(executed.slice(first.length + 1) || "1");
  return `${first}-${count + 1}`;
}

const isOneOf = (first: string, order: string | undefined): order is string =>
  order === first || order?.startsWith(`${first}-`) === true;

/** Whether ev-node exited after the order that stands on its pod was given. Kubernetes tells whole seconds. */
export function isNewsAfterOrder({ evnode, orderGivenAt }: MemberPod): boolean {
  const exit = evnode.kind === "absent" ? undefined : evnode.lastExit;
  const [exitMs, givenMs] = [exit?.at, orderGivenAt].map((time) => parseTimestampMs(time ?? ""));
  return exitMs !== undefined && givenMs !== undefined && exitMs >= givenMs;
}

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
  return isDue(member, pod, wanted, nowMs) ? [{ kind: "order", member, pod, order: wanted }] : [];
}

/** Whether the pod does not carry this order, or its agent should have it by now and does not know it. */
export const isDue = (member: Member, pod: MemberPod, wanted: Order, nowMs: number): boolean =>
  !carries(pod, wanted) || isOverdue(member, pod, wanted, nowMs);

const carries = (pod: MemberPod, wanted: Order) => pod.order === JSON.stringify(wanted);

function isOverdue(member: Member, pod: MemberPod, { id }: Order, nowMs: number): boolean {
  const answer = answerOf(member);
  if (answer?.podUid !== pod.uid || answer.executedOrder === id || answer.refusedOrder?.id === id)
    return false;
  const givenAtMs = parseTimestampMs(pod.orderGivenAt ?? "");
  return givenAtMs === undefined || nowMs - givenAtMs >= REPEAT_AFTER_MS;
}
