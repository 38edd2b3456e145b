import type { Condition, Status } from "../api/evnodecluster.ts";
import { annotations } from "../model/annotations.ts";
import type { DrillRecord } from "../model/drill-record.ts";
import type { KubeObject } from "../model/kube-object.ts";
import { claimName, identitySecretName } from "../model/names.ts";
import type { EvNodeClusterObject } from "../model/objects.ts";
import type { SuspensionRecord } from "../model/suspension-record.ts";
import type { Action } from "./actions.ts";
import { executionClaimNames } from "./execution-claims.ts";
import type { Snapshot } from "./snapshot.ts";
import { heightBefore } from "./suspension-state.ts";

/** What is told about a cluster as a Kubernetes Event. */
export interface Notice {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

/** What the members of a cluster's audience want to know of what was done. Most writes are not news. */
export function noticeOf(action: Action, snapshot: Snapshot): Notice | undefined {
  const { cluster, members } = snapshot;
  const { name } = cluster.metadata;
  switch (action.kind) {
    case "createIdentity":
      return normal(
        "IdentityCreated",
        `Secret ${identitySecretName(name)} holds signer, node keys and genesis. Back it up: losing the signer is losing the chain.`,
      );
    case "takeChainLock":
      return normal(
        "ChainLockTaken",
        "No other cluster of this operator may run this chain with this signer.",
      );
    case "markBootstrapped":
      return normal(
        "Bootstrapped",
        `All ${members.length} members were prepared with the same membership and may start.`,
      );
    case "replace":
      return action.why === SPEC_CHANGED || action.why === NOTED
        ? undefined
        : restored(action.object, action.why);
    case "delete":
      return normal("Removed", `${action.object.kind} ${action.object.metadata.name}: ${action.why}.`);
    case "order":
      if (action.order.kind !== "rejoin") return undefined;
      return warning(
        "MemberRebuilt",
        `${action.member.name} is rebuilt from the other members, ${leaveGiven(action.member.name, cluster)}.`,
      );
    case "endApproval":
      return approvalEnd(action, members);
    case "labelPod":
      if (action.why !== LABELS_CHANGED) return undefined;
      return warning("Restored", `Pod ${action.member.name} was put back: ${action.why}.`);
    case "releaseChainLock":
      return retained(snapshot);
    case "create":
      return wasThere(cluster) ? restored(action.object, "it was missing") : undefined;
    case "endRequest":
      return normal("RequestDone", `${annotations[action.annotation]} was removed: ${action.why}.`);
    case "turnRollout":
      return rolloutNotice(action);
    case "turnDrill":
      return drillNotice(action.record);
    case "turnSuspension":
      return suspensionNotice(action.to);
    case "turnMembership":
    case "decideMembership":
      return membershipNotice(action);
    case "updatePod":
      if (!action.takesAway) return undefined;
      return normal("MemberRestarted", `${action.member.name} is restarted in its pod ${action.why}.`);
    case "removePod":
      return removalNotice(action, cluster);
    case "rehearse":
    case "endRehearsal":
    case "claimBudget":
    case "finishUpdate":
    case "addFinalizer":
    case "removeFinalizer":
    case "markClaim":
    case "moveMember":
    case "withdrawMembership":
      return undefined;
  }
}

function removalNotice(
  { member, by, why }: Extract<Action, { kind: "removePod" }>,
  { metadata }: EvNodeClusterObject,
): Notice {
  if (metadata.deletionTimestamp !== undefined) return normal("Removed", `Pod ${member.name}: ${why}.`);
  const how = by === "eviction" ? "evicted" : "deleted";
  return normal("MemberReplaced", `The pod of ${member.name} is ${how} to be made anew: ${why}.`);
}

function retained(snapshot: Snapshot): Notice {
  const { name } = snapshot.cluster.metadata;
  const blocks = snapshot.members.map(({ ordinal }) => claimName(name, ordinal));
  const claims = [...blocks, ...executionClaimNames(snapshot)].join(", ");
  return normal(
    "VolumesRetained",
    `Volume claims ${claims} and Secret ${identitySecretName(name)} are kept: apply the cluster again to go on with its chain.`,
  );
}

function rolloutNotice({ to, why }: Extract<Action, { kind: "turnRollout" }>): Notice | undefined {
  const what = to.changes.join(", ");
  if (to.kind === "rolling")
    return normal("RolloutStarted", `A change of ${what} is taken to the members, the leader last.`);
  if (to.kind === "completed") return normal("RolloutCompleted", `Every member runs the change of ${what}.`);
  if (to.isWithdrawn) return undefined;
  if (to.finishedAt !== undefined)
    return normal("RolloutReverted", `Every member runs what it ran before the change of ${what}.`);
  return warning("RolloutReverted", `The change of ${what} is taken back: ${why}.`);
}

function suspensionNotice(record: SuspensionRecord): Notice {
  if (record.kind === "resumed")
    return normal("Resumed", "The members start again, as spec.suspend is false.");
  const height = heightBefore(record);
  const at = height === undefined ? "" : ` The highest block is ${height}.`;
  return normal("Suspended", `All members are stopped in one step, as spec.suspend is true.${at}`);
}

type MembershipAction = Extract<Action, { kind: "turnMembership" | "decideMembership" }>;

function membershipNotice(action: MembershipAction): Notice | undefined {
  if (action.kind === "decideMembership")
    return normal(
      "MembershipDecided",
      `Epoch ${action.epoch} with ${action.replicas} members goes on with the chain; nothing of the one before can start any more.`,
    );
  const { to: record } = action;
  const { from, to, stoppedAt, level } = record;
  const what = `The change from ${from.replicas} to ${to.replicas} members`;
  switch (record.kind) {
    case "changing":
      if (level) return undefined;
      if (stoppedAt === undefined)
        return normal("MembershipChanging", `${what} begins, as its owner approved.`);
      return normal("ChainStopped", `${what} is due: all members stop making blocks, and level.`);
    case "changed": {
      const gap = record.gapMs === undefined ? "" : ` No block was made for ${record.gapMs} ms.`;
      return normal("MembershipChanged", `${what} is done.${gap}`);
    }
    case "takingBack":
      return warning("MembershipTakenBack", `${what} is taken back: ${record.why}.`);
    case "takenBack":
      return normal("MembershipTakenBack", `${what} was taken back: ${record.why}.`);
  }
}

function drillNotice(record: DrillRecord): Notice {
  const what = `The failover drill ${JSON.stringify(record.request)}`;
  switch (record.kind) {
    case "underWay":
      return normal("DrillStarted", `${what} begins: ${record.from} leads and steps down.`);
    case "succeeded": {
      const gap = record.gapMs === undefined ? "" : ` No block was made for ${record.gapMs} ms.`;
      return normal("DrillSucceeded", `${what} is over: ${record.message}${gap}`);
    }
    case "refused":
      return warning(
        "DrillRefused",
        `${what} is refused, and no member was touched: ${record.message}. Ask again when that is over.`,
      );
    case "failed":
      return warning("DrillFailed", `${what} failed: ${record.message}.`);
  }
}

/** A cluster whose objects had all been made before: one that is made now was taken away. */
function wasThere({ status }: EvNodeClusterObject): boolean {
  return status?.phase !== undefined && !["Pending", "Blocked", "Deleting"].includes(status.phase);
}

/** Whoever approves without need, or the wrong member, has to hear that it will not count later. */
const leaveGiven = (member: string, { metadata }: EvNodeClusterObject) =>
  metadata.annotations?.[annotations.approveRejoin] === member
    ? "as its owner approved"
    : "as spec.repair allows";

function approvalEnd(
  { member, because }: Extract<Action, { kind: "endApproval" }>,
  members: Snapshot["members"],
): Notice {
  const { approveRejoin } = annotations;
  const again = `A loss to come needs an approval of its own.`;
  if (because === "used") {
    return normal(
      "ApprovalUsed",
      `${member} was rebuilt: ${approveRejoin} was removed, as it is good for one loss. ${again}`,
    );
  }
  if (because === "nothingLost") {
    return warning(
      "ApprovalRemoved",
      `${approveRejoin} named ${member}, which has lost nothing, and was removed. ${again}`,
    );
  }
  const names = members.map(({ name }) => name).join(", ");
  return warning(
    "ApprovalRemoved",
    `${approveRejoin} named "${member}", which is no member, and was removed. Expected was the one that lost its volume, of ${names}.`,
  );
}

function restored({ kind, metadata }: KubeObject, why: string): Notice {
  return warning("Restored", `${kind} ${metadata.name} was put back: ${why}.`);
}

export const LABELS_CHANGED = "labels were changed";
/** Why an object is replaced that was as the spec wanted it before; its owner knows. */
export const SPEC_CHANGED = "the spec was changed";
/** Why one is replaced that gets a note of what was seen. */
export const NOTED = "what was seen outside is noted";

/** News in the status: another leader, a condition that turned. */
export function noticesOf(before: Status | undefined, after: Status): Notice[] {
  const leader = leaderNotice(before?.leader, after.leader);
  // While members are restarted one after another, they are not all ready; how that goes is told by itself.
  const isUpdating = before?.phase === "Updating" || after.phase === "Updating";
  const isWanted = isUpdating || after.phase === "Suspended";
  const told = (after.conditions ?? []).filter(({ type }) => !(isWanted && type === "Ready"));
  const turned = told.flatMap((condition) => {
    const earlier = before?.conditions?.find(({ type }) => type === condition.type);
    return conditionNotice(earlier, condition);
  });
  return [...leader, ...turned];
}

function leaderNotice(before: string | undefined, after: string | undefined): Notice[] {
  if (after === undefined || after === before) return [];
  const note = before === undefined ? `${after} leads.` : `${after} leads, after ${before}.`;
  return [normal("LeaderElected", note)];
}

/** Conditions whose turns a person should hear of. */
const announced = new Set(["Ready", "Stalled"]);

function conditionNotice(
  before: Condition | undefined,
  { type, status, reason, message }: Condition,
): Notice[] {
  if (!announced.has(type) || before?.reason === reason) return [];
  const isBad = type === "Ready" ? status !== "True" : status === "True";
  // The first look at a cluster and the end of a trouble are only news where they end well.
  if (!isBad && (before === undefined || type === "Stalled")) return [];
  if (type === "Ready" && isBad && before?.status !== "True") return [];
  return [isBad ? warning(reason, message) : normal(reason, message)];
}

const normal = (reason: string, note: string): Notice => ({
  type: "Normal",
  reason,
  action: "Reconcile",
  note,
});
const warning = (reason: string, note: string): Notice => ({
  type: "Warning",
  reason,
  action: "Reconcile",
  note,
});
