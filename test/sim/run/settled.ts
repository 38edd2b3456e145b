import { isDeepStrictEqual } from "node:util";
import { defaultsV1 } from "../../../src/api/defaults.ts";
import type { EvNodeCluster, Spec } from "../../../src/api/evnodecluster.ts";
import { annotations, labels } from "../../../src/model/annotations.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { memberName } from "../../../src/model/names.ts";
import type { Pod } from "../../../src/model/objects.ts";
import { readRolloutRecord } from "../../../src/model/rollout-record.ts";
import { takesPart } from "../member/participation.ts";
import type { PodRun } from "../member/pod-run.ts";
import { unendedDrill } from "./drills.ts";
import type { Stage } from "./mishaps.ts";
import { runsTarget } from "./target.ts";
import { ownedKinds } from "./third-parties.ts";
import { MAIN, TWIN } from "./wanted.ts";

/** What is not yet as it has to end; undefined when nothing is left to do. */
export function unsettledOf(stage: Stage): string | undefined {
  const { owner } = stage;
  const holder = owner.lockHolder();
  const clusters = [MAIN, TWIN].filter((ref) => owner.clusterOf(ref) !== undefined);
  if (!clusters.some((ref) => owner.clusterOf(ref)?.metadata.uid === holder))
    return "nobody holds the chain lock";
  for (const ref of clusters) {
    const cluster = owner.clusterOf(ref);
    if (cluster?.metadata.deletionTimestamp !== undefined) return `${ref.name} is being deleted`;
    const problem = cluster?.metadata.uid === holder ? sickness(stage, ref) : presence(stage, ref);
    if (problem !== undefined) return `${ref.name}: ${problem}`;
    const drill = unendedDrill(cluster);
    if (drill !== undefined) return `${ref.name}: ${drill}`;
    const phase = cluster?.status?.phase;
    const wanted = cluster?.metadata.uid === holder ? "Running" : "Blocked";
    if (phase !== wanted) return `${ref.name} is said to be ${phase}, expected ${wanted}`;
    const untold = cluster?.metadata.uid === holder ? untoldOf(cluster) : undefined;
    if (untold !== undefined) return `${ref.name} is not said to be ${untold}`;
  }
  return undefined;
}

/** What of a cluster that its owner suspended still runs, or is said to. */
export function unsuspendedOf({ universe, owner }: Stage): string | undefined {
  const left = universe.registry.store.all(kinds.pod).filter(({ metadata }) => {
    return metadata.namespace === MAIN.namespace;
  });
  if (left.length > 0) return `${left.length} pods are left`;
  const { phase, conditions = [] } = owner.clusterOf(MAIN)?.status ?? {};
  if (phase !== "Suspended") return `it is said to be ${phase}`;
  const isAtRest = conditions.some(({ type, reason }) => type === "Reconciling" && reason === "Converged");
  return isAtRest ? undefined : "something is still being written";
}

/** Of what is well in the end, what the status does not say. */
function untoldOf(cluster: EvNodeCluster | undefined): string | undefined {
  const conditions = cluster?.status?.conditions ?? [];
  return ["Connected", "TimingFits", "MembershipComplete"].find(
    (wanted) => !conditions.some(({ type, status }) => type === wanted && status === "True"),
  );
}

/**
 * What keeps members from taking part as what the template says, whatever the spec says; undefined also while there is
 * no way back, so that only the owner can help.
 */
export function harmOf(stage: Stage): string | undefined {
  const { universe, owner } = stage;
  const { store } = universe.registry;
  const set = store.get(kinds.statefulSet, MAIN);
  const record = readRolloutRecord(set?.metadata.annotations?.[annotations.rollout]);
  const mayGoBack = record !== undefined && (record.kind !== "rolling" || record.proven !== undefined);
  if (!mayGoBack || owner.clusterOf(MAIN)?.metadata.uid !== owner.lockHolder()) return undefined;
  const runs = [...universe.runs.values()].filter(({ namespace }) => namespace === MAIN.namespace);
  const replicas = owner.membersOf(MAIN) ?? owner.replicas;
  for (let ordinal = 0; ordinal < replicas; ordinal++) {
    const name = memberName(MAIN.name, ordinal);
    const run = runs.find((one) => one.name === name && one.endAtMs === undefined);
    if (run === undefined || !takesPart(universe.trueGroupOf(run), run)) return `${name} takes no part`;
    if (!runsTarget(universe.registry, run)) return `${name} does not run the template`;
  }
  return undefined;
}

/** Why a cluster that may run is not well. */
function sickness(stage: Stage, ref: typeof MAIN): string | undefined {
  const { universe, owner } = stage;
  const { store } = universe.registry;
  const runs = [...universe.runs.values()].filter(
    ({ namespace, cluster, endAtMs }) =>
      namespace === ref.namespace && cluster === ref.name && endAtMs === undefined,
  );
  const replicas = owner.replicasOf(ref);
  const roles = runs.map(({ process }) => process?.role);
  if (roles.filter((role) => role === "leader").length !== 1) return "not one member leads";
  if (roles.filter((role) => role === "follower").length !== replicas - 1) return "not all others follow";
  for (let ordinal = 0; ordinal < replicas; ordinal++) {
    const name = memberName(ref.name, ordinal);
    const pod = store.get(kinds.pod, { namespace: ref.namespace, name });
    const role = runs.find((run) => run.name === name)?.process?.role;
    if (pod?.metadata.labels?.[labels.role] !== role) return `${name} is not labelled ${role}`;
  }
  const outdated = outdatedness(stage, ref);
  if (outdated !== undefined) return outdated;
  const isWanted = owner.clusterOf(ref)?.spec.disruptionBudget?.enabled ?? true;
  const hasBudget = isWanted && replicas > 1;
  const missing = ownedKinds
    .filter((kind) => hasBudget || kind !== kinds.disruptionBudget)
    .find((kind) => !store.all(kind).some(({ metadata }) => metadata.namespace === ref.namespace));
  return missing === undefined ? undefined : `its ${missing.kind} is missing`;
}

/** What does not run the spec as it is now, or was not cleared away. */
function outdatedness({ universe, owner }: Stage, ref: typeof MAIN): string | undefined {
  const { registry, runs } = universe;
  const { store } = registry;
  const set = store.get(kinds.statefulSet, ref);
  const spec = owner.clusterOf(ref)?.spec;
  const pods = store.all(kinds.pod).filter(({ metadata }) => metadata.namespace === ref.namespace);
  for (const pod of pods) {
    const { metadata } = pod;
    const run = runs.get(metadata.uid ?? "");
    if (run === undefined) return `${metadata.name} is no pod of a member`;
    if (!runsTarget(registry, run)) return `${metadata.name} does not run the template`;
    if (spec !== undefined && !(runsSpec(run, spec) && isAsAsked(pod, spec)))
      return `${metadata.name} does not run the spec`;
    if (metadata.labels?.[labels.revision] !== set?.status?.updateRevision)
      return `${metadata.name} is not labelled as updated`;
  }
  const budgets = store.all(kinds.disruptionBudget);
  const isClaimed = budgets.some(({ status }) => status?.disruptedPods !== undefined);
  return isClaimed ? "a claim of the budget is left" : undefined;
}

/** Judged on the texts that were read, whatever they are called. */
function runsSpec({ process }: PodRun, { image, log, chain }: Spec): boolean {
  if (process?.image !== image) return false;
  const { level = defaultsV1.log.level } = log ?? {};
  const { blockTime = defaultsV1.chain.blockTime } = chain;
  const { text } = process.config;
  return text.includes(`level: "${level}"`) && text.includes(`block_time: "${blockTime}"`);
}

function isAsAsked({ metadata, spec }: Pod, { pod = {} }: Spec): boolean {
  const grace = pod.terminationGracePeriodSeconds ?? defaultsV1.pod.terminationGracePeriodSeconds;
  const notes = Object.entries(pod.annotations ?? {});
  return (
    spec?.terminationGracePeriodSeconds === grace &&
    notes.every(([key, value]) => metadata.annotations?.[key] === value) &&
    isDeepStrictEqual(spec.nodeSelector ?? {}, pod.nodeSelector ?? {})
  );
}

/** A cluster whose chain another one runs has nothing that runs. */
function presence({ universe }: Stage, ref: typeof MAIN): string | undefined {
  const pods = universe.registry.store.all(kinds.pod);
  return pods.some(({ metadata }) => metadata.namespace === ref.namespace) ? "it has pods" : undefined;
}
