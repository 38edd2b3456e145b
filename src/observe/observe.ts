import { CURRENT_DEFAULTS_VERSION } from "../api/defaults.ts";
import type { Parsed } from "../api/parse.ts";
import { annotations, FINALIZER, labels, REHEARSAL_NAME } from "../model/annotations.ts";
import { type IdentityView, isBootstrapped } from "../model/identity.ts";
import { type Kind, kinds } from "../model/kinds.ts";
import { type KubeObject, keyOf } from "../model/kube-object.ts";
import { isMadeFor } from "../model/made-for.ts";
import { claimOf, type Member, podOf } from "../model/member.ts";
import { openChange } from "../model/membership-record.ts";
import * as names from "../model/names.ts";
import type { EvNodeClusterObject, Pod, StatefulSet } from "../model/objects.ts";
import { membershipOn } from "../plan/membership-state.ts";
import { leadership } from "../plan/quorum.ts";
import { isOpen } from "../plan/rollout-scene.ts";
import { objectKey, type Settings, type Snapshot } from "../plan/snapshot.ts";
import { appliedIntent } from "../plan/stored-intent.ts";
import { recordOn } from "../plan/stored-record.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Agents } from "./agents.ts";
import { readChainLock } from "./chain-lock.ts";
import { identityView } from "./identity.ts";
import type { OldSequencers } from "./old-sequencers.ts";
import { NO_REFERENCES, type ReadObject, readReferences } from "./references.ts";
import { isOther, readRevisions } from "./revisions.ts";
import { parseSpec } from "./spec.ts";
import { LONGEST_MEMORY_MS, type World } from "./world.ts";

/** Secrets are read by name, not watched: this often while all is quiet, and while a member waits for one. */
const QUIET_MAX_AGE_MS = LONGEST_MEMORY_MS;
const BUSY_MAX_AGE_MS = 5_000;

/** Members that start again read the config Secret, so that damage to it has to be undone soon. */
const CONFIG_MAX_AGE_MS = 30_000;

/** Heights in an older answer are history; agents are asked again, all together within this time. */
const OLD_MS = 5_000;
const LOOK_MS = 1_000;

/** While members are being restarted, what they said a moment ago is history sooner. */
const OLD_IN_ROLLOUT_MS = 400;

export interface ObserveDependencies {
  readonly world: World;
  readonly agents: Agents;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly oldSequencers: OldSequencers;
}

/** How a cluster is looked at. */
export interface Look {
  /** Remember nothing: read from the server what a restart rests on, and ask every agent now. */
  readonly isCertain: boolean;
}

/** Reads all that one reconcile may know about a cluster. Undefined when the cluster is gone. */
export async function observe(
  given: ObserveDependencies,
  namespace: string,
  name: string,
  { isCertain }: Look = { isCertain: false },
): Promise<Snapshot | undefined> {
  const deps = { ...given, isCertain };
  const { world, settings, clock } = deps;
  const cluster = await readWatched(deps, kinds.cluster, { namespace, name });
  if (!cluster) return undefined;

  const watched = <T extends KubeObject>(kind: Kind<T>, name: string) =>
    isCertain && kind.kind === kinds.disruptionBudget.kind
      ? world.read(kind, { namespace, name }, 0)
      : world.watched(kind, { namespace, name });
  const { statefulSet, stranger } = await readStatefulSet(deps, cluster);
  const intent = appliedIntent(statefulSet);
  const defaultsVersion = intent?.spec.defaultsVersion ?? CURRENT_DEFAULTS_VERSION;
  const parsed = parseSpec(cluster, defaultsVersion, settings.clusterDomain);
  const asked = intent?.spec.replicas ?? replicasOf(parsed, statefulSet);
  const askedMs = clock.monotonicMs();
  const readOf = async (replicas: number) => {
    const known = await readMembers(deps, cluster, ordinalsFrom(0, replicas), statefulSet);
    return isDeleted(cluster) ? withCertainPods(deps, cluster, known) : known;
  };
  const wanted = await readOf(asked);
  const maxAgeMs = wanted.every(isPrepared) ? QUIET_MAX_AGE_MS : BUSY_MAX_AGE_MS;
  const read: ReadObject = (kind, name) => {
    return world.read(kind, kind.namespaced ? { namespace, name } : { name }, maxAgeMs);
  };
  const identity = identityView(await read(kinds.secret, names.identitySecretName(name)));
  // Another number in the spec is none of members before a change has been made of it.
  const begun = intent || parsed.kind !== "valid" ? undefined : begunWith(identity);
  const replicas = begun ?? asked;
  const members = replicas === asked ? wanted : await readOf(replicas);
  const beyond = await readBeyond(deps, cluster, replicas, statefulSet);
  const needsIdentity = identity.kind === "absent";
  const chainLock = await chainLockOf(deps, cluster, identity);
  const references =
    parsed.kind === "valid" ? await readReferences(read, parsed.spec, needsIdentity) : NO_REFERENCES;
  const objects = await readObjects(deps, cluster, watched, maxAgeMs);
  const all = mayMakeIdentity(cluster, needsIdentity)
    ? await withCertainClaims(deps, namespace, members)
    : await withHiddenPods(deps, cluster, members, mayHidePods(statefulSet, identity));
  const revisions = await readRevisions(world, namespace, members, statefulSet);
  const outside = await lookOutside(deps, cluster, { parsed, identity, members });
  // Agents last: what members say changes soonest, and a server that answers late must not make it old.
  const everybody = [...all, ...beyond];
  const told = isCertain ? await withFreshAnswers(deps, everybody) : everybody;
  return {
    nowMs: clock.nowMs(),
    monotonicMs: askedMs,
    cluster,
    parsed,
    settings,
    references,
    identity,
    chainLock,
    statefulSet,
    objects: new Map([...objects, ...stranger]),
    members: told.slice(0, all.length),
    nonMembers: told.slice(all.length),
    ...outside,
    revisions,
    rehearsals: rehearsalsOf(world, cluster),
    isCertain,
  };
}

/** The sequencer whose chain goes on here: closely before the members start, and now and then for as long as it is named. */
async function lookOutside(
  { oldSequencers, isCertain }: LookDependencies,
  { metadata }: EvNodeClusterObject,
  { parsed, identity, members }: Pick<Snapshot, "parsed" | "identity" | "members">,
): Promise<Pick<Snapshot, "oldSequencer">> {
  const key = keyOf(metadata);
  if (parsed.kind !== "valid" || !parsed.migration || identity.kind !== "present") {
    // Of a spec that is not valid for a moment, what was seen is kept.
    if (parsed.kind === "valid") oldSequencers.forget(key);
    return {};
  }
  const isOver = isBootstrapped(identity.identity);
  const { rpcAddress } = parsed.migration;
  const view = await oldSequencers.look(key, { rpcAddress, members, isOver, isCertain });
  return { oldSequencer: view };
}

/** With the way to look, as `Look` has it. */
type LookDependencies = ObserveDependencies & Look;

/** A watched object; read from the server where the look has to be certain. */
function readWatched<T extends KubeObject>(
  { world, isCertain }: LookDependencies,
  kind: Kind<T>,
  ref: { readonly namespace: string; readonly name: string },
): Promise<T | undefined> {
  return isCertain ? world.read(kind, ref, 0) : world.watched(kind, ref);
}

/** Which lock it would be stands in the identity. */
async function chainLockOf(
  { world, settings }: ObserveDependencies,
  cluster: EvNodeClusterObject,
  view: IdentityView,
): Promise<Snapshot["chainLock"]> {
  if (view.kind !== "present") return { kind: "unknown" };
  return readChainLock(world, settings.operatorNamespace, cluster, view.identity);
}

/** How many stand in Raft's own log. */
function begunWith(view: IdentityView): number | undefined {
  if (view.kind !== "present" || view.identity.bootstrapped === undefined) return undefined;
  return view.identity.membership?.replicas;
}

/** Without an intent: what is wanted, and of an invalid spec what there is, so that its labels are kept all the same. */
function replicasOf(parsed: Parsed, statefulSet: StatefulSet | undefined): number {
  if (parsed.kind === "valid") return parsed.spec.replicas;
  return Math.min(statefulSet?.spec?.replicas ?? 0, names.MAX_MEMBERS);
}

/** Those that the StatefulSet has pods for, and that are no members. */
async function readBeyond(
  deps: LookDependencies,
  cluster: EvNodeClusterObject,
  replicas: number,
  statefulSet: StatefulSet | undefined,
): Promise<readonly Member[]> {
  const seen = await readMembers(deps, cluster, ordinalsFrom(replicas, podsOf(statefulSet)), statefulSet);
  return withHiddenPods(deps, cluster, seen, isComplete(statefulSet));
}

/** Before the first start a pod that is not shown is still being made, unless the set says that all of them are. */
function mayHidePods(statefulSet: StatefulSet | undefined, identity: IdentityView): boolean {
  if (statefulSet === undefined || identity.kind !== "present") return false;
  return identity.identity.bootstrapped !== undefined || isComplete(statefulSet);
}

/** Whether the set says that it has made all its pods. */
const isComplete = (statefulSet: StatefulSet | undefined) =>
  statefulSet !== undefined && (statefulSet.status?.replicas ?? 0) >= (statefulSet.spec?.replicas ?? 1);

const isDeleted = ({ metadata }: EvNodeClusterObject) => metadata.deletionTimestamp !== undefined;

/**
 * The cluster's own StatefulSet; a stranger's says nothing about the cluster and is only in the way. While a cluster
 * is deleted, the server itself is asked: the chain lock is given back on its word.
 */
async function readStatefulSet(deps: LookDependencies, cluster: EvNodeClusterObject) {
  const { world } = deps;
  const { name, namespace = "", uid = "" } = cluster.metadata;
  const ref = { namespace, name: names.statefulSetName(name) };
  const seen = await readWatched(deps, kinds.statefulSet, ref);
  const found = seen ?? (isDeleted(cluster) ? await world.read(kinds.statefulSet, ref, 0) : undefined);
  if (!found || isMadeFor(found, uid)) return { statefulSet: found, stranger: [] };
  return { statefulSet: undefined, stranger: [[objectKey(found.kind, ref.name), found] as const] };
}

const ownedKinds = (cluster: string): readonly (readonly [Kind<KubeObject>, string])[] => [
  [kinds.serviceAccount, names.serviceAccountName(cluster)],
  [kinds.service, names.headlessServiceName(cluster)],
  [kinds.service, names.leaderServiceName(cluster)],
  [kinds.service, names.rpcServiceName(cluster)],
  [kinds.networkPolicy, names.networkPolicyName(cluster)],
  [kinds.disruptionBudget, names.disruptionBudgetName(cluster)],
];

async function readObjects(
  { world }: ObserveDependencies,
  { metadata }: EvNodeClusterObject,
  watched: (kind: Kind<KubeObject>, name: string) => Promise<KubeObject | undefined>,
  maxAgeMs: number,
): Promise<Map<string, KubeObject>> {
  const config = { namespace: metadata.namespace ?? "", name: names.configSecretName(metadata.name) };
  const readConfig = async () => {
    const remembered = await world.read(kinds.secret, config, Math.min(maxAgeMs, CONFIG_MAX_AGE_MS));
    // What is remembered may be of an earlier cluster of this name.
    const isOurs = remembered === undefined || isMadeFor(remembered, metadata.uid ?? "");
    return isOurs ? remembered : world.read(kinds.secret, config, 0);
  };
  const found = await Promise.all([
    ...ownedKinds(metadata.name).map(
      async ([kind, name]) => [objectKey(kind.kind, name), await watched(kind, name)] as const,
    ),
    readConfig().then((secret) => [objectKey("Secret", config.name), secret] as const),
  ]);
  return new Map(found.flatMap(([key, object]) => (object ? [[key, object] as const] : [])));
}

async function readMembers(
  deps: LookDependencies,
  { metadata }: EvNodeClusterObject,
  ordinals: readonly number[],
  statefulSet: StatefulSet | undefined,
) {
  const { agents, clock, isCertain } = deps;
  const { namespace = "", name } = metadata;
  const members = await Promise.all(ordinals.map((ordinal) => readMember(deps, namespace, name, ordinal)));
  if (isCertain) return members;
  const nowMs = clock.monotonicMs();
  const oldMs = isRolling(members, statefulSet) ? OLD_IN_ROLLOUT_MS : OLD_MS;
  const isOld = ({ report }: Member) => report.kind === "answered" && nowMs - report.atMs > oldMs;
  const isNew = ({ pod }: Member) => pod !== undefined && agents.isNew(pod.uid);
  await agents.refresh(podUids(members.filter((member) => isOld(member) || isNew(member))), LOOK_MS);

  const fresh = withReports(deps, members);
  // A member that went silent may still be remembered as the leader: only fresh answers tell.
  return leadership(fresh).kind === "several" ? withFreshAnswers(deps, members) : fresh;
}

const withReports = (deps: ObserveDependencies, members: readonly Member[]): Member[] =>
  members.map((member) => ({ ...member, report: reportOf(deps, member) }));

async function withFreshAnswers(deps: ObserveDependencies, members: readonly Member[]): Promise<Member[]> {
  await deps.agents.confirm(podUids(members), LOOK_MS);
  return withReports(deps, members);
}

const ordinalsFrom = (first: number, end: number) =>
  Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index);

/** How many pods the StatefulSet makes; while their number changes, those of members that are to come or to go, too. */
function podsOf(statefulSet: StatefulSet | undefined): number {
  const change = openChange(membershipOn(statefulSet));
  const sides = change ? [change.from.replicas, change.to.replicas] : [];
  return Math.min(Math.max(statefulSet?.spec?.replicas ?? 0, ...sides), names.MAX_MEMBERS);
}

function isRolling(members: readonly Member[], statefulSet: StatefulSet | undefined): boolean {
  const { status } = statefulSet ?? {};
  return (
    isOpen(recordOn(statefulSet)) ||
    members.some(({ pod }) => pod && isOther(pod.revision, status?.updateRevision))
  );
}

function rehearsalsOf(world: World, { metadata }: EvNodeClusterObject): readonly Pod[] {
  return world
    .shown(kinds.pod)
    .filter(
      (pod) =>
        pod.metadata.labels?.[labels.name] === REHEARSAL_NAME &&
        pod.metadata.labels[labels.cluster] === metadata.name &&
        pod.metadata.namespace === metadata.namespace,
    );
}

const podUids = (members: readonly Member[]) => members.flatMap(({ pod }) => (pod ? [pod.uid] : []));

async function readMember(
  deps: LookDependencies,
  namespace: string,
  cluster: string,
  ordinal: number,
): Promise<Member> {
  const name = names.memberName(cluster, ordinal);
  const claimName = names.claimName(cluster, ordinal);
  // The claim first: it stays while its pod is there, so a pod that the server shows later is not of one before it.
  const claim = await readWatched(deps, kinds.claim, { namespace, name: claimName });
  const layerClaim = { namespace, name: names.executionClaimName(cluster, ordinal) };
  // Nothing is decided by it but what is told.
  const executionClaim = await deps.world.watched(kinds.claim, layerClaim);
  const pod = await readWatched(deps, kinds.pod, { namespace, name });
  const member: Member = {
    ordinal,
    name,
    claimName,
    pod: pod && podOf(pod),
    claim: claim && claimOf(claim),
    executionClaim: executionClaim && claimOf(executionClaim),
    report: { kind: "none", why: "there is no pod" },
  };
  return { ...member, report: reportOf(deps, member) };
}

function reportOf({ agents }: ObserveDependencies, { pod }: Member): Member["report"] {
  return pod ? agents.report(pod.uid) : { kind: "none", why: "there is no pod" };
}

/** The finalizer comes first, at a look of its own. */
function mayMakeIdentity({ metadata }: EvNodeClusterObject, needsIdentity: boolean): boolean {
  return needsIdentity && (metadata.finalizers ?? []).includes(FINALIZER);
}

/** Before an identity is made, the server itself says whether there are claims of an earlier life. */
async function withCertainClaims(
  { world }: ObserveDependencies,
  namespace: string,
  members: readonly Member[],
) {
  return Promise.all(
    members.map(async (member) => {
      const claim = await world.read(kinds.claim, { namespace, name: member.claimName }, 0);
      return { ...member, claim: claim && claimOf(claim) };
    }),
  );
}

/** Every pod that may still run, also one that lost its labels, or is beyond what an invalid spec can tell. */
async function withCertainPods(
  deps: LookDependencies,
  { metadata }: EvNodeClusterObject,
  members: readonly Member[],
): Promise<Member[]> {
  const { name, namespace = "" } = metadata;
  const ordinals = Array.from({ length: names.MAX_MEMBERS }, (_, ordinal) => ordinal);
  const all = await Promise.all(
    ordinals.map(async (ordinal) => {
      const member = members[ordinal] ?? (await readMember(deps, namespace, name, ordinal));
      return member.pod ? member : { ...member, pod: await podOnServer(deps, namespace, member) };
    }),
  );
  return all.filter(({ ordinal, pod }) => ordinal < members.length || pod !== undefined);
}

/** A pod whose labels were taken off is shown by no watch, and nobody but us puts them back. */
async function withHiddenPods(
  deps: ObserveDependencies,
  cluster: EvNodeClusterObject,
  members: readonly Member[],
  mayHide: boolean,
): Promise<readonly Member[]> {
  if (!mayHide || isDeleted(cluster)) return members;
  const { namespace = "" } = cluster.metadata;
  return Promise.all(
    members.map(async (member) => {
      if (member.pod) return member;
      const found = { ...member, pod: await podOnServer(deps, namespace, member) };
      return { ...found, report: reportOf(deps, found) };
    }),
  );
}

async function podOnServer({ world }: ObserveDependencies, namespace: string, { name }: Member) {
  const pod = await world.read(kinds.pod, { namespace, name }, 0);
  return pod && isMemberPod(pod) ? podOf(pod) : undefined;
}

/** Made by a StatefulSet of this project, even if its labels were taken off. */
function isMemberPod({ metadata }: Pod): boolean {
  return metadata.annotations?.[annotations.configRevision] !== undefined;
}

function isPrepared({ report }: Member): boolean {
  return report.kind === "answered" && report.answer.prepare.kind === "done";
}
