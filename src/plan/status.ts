import { isDeepStrictEqual } from "node:util";
import { statusOf as conditionStatus, type Finding } from "../api/conditions.ts";
import type { Condition, EvNodeCluster, MemberStatus, Phase, Status } from "../api/evnodecluster.ts";
import { absenceCoveredMs } from "../api/log-retention.ts";
import { parseTimestampMs } from "../evnode/timestamp.ts";
import { formatDuration } from "../model/duration.ts";
import { identitySecretName } from "../model/names.ts";
import { inDurations, timingOf } from "../resources/timing.ts";
import { drillStatus } from "./drill-state.ts";
import { executionClaimNames } from "./execution-claims.ts";
import { type Findings, findingsOf, isSetUp } from "./findings.ts";
import { intentsOf } from "./intent.ts";
import { leaderChanges } from "./leadership-stability.ts";
import { memberStatus } from "./member-status.ts";
import { membershipStatus } from "./membership-status.ts";
import { type Network, networkOf } from "./network.ts";
import { bestHeight, heightOf, leadership, soleOf } from "./quorum.ts";
import { repairsOf } from "./repairs-status.ts";
import { rolloutStatus } from "./rollout-status.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Plan } from "./step.ts";
import { isSuspended, suspensionStatus } from "./suspension-state.ts";

/** What a person and a program are told about a cluster, from what was seen, decided and refused. */
export function statusOf(snapshot: Snapshot, plan: Plan, refusals: readonly string[]): Status {
  const { cluster, members, identity } = snapshot;
  const findings = findingsOf(snapshot, plan, refusals);
  // Known once, it stays known while nobody tells it: that the chain has begun is what much rests on.
  const best = bestHeight(members) ?? cluster.status?.height;
  const changes = leaderChanges(snapshot);
  const intents = identity.kind === "present" ? intentsOf(snapshot, identity.identity) : undefined;
  const spec = intents?.current.spec;
  const network = networkOf(snapshot);
  return {
    ...(cluster.metadata.generation === undefined ? {} : { observedGeneration: cluster.metadata.generation }),
    phase: phaseOf(snapshot, findings),
    ...leaderOf(members, cluster.status),
    ...(best === undefined ? {} : { height: best }),
    ...(changes === undefined ? {} : { leaderChangesLastHour: changes }),
    readyMembers: `${members.filter(({ pod }) => pod?.ready).length}/${members.length}`,
    replicas: members.length,
    quorum: findings.quorum,
    ...(identity.kind === "present"
      ? { chainId: identity.identity.chainId, proposerAddress: identity.identity.proposer }
      : {}),
    ...(spec ? { image: spec.image, effective: effectiveOf(spec) } : {}),
    members: members.map((member) => memberStatus(member, cluster.status)),
    ...(network ? { network } : {}),
    ...rolloutStatus(snapshot, plan),
    ...repairsOf(snapshot),
    ...membershipStatus(snapshot),
    ...suspensionStatus(snapshot),
    ...drillStatus(snapshot),
    retained: {
      claims: [
        ...members.filter(({ claim }) => claim).map(({ claimName }) => claimName),
        ...executionClaimNames(snapshot),
      ],
      ...(identity.kind === "present" ? { identity: identitySecretName(cluster.metadata.name) } : {}),
    },
    conditions: findings.list.map((finding) => conditionOf(finding, snapshot)),
  };
}

function leaderOf(
  members: Snapshot["members"],
  before: Status | undefined,
): Pick<Status, "leader" | "lastLeader"> {
  const known = leadership(members);
  if (known.kind === "one") return { leader: known.leader.name, lastLeader: known.leader.name };
  return before?.lastLeader === undefined ? {} : { lastLeader: before.lastLeader };
}

type Spec = NonNullable<ReturnType<typeof intentsOf>>["current"]["spec"];

function effectiveOf(spec: Spec): NonNullable<Status["effective"]> {
  return {
    defaultsVersion: spec.defaultsVersion,
    // Of a single sequencer nothing of it is in effect.
    ...(spec.replicas === 1 ? {} : raftOf(spec)),
    daNamespace: spec.da.namespace,
  };
}

function raftOf({ raft, chain }: Spec): Pick<NonNullable<Status["effective"]>, "raftTiming" | "raftLog"> {
  return {
    raftTiming: { source: raft.timing.source, ...inDurations(timingOf(raft.timing)) },
    raftLog: {
      snapshotThreshold: raft.snapshotThreshold,
      trailingLogs: raft.trailingLogs,
      absenceCovered: formatDuration(absenceCoveredMs(raft.trailingLogs, chain.blockTimeMs)),
    },
  };
}

function conditionOf(finding: Finding, { cluster, nowMs }: Snapshot): Condition {
  const status = conditionStatus(finding);
  const before = cluster.status?.conditions?.find(({ type }) => type === finding.type);
  const since = before?.status === status ? before.lastTransitionTime : new Date(nowMs).toISOString();
  return {
    type: finding.type,
    status,
    reason: finding.reason,
    message: finding.message.slice(0, 4096),
    ...(cluster.metadata.generation === undefined ? {} : { observedGeneration: cluster.metadata.generation }),
    lastTransitionTime: since,
  };
}

const wasUp = new Set<Phase | undefined>([
  "Levelling",
  "Running",
  "Updating",
  "Degraded",
  "Down",
  "Suspended",
]);

function phaseOf(snapshot: Snapshot, { list, quorum }: Findings): Phase {
  const { cluster, identity, members } = snapshot;
  if (cluster.metadata.deletionTimestamp !== undefined) return "Deleting";
  const isStalled = list.some((finding) => finding.type === "Stalled" && finding.reason !== "NotStalled");
  if (!isSetUp(snapshot)) return isStalled ? "Blocked" : "Pending";
  if (isSuspended(snapshot)) return "Suspended";
  const isBootstrapped = identity.kind === "present" && identity.identity.bootstrapped !== undefined;
  const hasBlocks =
    members.some((member) => heightOf(member) !== undefined) || cluster.status?.height !== undefined;
  // The first leader tells its height before the others follow it.
  const everRan = wasUp.has(cluster.status?.phase) || (hasBlocks && quorum !== "Lost");
  if (!isBootstrapped || (!everRan && !isStalled)) return "Bootstrapping";
  if (list.some(({ type, reason }) => type === "Ready" && reason === "Levelling")) return "Levelling";
  const isUpdating = list.some(({ type, reason }) => type === "Reconciling" && reason === "RollingOut");
  // An update stops a single sequencer for as long as it takes.
  if (isUpdating && soleOf(members)) return "Updating";
  if (quorum === "Lost") return "Down";
  if (isUpdating) return "Updating";
  return members.every(({ pod }) => pod?.ready) && leadership(members).kind === "one"
    ? "Running"
    : "Degraded";
}

/** Younger than this, a cluster that is not ready is on its way up for the first time. */
const COMES_UP_MS = 600_000;

/**
 * Whether what is new may wait a moment for more of its kind: the small steps of a cluster that comes up. People and
 * programs wait for Ready, and for what needs a person, which is Stalled whatever else it is: these are told at once.
 */
export function canWait({ metadata, status: before }: EvNodeCluster, after: Status, nowMs: number): boolean {
  if (before === undefined || before.observedGeneration !== after.observedGeneration) return false;
  const isAwaited = [before, after].some((status) => holds(status, "Ready") || holds(status, "Stalled"));
  const createdMs = parseTimestampMs(metadata.creationTimestamp ?? "");
  return !isAwaited && createdMs !== undefined && nowMs - createdMs < COMES_UP_MS;
}

const holds = ({ conditions = [] }: Status, wanted: string) =>
  conditions.some(({ type, status }) => type === wanted && status === "True");

/** Whether two statuses say the same, what moves by itself aside: only then a write can wait. */
export function sameMeaning(a: Status | undefined, b: Status): boolean {
  return a !== undefined && isDeepStrictEqual(withoutProgress(a), withoutProgress(b));
}

export function sameStatus(a: Status | undefined, b: Status): boolean {
  return a !== undefined && isDeepStrictEqual(a, b);
}

function withoutProgress(status: Status) {
  const { height: _, leaderChangesLastHour: _changes, members = [], network = {}, ...rest } = status;
  return { ...rest, members: members.map(withoutHeights), network: withoutRoundTrips(network) };
}

function withoutRoundTrips(network: Network) {
  const { maximum: _, roundTrips: _all, asymmetric: _some, ...rest } = network;
  return rest;
}

function withoutHeights(member: MemberStatus) {
  const { height: _, blocksBehind: _behind, executionHeight: _layer, ...rest } = member;
  return rest;
}
