import { labels } from "../../../src/model/annotations.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { memberName } from "../../../src/model/names.ts";
import type { Stage } from "./mishaps.ts";
import { ownedKinds } from "./third-parties.ts";
import { MAIN, REPLICAS, TWIN } from "./wanted.ts";

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
    const phase = cluster?.status?.phase;
    const wanted = cluster?.metadata.uid === holder ? "Running" : "Blocked";
    if (phase !== wanted) return `${ref.name} is said to be ${phase}, expected ${wanted}`;
  }
  return undefined;
}

/** Why a cluster that may run is not well. */
function sickness({ universe }: Stage, ref: typeof MAIN): string | undefined {
  const { store } = universe.registry;
  const runs = [...universe.runs.values()].filter(
    ({ namespace, cluster, endAtMs }) =>
      namespace === ref.namespace && cluster === ref.name && endAtMs === undefined,
  );
  const roles = runs.map(({ process }) => process?.role);
  if (roles.filter((role) => role === "leader").length !== 1) return "not one member leads";
  if (roles.filter((role) => role === "follower").length !== REPLICAS - 1) return "not all others follow";
  for (let ordinal = 0; ordinal < REPLICAS; ordinal++) {
    const name = memberName(ref.name, ordinal);
    const pod = store.get(kinds.pod, { namespace: ref.namespace, name });
    const role = runs.find((run) => run.name === name)?.process?.role;
    if (pod?.metadata.labels?.[labels.role] !== role) return `${name} is not labelled ${role}`;
  }
  const missing = ownedKinds.find(
    (kind) => !store.all(kind).some(({ metadata }) => metadata.namespace === ref.namespace),
  );
  return missing === undefined ? undefined : `its ${missing.kind} is missing`;
}

/** A cluster whose chain another one runs has nothing that runs. */
function presence({ universe }: Stage, ref: typeof MAIN): string | undefined {
  const pods = universe.registry.store.all(kinds.pod);
  return pods.some(({ metadata }) => metadata.namespace === ref.namespace) ? "it has pods" : undefined;
}
