import type { Condition, EvNodeCluster } from "../api/evnodecluster.ts";
import { annotations } from "../model/annotations.ts";
import { clustersName } from "./called.ts";
import { conditionOf, isKnown, isLookedAt } from "./health.ts";
import { isWell } from "./status-tree.ts";

/**
 * What one of the operator's rules has come to:
 * - `passed`: nothing speaks against going on.
 * - `atWork`: it is being done.
 * - `waits`: it waits for something that comes by itself.
 * - `asksYou`: nothing but a person gets it on.
 * - `unknown`: nobody can say.
 */
export type Verdict = "passed" | "atWork" | "waits" | "asksYou" | "unknown";

export interface Rule {
  /** The decider in ARCHITECTURE.md, or what it looks at. */
  readonly rule: string;
  readonly verdict: Verdict;
  readonly says: string;
  /** A command or a page. */
  readonly next?: string;
}

export interface Why {
  readonly cluster: string;
  readonly verdict: Verdict;
  readonly says: string;
  readonly rules: readonly Rule[];
}

/**
 * What the operator would do now and what it waits for, in the order in which it decides. All of it is the operator's
 * own account in the status, and the requests that stand on the object: nothing is guessed.
 */
export function whyOf(cluster: EvNodeCluster): Why {
  const { namespace = "default", name } = cluster.metadata;
  const rules = [
    lookRule(cluster),
    ...deletionRules(cluster),
    conditionRule(cluster, "guard: spec", "ConfigValid", "asksYou"),
    conditionRule(cluster, "guard: chain", "ChainSafe", "asksYou"),
    membershipRule(cluster),
    volumesRule(cluster),
    conditionRule(cluster, "paths", "Connected", "waits"),
    conditionRule(cluster, "leader", "LeaderElected", "waits"),
    conditionRule(cluster, "quorum", "Quorate", "waits"),
    conditionRule(cluster, "in sync", "InSync", "waits"),
    rolloutRule(cluster),
    drillRule(cluster),
    ...requestRules(cluster),
  ];
  return { cluster: `${namespace}/${name}`, ...sumOf(cluster, rules), rules };
}

function lookRule(cluster: EvNodeCluster): Rule {
  const { metadata, status } = cluster;
  const rule = "look";
  if (!isKnown(cluster)) {
    const next =
      "Does it run? kubectl get deployments --all-namespaces --selector app.kubernetes.io/name=evnode-operator";
    return { rule, verdict: "unknown", says: "No operator has looked at this cluster yet.", next };
  }
  if (isLookedAt(cluster))
    return { rule, verdict: "passed", says: "The operator has looked at the spec as it is." };
  const says = `The spec is of generation ${metadata.generation}, and the operator has looked at ${status?.observedGeneration}: what follows is about that.`;
  return { rule, verdict: "unknown", says };
}

function deletionRules({ metadata }: EvNodeCluster): readonly Rule[] {
  if (metadata.deletionTimestamp === undefined) return [];
  const says = "It is being deleted: the pods stop together; volumes and identity stay.";
  return [{ rule: "deletion", verdict: "atWork", says }];
}

/** A condition that holds lets the rule pass; `whenFalse` is what its being false means. */
function conditionRule(cluster: EvNodeCluster, rule: string, type: string, whenFalse: Verdict): Rule {
  const condition = conditionOf(cluster, type);
  if (condition === undefined) return { rule, verdict: "unknown", says: `Condition ${type} is not told.` };
  const { message } = condition;
  if (isWell(condition)) return { rule, verdict: "passed", says: message };
  const verdict = condition.status === "Unknown" ? "unknown" : whenFalse;
  return { rule, verdict, says: message, next: pageOf(condition) };
}

function volumesRule(cluster: EvNodeCluster): Rule {
  const condition = conditionOf(cluster, "VolumesReady");
  const waits = condition?.reason === "VolumesBinding" || condition?.reason === "MemberRebuilding";
  const found = conditionRule(cluster, "bootstrap and repair", "VolumesReady", waits ? "waits" : "asksYou");
  const [member] = approvableIn(cluster, "VolumesReady");
  if (member === undefined) return found;
  return { ...found, next: `kubectl evnode approve ${clustersName(cluster)} --member ${member}` };
}

/** The members that an approval would have rebuilt, by the operator's own words: lost ones, and one that forked. */
export const approvableMembers = (cluster: EvNodeCluster): readonly string[] => [
  ...new Set([...approvableIn(cluster, "VolumesReady"), ...approvableIn(cluster, "ChainSafe")]),
];

function approvableIn(cluster: EvNodeCluster, type: "VolumesReady" | "ChainSafe"): readonly string[] {
  const { status, message = "" } = conditionOf(cluster, type) ?? {};
  if (status !== "False") return [];
  const found = message.matchAll(new RegExp(`${annotations.approveRejoin}=([a-z0-9-]+)`, "g"));
  return [...new Set([...found].map(([, member = ""]) => member))];
}

const membershipVerdicts: Readonly<Record<string, Verdict>> = {
  MembershipAsAsked: "passed",
  MembershipAwaitsApproval: "asksYou",
  MembershipWaiting: "waits",
  MembersJoining: "atWork",
  MembersChanging: "atWork",
  MembershipTakenBack: "asksYou",
  Migrating: "waits",
  MigrationHeld: "asksYou",
  OldSequencerAnswers: "asksYou",
  Bootstrapping: "waits",
};

/** A migration waits for its members, and in the end for its owner, who alone can stop the old sequencer. */
function membershipRule(cluster: EvNodeCluster): Rule {
  const { reason = "", message = "" } = conditionOf(cluster, "MembershipComplete") ?? {};
  const asksToStop = reason === "Migrating" && message.includes("set spec.migration.oldSequencer to Stopped");
  const verdict = asksToStop ? "asksYou" : (membershipVerdicts[reason] ?? "unknown");
  const found = conditionRule(cluster, "membership", "MembershipComplete", verdict);
  const { replicas } = cluster.spec;
  if (reason !== "MembershipAwaitsApproval" || replicas === undefined) return found;
  return { ...found, next: `kubectl evnode resize ${clustersName(cluster)} --replicas ${replicas}` };
}

const rolloutVerdicts: Readonly<Record<string, Verdict>> = {
  UpToDate: "passed",
  Rehearsing: "atWork",
  RollingOut: "atWork",
  RolloutWaiting: "waits",
  Bootstrapping: "waits",
  PlanAwaitsApproval: "asksYou",
  RolloutPaused: "asksYou",
  RehearsalFailed: "asksYou",
  RolloutStalled: "asksYou",
  RolloutReverted: "asksYou",
  IntentUnreadable: "asksYou",
};

function rolloutRule(cluster: EvNodeCluster): Rule {
  const condition = conditionOf(cluster, "RolloutComplete");
  if (condition === undefined)
    return { rule: "rollout", verdict: "unknown", says: "Condition RolloutComplete is not told." };
  const { reason, message } = condition;
  const verdict = rolloutVerdicts[reason] ?? "unknown";
  const found = { rule: "rollout", verdict, says: message };
  if (verdict === "passed") return found;
  if (reason === "PlanAwaitsApproval")
    return {
      ...found,
      says: `${message} The plan: kubectl evnode plan ${clustersName(cluster)}`,
      next: approval(cluster),
    };
  return { ...found, next: pageOf(condition) };
}

function approval(cluster: EvNodeCluster): string {
  const hash = cluster.status?.rollout?.planHash;
  return `kubectl evnode approve ${clustersName(cluster)}${hash === undefined ? "" : ` --plan ${hash}`}`;
}

function drillRule({ metadata, status }: EvNodeCluster): Rule {
  const rule = "drill";
  const asked = metadata.annotations?.[annotations.drill];
  const { result, from, request } = status?.lastDrill ?? {};
  if (result === "UnderWay")
    return { rule, verdict: "atWork", says: `${from} steps down for drill ${request}.` };
  if (asked !== undefined)
    return {
      rule,
      verdict: "waits",
      says: `Drill ${asked} is asked for: it begins in a moment, or is refused.`,
    };
  return { rule, verdict: "passed", says: "No drill is asked for." };
}

/** Requests that stand on the object. Those that were carried out, the operator takes away. */
function requestRules({ metadata }: EvNodeCluster): readonly Rule[] {
  const notes = metadata.annotations ?? {};
  const texts = {
    [annotations.restartMember]: "is asked to be restarted once",
    [annotations.approveRejoin]: "is approved to be rebuilt, when it is lost and all others take part",
    [annotations.approveRollout]: "is the hash of the plan that is approved",
  };
  return Object.entries(texts).flatMap(([key, text]): Rule[] => {
    const value = notes[key];
    return value === undefined ? [] : [{ rule: "request", verdict: "waits", says: `${value} ${text}.` }];
  });
}

function sumOf(cluster: EvNodeCluster, rules: readonly Rule[]): Pick<Why, "verdict" | "says"> {
  const look = rules.find(({ rule, verdict }) => rule === "look" && verdict === "unknown");
  const [ready, stalled, reconciling] = ["Ready", "Stalled", "Reconciling"].map((type) =>
    conditionOf(cluster, type),
  );
  if (stalled?.status === "True") return { verdict: "asksYou", says: stalled.message };
  if (look) return { verdict: "unknown", says: look.says };
  const asks = rules.find(({ verdict }) => verdict === "asksYou");
  if (asks) return { verdict: "asksYou", says: asks.says };
  if (reconciling?.status === "True") return { verdict: "atWork", says: reconciling.message };
  const busy = rules.find(({ verdict }) => verdict === "atWork" || verdict === "waits");
  if (busy) return { verdict: busy.verdict, says: busy.says };
  if (ready?.status === "True") return { verdict: "passed", says: "There is nothing to do." };
  return {
    verdict: ready?.status === "False" ? "waits" : "unknown",
    says: ready?.message ?? "Ready is not told.",
  };
}

const pageOf = ({ reason }: Condition) => `docs/runbook.md#${reason.toLowerCase()}`;
