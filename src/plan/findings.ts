import type { Blocker, Finding } from "../api/conditions.ts";
import type { Quorum } from "../api/evnodecluster.ts";
import { majorityOf } from "../model/majority.ts";
import { answerOf, type Member } from "../model/member.ts";
import { connectionFinding } from "./connection.ts";
import { forkMessage } from "./divergence.ts";
import { executionClaimNames } from "./execution-claims.ts";
import { compareBlocks } from "./fork.ts";
import { intentsOf } from "./intent.ts";
import { stabilityFinding } from "./leadership-stability.ts";
import { messageOf, stateOf } from "./member-status.ts";
import { changeOf } from "./membership-state.ts";
import { heightOf, leadership, levelling, type Participation, participation, soleOf } from "./quorum.ts";
import { isOpen } from "./rollout-scene.ts";
import type { Snapshot } from "./snapshot.ts";
import { executionBehind } from "./standing.ts";
import { standstillOf } from "./standstill.ts";
import { actionsOf, type Plan } from "./step.ts";
import { recordOn } from "./stored-record.ts";
import { isSuspended, suspendedMessage } from "./suspension-state.ts";
import { timingFinding } from "./timing-fits.ts";
import { memberDifferences } from "./verify.ts";

export interface Findings {
  readonly list: readonly Finding[];
  readonly quorum: Quorum;
}

/** One finding for every condition. `refusals` are writes that the API refused for good. */
export function findingsOf(snapshot: Snapshot, plan: Plan, refusals: readonly string[]): Findings {
  const quorum = quorumOf(snapshot);
  const leader = leaderFinding(snapshot);
  const valid = configFinding(plan.blockers, refusals);
  const volumes = volumesFinding(snapshot, plan);
  const stalled = stalledFinding(plan.blockers, refusals);
  const chain = chainFinding(snapshot, plan.blockers);
  return {
    quorum: quorum.value,
    list: [
      readyFinding(snapshot, { quorum, stalled, leader, chain }),
      reconcilingFinding(snapshot, plan),
      stalled,
      leader,
      stabilityFinding(snapshot),
      quorum.finding,
      syncFinding(snapshot),
      valid,
      chain,
      volumes,
      rolloutFinding(snapshot, plan),
      membershipFinding(snapshot, plan),
      connectionFinding(snapshot),
      timingFinding(snapshot),
    ],
  };
}

const names = (members: readonly Member[]) => members.map(({ name }) => name).join(", ");

export const maxBlocksBehind = ({ parsed }: Snapshot) =>
  parsed.kind === "valid" ? parsed.spec.readiness.maxBlocksBehind : 30;

/** Before the first start there is no quorum to lose. */
function hasStarted({ identity, members }: Snapshot): boolean {
  return members.length > 0 && identity.kind === "present" && identity.identity.bootstrapped !== undefined;
}

/** Members go on without their StatefulSet when somebody took it away, or only its labels. */
export function isSetUp({ statefulSet, members }: Snapshot): boolean {
  return statefulSet !== undefined || members.some(({ pod }) => pod !== undefined);
}

interface QuorumView {
  readonly value: Quorum;
  readonly finding: Finding<"Quorate">;
}

function quorumOf(snapshot: Snapshot): QuorumView {
  const { members } = snapshot;
  const sole = soleOf(members);
  if (sole && hasStarted(snapshot) && !isSuspended(snapshot)) return quorumOfOne(sole, snapshot);
  const parts = members.map((member) => ({
    member,
    part: participation(member, members.length, maxBlocksBehind(snapshot)),
  }));
  const those = (part: Participation) => parts.filter((one) => one.part === part).map(({ member }) => member);
  const [taking, silent] = [those("yes"), those("unknown")];
  const majority = majorityOf(members.length);
  const count = `${taking.length} of ${members.length} members take part`;
  const missing = members.filter((member) => !taking.includes(member));
  const why = whyFailed(missing, snapshot);
  if (!hasStarted(snapshot)) return quorum("Unknown", "QuorumUnknown", "the members have not started yet");
  if (isSuspended(snapshot)) return quorum("Unknown", "QuorumUnknown", "the cluster is suspended");
  if (taking.length < majority) {
    const message = `${count}; missing are ${names(missing)}`;
    const electing = members.filter(isElecting);
    if (electing.length >= majority)
      return quorum("Unknown", "QuorumUnknown", `${names(electing)} run and know no leader yet`);
    if (taking.length + silent.length < majority) return quorum("Lost", "QuorumLost", `${message}${why}`);
    return quorum("Unknown", "QuorumUnknown", `${message}; no answer from ${names(silent)}`);
  }
  const crowded = crowdedNode(members, majority);
  if (taking.length - 1 < majority) {
    return quorum(
      "AtRisk",
      "QuorumAtRisk",
      `${count}; one more loss stops the chain. Missing are ${names(missing)}${why}`,
    );
  }
  if (crowded) return quorum("AtRisk", "QuorumAtRisk", `${count}, but a majority is on node ${crowded}`);
  return quorum("Healthy", "QuorumHealthy", count);
}

/** Of the first that fails, because the others often fail for the same reason: `status.members` has each. */
function whyFailed(members: readonly Member[], { cluster }: Snapshot): string {
  const failed = members.find((member) => stateOf(member) === "Failed");
  if (!failed) return "";
  const message = messageOf(failed, cluster.status);
  return message === undefined ? "" : `. ${failed.name}: ${message.replace(/\.$/, "")}`;
}

/** What its owner did not ask for is not at risk, so a single sequencer that runs is healthy. */
function quorumOfOne(member: Member, snapshot: Snapshot): QuorumView {
  const { name } = member;
  const part = participation(member, 1, maxBlocksBehind(snapshot));
  if (part === "yes") return quorum("Healthy", "QuorumHealthy", `${name}, the only member, runs`);
  const node = answerOf(member)?.node;
  if (part === "unknown")
    return quorum("Unknown", "QuorumUnknown", `no answer from ${name}, the only member`);
  if (member.pod?.evnode.kind === "running" && node?.kind === "closed" && node.metricsPortOpen)
    return quorum("Unknown", "QuorumUnknown", `${name}, the only member, runs, and its API is closed`);
  return quorum("Lost", "QuorumLost", `${name}, the only member, does not run`);
}

/** Its ev-node runs in Raft and knows no leader: for a moment that is every member in every election. */
function isElecting(member: Member): boolean {
  const { node, mode } = answerOf(member) ?? {};
  return node?.kind === "closed" && node.raftPortOpen && mode?.kind === "raft";
}

function quorum(value: Quorum, reason: Finding<"Quorate">["reason"], message: string): QuorumView {
  return { value, finding: { type: "Quorate", reason, message: `${message}.` } };
}

/** The node whose loss would take a majority with it. */
function crowdedNode(members: readonly Member[], majority: number): string | undefined {
  const nodes = members.flatMap(({ pod }) => (pod?.node === undefined ? [] : [pod.node]));
  return nodes.find((node) => nodes.filter((other) => other === node).length >= majority);
}

function leaderFinding(snapshot: Snapshot): Finding<"LeaderElected"> {
  const { members } = snapshot;
  const known = leadership(members);
  const finding = (reason: Finding<"LeaderElected">["reason"], message: string) => {
    return { type: "LeaderElected", reason, message } as const;
  };
  if (known.kind === "one") return finding("LeaderElected", `${known.leader.name} leads.`);
  if (known.kind === "several")
    return finding("MoreThanOneLeader", `${names(known.leaders)} say that they lead.`);
  if (isSuspended(snapshot)) return finding("Suspended", suspendedMessage(snapshot));
  const level = levelling(members);
  // Before the first start they follow a chain from outside, which is no levelling.
  if (level.length > 0 && hasStarted(snapshot)) return finding("Levelling", levelMessage(level));
  const silent = members.filter((member) => member.pod && !tellsItsRole(member));
  const sole = soleOf(members);
  if (silent.length === 0 && sole) return finding("WaitingForLeader", `${sole.name} makes no blocks.`);
  if (silent.length === 0) return finding("WaitingForLeader", `No member leads. ${electorate(members)}`);
  return finding("LeaderUnknown", `No member says that it leads; no answer from ${names(silent)}.`);
}

/** Who could elect a leader, and how many have to. */
function electorate(members: readonly Member[]): string {
  const up = members.filter((member) => {
    const { node, mode } = answerOf(member) ?? {};
    return mode?.kind !== "level" && (node?.kind === "open" || node?.raftPortOpen === true);
  });
  const down = members.filter((member) => !up.includes(member));
  const missing = down.length === 0 ? "" : `; missing are ${names(down)}`;
  return `${up.length} of ${members.length} members run in Raft, ${majorityOf(members.length)} are needed${missing}.`;
}

/** Heights of a chain that stands still, so they change little. */
function levelMessage(members: readonly Member[]): string {
  const each = members.map((member) => {
    const mode = answerOf(member)?.mode;
    const logged = mode?.kind === "level" ? mode.loggedHeight : undefined;
    return `${member.name} holds block ${heightOf(member) ?? "?"}, its Raft log has ${logged ?? "?"}`;
  });
  return `Members level their blocks before one may lead: ${each.join("; ")}.`;
}

/** A member whose API is closed does not lead; one that answers without saying so may, unless it has no role in Raft. */
function tellsItsRole(member: Member): boolean {
  const { node, mode } = answerOf(member) ?? {};
  const hasNone = mode?.kind === "single" || mode?.kind === "level";
  return node?.kind === "closed" || node?.isLeader !== undefined || hasNone;
}

function syncFinding(snapshot: Snapshot): Finding<"InSync"> {
  const { members } = snapshot;
  const standstill = standstillOf(snapshot);
  if (standstill) return { type: "InSync", reason: "NoProgress", message: standstill };
  const unknown = members.filter((member) => heightOf(member) === undefined);
  if (unknown.length > 0) {
    return { type: "InSync", reason: "HeightsUnknown", message: `No height is known of ${names(unknown)}.` };
  }
  const behind = members.filter(
    (member) => participation(member, members.length, maxBlocksBehind(snapshot)) !== "yes",
  );
  const lagging = members.filter((member) => (executionBehind(member) ?? 0) > maxBlocksBehind(snapshot));
  if (behind.length === 0 && lagging.length > 0)
    return {
      type: "InSync",
      reason: "MembersBehind",
      message: `The execution layer of ${names(lagging)} is behind the member's own blocks.`,
    };
  if (behind.length === 0)
    return { type: "InSync", reason: "MembersInSync", message: "Every member follows the chain." };
  return {
    type: "InSync",
    reason: "MembersBehind",
    message: `${names(behind)} are behind or do not reach a majority.`,
  };
}

function configFinding(blockers: readonly Blocker[], refusals: readonly string[]): Finding<"ConfigValid"> {
  const problems = blockers.filter((blocker) => blocker.type === "ConfigValid");
  const [first] = problems;
  if (first) return { ...first, message: problems.map(({ message }) => message).join(" ") };
  if (refusals.length > 0)
    return { type: "ConfigValid", reason: "ApplyRefused", message: refusals.join(" ") };
  return {
    type: "ConfigValid",
    reason: "ConfigAccepted",
    message: "The spec and everything it refers to is accepted.",
  };
}

function volumesFinding(snapshot: Snapshot, { blockers, rebuilding }: Plan): Finding<"VolumesReady"> {
  const problems = blockers.filter((blocker) => blocker.type === "VolumesReady");
  const [first] = problems;
  if (first) return { ...first, message: problems.map(({ message }) => message).join(" ") };
  if (rebuilding !== undefined)
    return { type: "VolumesReady", reason: "MemberRebuilding", message: rebuilding };
  const unbound = [
    ...snapshot.members.filter(({ claim }) => claim?.phase !== "Bound").map(({ claimName }) => claimName),
    ...executionClaimNames(snapshot, ({ phase }) => phase !== "Bound"),
  ];
  if (unbound.length === 0)
    return { type: "VolumesReady", reason: "VolumesIntact", message: "Every member has its volume." };
  const message = `Waiting for the volumes of ${unbound.join(", ")}.`;
  return { type: "VolumesReady", reason: "VolumesBinding", message };
}

function stalledFinding(blockers: readonly Blocker[], refusals: readonly string[]): Finding<"Stalled"> {
  const [first] = blockers;
  if (first) return { type: "Stalled", reason: first.reason, message: first.message };
  if (refusals.length > 0) return { type: "Stalled", reason: "ApplyRefused", message: refusals.join(" ") };
  return { type: "Stalled", reason: "NotStalled", message: "Nothing needs a person." };
}

/** The operator is at work, or waits for what it did. */
const rolling = new Set(["Rehearsing", "RollingOut", "RolloutWaiting"]);

function reconcilingFinding(snapshot: Snapshot, plan: Plan): Finding<"Reconciling"> {
  const { cluster, identity, members } = snapshot;
  const finding = (reason: Finding<"Reconciling">["reason"], message: string) => {
    return { type: "Reconciling", reason, message } as const;
  };
  if (cluster.metadata.deletionTimestamp !== undefined)
    return finding("Deleting", "Members are being stopped.");
  const bootstrapped = identity.kind === "present" && identity.identity.bootstrapped !== undefined;
  if (!bootstrapped || !isSetUp(snapshot))
    return finding(
      "Bootstrapping",
      plan.membership?.message ?? "The cluster is starting for the first time.",
    );
  if (plan.rollout?.progress && rolling.has(plan.rollout.reason))
    return finding("RollingOut", plan.rollout.message);
  const writes = actionsOf(plan).filter(({ kind }) => kind !== "labelPod" && kind !== "endApproval");
  if (writes.length > 0) return finding("Converging", "Objects of the cluster are being written.");
  if (isSuspended(snapshot)) {
    const isStopping = members.some(({ pod }) => pod);
    return finding(isStopping ? "Converging" : "Converged", suspendedMessage(snapshot));
  }
  const onTheWay = members.filter((member) => stateOf(member) !== "Running" || !member.pod?.ready);
  if (onTheWay.length > 0) return finding("Converging", `Waiting for ${names(onTheWay)}.`);
  return finding("Converged", "Everything is as the spec wants it.");
}

/** What Ready rests on. */
interface ReadyGrounds {
  readonly quorum: QuorumView;
  readonly stalled: Finding<"Stalled">;
  readonly leader: Finding<"LeaderElected">;
  readonly chain: Finding<"ChainSafe">;
}

function readyFinding(
  snapshot: Snapshot,
  { quorum: { value, finding }, stalled, leader, chain }: ReadyGrounds,
): Finding<"Ready"> {
  const { cluster, identity, members } = snapshot;
  const ready = (reason: Finding<"Ready">["reason"], message: string) =>
    ({ type: "Ready", reason, message }) as const;
  if (cluster.metadata.deletionTimestamp !== undefined)
    return ready("Deleting", "The cluster is being deleted.");
  if (!isSetUp(snapshot) && stalled.reason !== "NotStalled") return ready("Blocked", stalled.message);
  const started = identity.kind === "present" && identity.identity.bootstrapped !== undefined;
  if (!started || !isSetUp(snapshot))
    return ready("Bootstrapping", "The cluster is starting for the first time.");
  if (chain.reason === "HashesDiffer" || chain.reason === "IdentityDiffers")
    return ready(chain.reason, chain.message);
  if (isSuspended(snapshot)) return ready("Suspended", suspendedMessage(snapshot));
  if (leader.reason === "Levelling") return ready("Levelling", leader.message);
  if (value === "Lost") return ready("QuorumLost", finding.message);
  if (value === "Unknown")
    return leader.reason === "WaitingForLeader"
      ? ready("WaitingForLeader", leader.message)
      : ready("QuorumUnknown", finding.message);
  const known = leadership(members);
  if (known.kind !== "one") return ready("WaitingForLeader", leader.message);
  const unready = members.filter(({ pod }) => !pod?.ready);
  if (unready.length > 0) return ready("MembersNotReady", `Not ready: ${names(unready)}.`);
  const differences = memberDifferences(snapshot);
  if (differences !== undefined) return ready("MemberDiffers", differences);
  const others = soleOf(members) ? "as the only member" : "and every member follows";
  return ready("AllMembersReady", `${known.leader.name} leads ${others}.`);
}

/** Says no more than what was compared: which heights that was changes all the time, so it is not told. */
function chainFinding(snapshot: Snapshot, blockers: readonly Blocker[]): Finding<"ChainSafe"> {
  const fork = forkMessage(snapshot);
  const finding = (reason: Finding<"ChainSafe">["reason"], message: string) => {
    return { type: "ChainSafe", reason, message } as const;
  };
  if (fork !== undefined) return finding("HashesDiffer", fork);
  const other = blockers.find(({ reason }) => reason === "IdentityDiffers");
  if (other) return finding("IdentityDiffers", other.message);
  if (soleOf(snapshot.members))
    return finding("NoForkSeen", "A single member has no other to hold another block.");
  if (compareBlocks(snapshot).kind === "nothing")
    return finding("HeightsUnknown", "No two members have told a block of one height.");
  return finding("NoForkSeen", "Members that were compared at one height held the same block.");
}

function membershipFinding(snapshot: Snapshot, { membership }: Plan): Finding<"MembershipComplete"> {
  const finding = (reason: Finding<"MembershipComplete">["reason"], message: string) => {
    return { type: "MembershipComplete", reason, message } as const;
  };
  if (membership) return finding(membership.reason, membership.message);
  const { members, parsed } = snapshot;
  if (!hasStarted(snapshot)) return finding("Bootstrapping", "The members have not started yet.");
  const wanted = parsed.kind === "valid" ? parsed.spec.replicas : members.length;
  if (wanted === members.length && !changeOf(snapshot))
    return finding("MembershipAsAsked", `The cluster has ${members.length} members, as the spec asks for.`);
  // A decider before stopped the list.
  return finding("MembershipWaiting", `A change from ${members.length} to ${wanted} members waits.`);
}

function rolloutFinding(snapshot: Snapshot, { rollout }: Plan): Finding<"RolloutComplete"> {
  const { identity, statefulSet } = snapshot;
  const finding = (reason: Finding<"RolloutComplete">["reason"], message: string) => {
    return { type: "RolloutComplete", reason, message } as const;
  };
  if (rollout) return finding(rollout.reason, rollout.message);
  if (identity.kind !== "present" || !statefulSet)
    return finding("Bootstrapping", "No member has started yet.");
  const intents = intentsOf(snapshot, identity.identity);
  if (!intents)
    return finding("IntentUnreadable", "The StatefulSet does not tell what its pods are made from.");
  // A decider before the rollout's stopped the list: something else is wrong, or the cluster is deleted.
  const record = recordOn(statefulSet);
  const changes = intents.wish?.changes ?? (record && isOpen(record) ? record.changes : []);
  return changes.length > 0
    ? finding("RolloutWaiting", `Not taken to all members yet: ${changes.join(", ")}.`)
    : finding("UpToDate", "Every member runs the spec.");
}
