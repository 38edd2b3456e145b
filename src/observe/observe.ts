import { CURRENT_DEFAULTS_VERSION } from "../api/defaults.ts";
import type { Parsed } from "../api/parse.ts";
import { FINALIZER, labels, REHEARSAL_NAME } from "../model/annotations.ts";
import { type IdentityView, isBootstrapped } from "../model/identity.ts";
import { type Kind, kinds } from "../model/kinds.ts";
import { type KubeObject, keyOf } from "../model/kube-object.ts";
import { isMadeFor } from "../model/made-for.ts";
import type { Member } from "../model/member.ts";
import { openChange } from "../model/membership-record.ts";
import * as names from "../model/names.ts";
import type { EvNodeClusterObject, Pod, StatefulSet } from "../model/objects.ts";
import { unprovenCopies } from "../plan/copied-volumes.ts";
import { differenceOf } from "../plan/fork.ts";
import { membershipOn } from "../plan/membership-state.ts";
import { objectKey, type Snapshot } from "../plan/snapshot.ts";
import { appliedIntent } from "../plan/stored-intent.ts";
import { readChainLock } from "./chain-lock.ts";
import { identityView } from "./identity.ts";
import {
  isDeleted,
  type Look,
  type LookDependencies,
  type ObserveDependencies,
  readWatched,
} from "./look.ts";
import {
  readMembers,
  withCertainClaims,
  withCertainPods,
  withFreshAnswers,
  withHiddenPods,
} from "./members.ts";
import { NO_REFERENCES, type ReadObject, readReferences } from "./references.ts";
import { readRevisions } from "./revisions.ts";
import { parseSpec } from "./spec.ts";
import { LONGEST_MEMORY_MS, type World } from "./world.ts";

/** Secrets are read by name, not watched: this often while all is quiet, and while a member waits for one. */
const QUIET_MAX_AGE_MS = LONGEST_MEMORY_MS;
const BUSY_MAX_AGE_MS = 5_000;

/** Members that start again read the config Secret, so that damage to it has to be undone soon. */
const CONFIG_MAX_AGE_MS = 30_000;

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
  const read = readerOf(world, namespace, maxAgeMs);
  const identity = identityView(await read(kinds.secret, names.identitySecretName(name)));
  // Another number in the spec is none of members before a change has been made of it.
  const begun = intent || parsed.kind !== "valid" ? undefined : begunWith(identity);
  const replicas = begun ?? asked;
  const members = replicas === asked ? wanted : await readOf(replicas);
  const beyond = await readBeyond(deps, cluster, replicas, statefulSet);
  const needsIdentity = identity.kind === "absent";
  const chainLock = await chainLockOf(deps, cluster, identity);
  const needs = { needsIdentity, isForOneNamespace: settings.watchNamespace !== undefined };
  const references = parsed.kind === "valid" ? await readReferences(read, parsed.spec, needs) : NO_REFERENCES;
  const objects = await readObjects(deps, cluster, watched, maxAgeMs);
  const all = mayMakeIdentity(cluster, needsIdentity)
    ? await withCertainClaims(deps, namespace, members)
    : await withHiddenPods(deps, cluster, members, mayHidePods(statefulSet, identity));
  const revisions = await readRevisions(world, namespace, members, statefulSet);
  const outside = await lookOutside(deps, cluster, { parsed, identity, members });
  const parted = await lookAtBlocks(deps, cluster, all);
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
    ...parted,
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
  const copies = unprovenCopies(members, identity.identity);
  const heights = copies.flatMap(({ head }) => (head && head.height > 0 ? [head.height] : []));
  const view = await oldSequencers.look(key, { rpcAddress, members, heights, isOver, isCertain });
  return { oldSequencer: view };
}

/** Where members tell different blocks, or did before. */
async function lookAtBlocks(
  { partings, isCertain }: LookDependencies,
  { metadata }: EvNodeClusterObject,
  members: readonly Member[],
): Promise<Pick<Snapshot, "parting">> {
  const difference = differenceOf({ members });
  const parting = await partings.look(keyOf(metadata), { members, difference, isCertain });
  return parting === undefined ? {} : { parting };
}

/** What is missing keeps a cluster waiting, and whoever brings it back looks on: it is asked for again soon. */
function readerOf(world: World, namespace: string, maxAgeMs: number): ReadObject {
  return async (kind, name) => {
    const ref = kind.namespaced ? { namespace, name } : { name };
    const found = await world.read(kind, ref, maxAgeMs);
    return found ?? world.read(kind, ref, BUSY_MAX_AGE_MS);
  };
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

const ordinalsFrom = (first: number, end: number) =>
  Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index);

/** How many pods the StatefulSet makes; while their number changes, those of members that are to come or to go, too. */
function podsOf(statefulSet: StatefulSet | undefined): number {
  const change = openChange(membershipOn(statefulSet));
  const sides = change ? [change.from.replicas, change.to.replicas] : [];
  return Math.min(Math.max(statefulSet?.spec?.replicas ?? 0, ...sides), names.MAX_MEMBERS);
}

/** By the label: all pods of all clusters would be looked through at every reconcile of each. */
function rehearsalsOf(world: World, { metadata }: EvNodeClusterObject): readonly Pod[] {
  return world
    .shownOf(kinds.pod, metadata)
    .filter((pod) => pod.metadata.labels?.[labels.name] === REHEARSAL_NAME);
}

/** The finalizer comes first, at a look of its own. */
function mayMakeIdentity({ metadata }: EvNodeClusterObject, needsIdentity: boolean): boolean {
  return needsIdentity && (metadata.finalizers ?? []).includes(FINALIZER);
}

function isPrepared({ report }: Member): boolean {
  return report.kind === "answered" && report.answer.prepare.kind === "done";
}
