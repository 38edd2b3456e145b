import type { Order, Voter } from "../model/agent-protocol.ts";
import type { Identity } from "../model/identity.ts";
import type { Member, MemberPod } from "../model/member.ts";
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

/** Nothing when the pod carries this order already. */
export function giveOrder(member: Member, wanted: Order): Action[] {
  const { pod } = member;
  if (!pod || pod.terminating || carries(pod, wanted)) return [];
  return [{ kind: "order", member, pod, order: wanted }];
}

const carries = (pod: MemberPod, wanted: Order) => pod.order === JSON.stringify(wanted);
