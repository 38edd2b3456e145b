import { type Order, orderSchema } from "../model/agent-protocol.ts";
import { annotations } from "../model/annotations.ts";
import { type Identity, isBootstrapped } from "../model/identity.ts";
import { readJson } from "../model/json.ts";
import { majorityOf } from "../model/majority.ts";
import { answerOf, type Member } from "../model/member.ts";
import type { Action } from "./actions.ts";
import { budgetFor } from "./budget.ts";
import { compareBlocks, differenceOf, sidesOf } from "./fork.ts";
import { intentsOf } from "./intent.ts";
import { approvedMember } from "./leave.ts";
import { changeOf } from "./membership-state.ts";
import { giveOrder, REPEAT_AFTER_MS, rejoinOrderId, votersOf } from "./orders.ts";
import { ownVolume } from "./own-volume.ts";
import { leadership } from "./quorum.ts";
import { rejoinObstacle } from "./rejoin-obstacle.ts";
import type { Snapshot } from "./snapshot.ts";
import { type Decider, NOTHING, type Step } from "./step.ts";
import { identityBlockers } from "./verify.ts";

/** What can be done about members that hold different blocks. */
type Divergence =
  /** Nothing is known of it but what the comparison says. */
  | { readonly kind: "unknown" }
  /** More is wrong than one member can explain, and why. */
  | { readonly kind: "unclear"; readonly why: string }
  | { readonly kind: "single"; readonly member: Member };

/**
 * While a chain has forked nothing is touched, with one exception: a single member that holds another block than a
 * majority of all members is rebuilt from these, when its owner asks for it. Its blocks are kept beside the new ones.
 *
 * | seen | then |
 * | --- | --- |
 * | members were not asked for their blocks | nothing |
 * | not one member against a majority that holds one block, or the one leads | refused: `divergenceRemedy` says why |
 * | one, and its owner did not name it | nothing |
 * | one, named, and something speaks against it now | wait |
 * | one, named | claim the disruption budget, look again, and order `rejoin` with the blocks set aside |
 * | the order stands on its pod, and was carried out | take the approval away: it was good for this once |
 *
 * The guard, which comes next, ends the list of deciders.
 */
export const divergence: Decider = (snapshot) => {
  const { identity: view, chainLock, cluster, isCertain } = snapshot;
  if (cluster.metadata.deletionTimestamp !== undefined) return NOTHING;
  if (view.kind !== "present" || chainLock.kind !== "ours" || !isBootstrapped(view.identity)) return NOTHING;
  const found = divergenceOf(snapshot);
  if (found.kind !== "single" || approvedMember(snapshot) !== found.member.name) return NOTHING;
  const { member } = found;
  if (rebuildOf(member) === "done") {
    const end: Action = { kind: "endApproval", member: member.name, because: "used" };
    return isCertain ? { stages: [[end]] } : { needsCertainty: true };
  }
  if (obstacleTo(member, snapshot, view.identity) !== undefined) return { recheckAfterMs: REPEAT_AFTER_MS };
  return isCertain ? rebuild(member, snapshot, view.identity) : { needsCertainty: true };
};

function rebuild(member: Member, snapshot: Snapshot, identity: Identity): Step {
  const voters = votersOf(snapshot, identity);
  if (!voters || !member.pod) return NOTHING;
  const { epoch } = identity;
  const id = rejoinOrderId(member, member.pod);
  const order: Order = { id, kind: "rejoin", epoch, voters, anew: "all", forked: true };
  const orders = giveOrder(member, order, snapshot.nowMs);
  const budget = budgetFor(member, snapshot, (name) => name !== member.name);
  if (orders.length > 0 && budget.kind === "claim") return { stages: [[budget.action]], recheckAfterMs: 0 };
  return { stages: orders.length === 0 ? [] : [orders], recheckAfterMs: REPEAT_AFTER_MS };
}

function divergenceOf({ members, parting }: Snapshot): Divergence {
  if (parting?.kind !== "asked") return { kind: "unknown" };
  const sides = sidesOf(parting.blocks);
  const [most, one] = sides;
  const member = members.find(({ name }) => name === one?.names[0]);
  if (!most || !one || !member) return { kind: "unknown" };
  if (sides.length > 2 || one.names.length > 1)
    return { kind: "unclear", why: "more than one member would have to be wrong" };
  if (most.names.length < majorityOf(members.length))
    return { kind: "unclear", why: "no majority is known to hold one block there" };
  if (differenceOf({ members: members.filter((other) => other !== member) }))
    return { kind: "unclear", why: "the others differ at another height" };
  const known = leadership(members);
  if (known.kind === "one" && known.leader === member)
    return {
      kind: "unclear",
      why: `${member.name} holds another block than a majority, and leads it: more is wrong than one member can explain`,
    };
  return { kind: "single", member };
}

/** How far the rebuild is that stands on its pod as an order. */
function rebuildOf(member: Member): "none" | "underWay" | "done" {
  const order = readJson(orderSchema, member.pod?.order);
  if (order?.kind !== "rejoin" || !order.forked) return "none";
  return answerOf(member)?.executedOrder === order.id ? "done" : "underWay";
}

/** What speaks against it now, though it was asked for. */
function obstacleTo(member: Member, snapshot: Snapshot, identity: Identity): string | undefined {
  const { name, pod, claim } = member;
  const volume = ownVolume(member, identity);
  if (!pod || pod.terminating || !volume || volume.kind === "unchecked")
    return `the agent of ${name} has not told what is on its volume`;
  if (changeOf(snapshot) || (volume.kind === "intact" && volume.change !== undefined))
    return "the number of members is being changed";
  if (volume.kind === "empty" || volume.kind === "foreign" || claim?.started !== identity.epoch)
    return `the volume of ${name} is not the one that it was started on`;
  if (intentsOf(snapshot, identity)?.current.spec.app.kind === "evm")
    return `the execution client of ${name} has executed the other blocks, and is not rebuilt with it`;
  const [other] = identityBlockers(snapshot);
  if (other) return other.message;
  const others = snapshot.members.filter((one) => one !== member);
  const obstacle = rejoinObstacle(others, snapshot, identity);
  if (obstacle !== undefined) return obstacle;
  const budget = budgetFor(member, snapshot, (one) => one !== name);
  return budget.kind === "wait" ? budget.why : undefined;
}

/** What its owner can do about the fork. */
function divergenceRemedy(snapshot: Snapshot): string {
  const found = divergenceOf(snapshot);
  if (found.kind === "unknown" || snapshot.identity.kind !== "present") return "";
  if (found.kind === "unclear") return ` Nothing is rebuilt: ${found.why}.`;
  const { member } = found;
  const { name } = member;
  if (rebuildOf(member) === "done")
    return ` ${name} was rebuilt from the others, and has to tell the block that it holds there now.`;
  if (rebuildOf(member) === "underWay") return ` ${name} is rebuilt from the others.`;
  const obstacle = obstacleTo(member, snapshot, snapshot.identity.identity);
  if (approvedMember(snapshot) === name) {
    const waits = obstacle === undefined ? "" : `, and waits: ${obstacle}`;
    return ` ${name} is approved to be rebuilt from the others${waits}.`;
  }
  const { name: cluster, namespace = "default" } = snapshot.cluster.metadata;
  return ` ${name} alone differs from a majority. To rebuild it from the others, with its blocks kept on its volume: kubectl annotate --overwrite -n ${namespace} evnodeclusters/${cluster} ${annotations.approveRejoin}=${name}`;
}

/** The fork with all that is known of it, in words; undefined while none was seen. */
export function forkMessage(snapshot: Snapshot): string | undefined {
  const comparison = compareBlocks(snapshot);
  return comparison.kind === "forked" ? `${comparison.message}${divergenceRemedy(snapshot)}` : undefined;
}
