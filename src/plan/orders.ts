import type { Order, Voter } from "../model/agent-protocol.ts";
import type { Identity } from "../model/identity.ts";
import type { Member, MemberPod } from "../model/member.ts";
import { memberHost } from "../model/names.ts";
import type { Action } from "./actions.ts";
import { intentsOf } from "./intent.ts";
import type { Snapshot } from "./snapshot.ts";

type BootstrapOrder = Extract<Order, { kind: "bootstrap" }>;

export function bootstrapOrder(snapshot: Snapshot, identity: Identity): BootstrapOrder {
  const { epoch } = identity;
  return { id: `bootstrap-${epoch}`, kind: "bootstrap", epoch, voters: votersOf(snapshot, identity) };
}

/** The full membership: every member's raft id and address. It goes into raft's log and can never change there. */
function votersOf(snapshot: Snapshot, identity: Identity): Voter[] {
  const intents = intentsOf(snapshot, identity);
  if (!intents) return [];
  const { port } = intents.current.spec.raft;
  const { name: cluster, namespace = "" } = snapshot.cluster.metadata;
  return snapshot.members.map(({ name, ordinal }) => {
    return {
      id: name,
      address: `${memberHost(cluster, namespace, ordinal, identity.clusterDomain)}:${port}`,
    };
  });
}

/** Nothing when the pod carries this order already. */
export function giveOrder(member: Member, wanted: Order): Action[] {
  const { pod } = member;
  if (!pod || pod.terminating || carries(pod, wanted)) return [];
  return [{ kind: "order", member, pod, order: wanted }];
}

const carries = (pod: MemberPod, wanted: Order) => pod.order === JSON.stringify(wanted);
