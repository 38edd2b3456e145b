import { labels } from "../src/model/annotations.ts";
import type { Action } from "../src/plan/actions.ts";

/** An action in short, such as `order seq-1 start` or `replace Service seq-rpc`. */
export function briefAction(action: Action): string {
  switch (action.kind) {
    case "create":
    case "replace":
    case "delete":
      return `${action.kind} ${action.object.kind} ${action.object.metadata.name}`;
    case "order":
      return `order ${action.member.name} ${action.order.kind}`;
    case "labelPod":
      return `label ${action.member.name} ${briefLabels(action.labels)}`;
    case "markClaim":
      return `mark ${action.member.claimName}`;
    case "endApproval":
      return `end approval of ${action.member}: ${action.because}`;
    case "takeChainLock":
      return action.takeOver ? "take over the chain lock" : "take the chain lock";
    case "endRequest":
      return `end ${action.annotation}: ${action.why}`;
    case "turnRollout":
      return `turn to ${action.to.kind}${"finishedAt" in action.to && action.to.finishedAt ? ", finished" : ""}`;
    case "turnDrill":
      return `drill ${action.record.kind}${"message" in action.record ? `: ${action.record.message}` : ""}`;
    case "turnSuspension":
      return `suspension: ${action.to.kind}, ${action.statefulSet.spec?.replicas} replicas`;
    case "turnMembership":
      return `membership: ${action.to.kind}, ${action.statefulSet.spec?.replicas} replicas`;
    case "decideMembership":
      return `epoch ${action.epoch} with ${action.replicas} members`;
    case "withdrawMembership":
      return `withdraw what began at ${action.startedAt}`;
    case "moveMember":
      return `move ${action.member.name} with order ${action.order.kind}`;
    case "updatePod":
      return `${action.takesAway ? "restart" : "write"} ${action.member.name}`;
    case "finishUpdate":
      return `finish ${action.member.name}`;
    case "removePod":
      return `${action.by} of ${action.member.name}`;
    case "claimBudget":
      return `budget for ${Object.keys(action.budget.status?.disruptedPods ?? {}).join(", ") || "nobody"}`;
    case "rehearse":
    case "endRehearsal":
      return `${action.kind} on ${action.pod.spec?.nodeName ?? "?"}`;
    case "addFinalizer":
    case "removeFinalizer":
    case "createIdentity":
    case "releaseChainLock":
    case "markBootstrapped":
      return action.kind;
  }
}

function briefLabels(changed: Readonly<Record<string, string | null>>): string {
  const role = changed[labels.role];
  if (role !== undefined) return role ?? "without role";
  return Object.keys(changed).join(" ");
}
