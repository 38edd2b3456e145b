import { isDeepStrictEqual } from "node:util";
import { labels } from "../../../src/model/annotations.ts";
import { kinds } from "../../../src/model/kinds.ts";
import type { PersistentVolumeClaim, Pod, StatefulSet } from "../../../src/model/objects.ts";
import { isReady } from "../pod-health.ts";
import type { Registry } from "../registry.ts";
import { currentRevision, forgetRevisions, revisionOf } from "./revisions.ts";
import { claimFor, podOf } from "./set-pod.ts";

/**
 * One look at every StatefulSet, as its controller takes it under `OnDelete`, `Parallel` and the retention `Retain`:
 * claims and pods that are missing are made, each pod with the revision of the template, and the status is written.
 */
export function tendStatefulSets(registry: Registry): void {
  for (const set of registry.store.all(kinds.statefulSet)) {
    if (set.metadata.deletionTimestamp !== undefined) continue;
    const revision = updateRevisionOf(registry, set);
    makeMembers(registry, set, revision);
    removeSurplus(registry, set);
    writeStatus(registry, set, revision);
  }
}

const replicasOf = ({ spec }: StatefulSet) => spec?.replicas ?? 1;

/** Revisions are compared only when the set has changed since the last look, or the revision is gone. */
function updateRevisionOf(registry: Registry, set: StatefulSet): string {
  const { updateRevision: name = "", observedGeneration } = set.status ?? {};
  const { namespace = "", generation } = set.metadata;
  const isKnown = registry.store.get(kinds.controllerRevision, { namespace, name }) !== undefined;
  if (isKnown && observedGeneration === generation) return name;
  return currentRevision(registry, set).metadata.name;
}

function makeMembers(registry: Registry, set: StatefulSet, revision: string): void {
  for (let ordinal = 0; ordinal < replicasOf(set); ordinal++) {
    const made = podOf(set, ordinal);
    const existing = registry.store.get(kinds.pod, made.metadata);
    // A pod that an earlier set left behind keeps its name until it is gone.
    if (existing !== undefined) {
      adopt(registry, set, existing);
      continue;
    }
    const claims = (set.spec?.volumeClaimTemplates ?? []).map((template) => claimFor(set, template, ordinal));
    if (!claims.every((claim) => ensureClaim(registry, claim))) continue;
    const { metadata, spec } = made;
    const volumes = claims.map(({ metadata: { name } }, index) => ({
      name: set.spec?.volumeClaimTemplates?.[index]?.metadata?.name ?? "",
      persistentVolumeClaim: { claimName: name },
    }));
    const full = { containers: [], ...spec, volumes: [...(spec?.volumes ?? []), ...volumes] };
    const revised = { ...metadata, labels: { ...metadata.labels, [labels.revision]: revision } };
    registry.create(kinds.pod, { ...made, metadata: revised, spec: full });
  }
}

/** Under `Parallel` all at once; what an earlier set left behind is taken over first. */
function removeSurplus(registry: Registry, set: StatefulSet): void {
  const { namespace, name } = set.metadata;
  for (const pod of registry.store.all(kinds.pod)) {
    const [, parent, ordinal] = /^(.*)-(\d+)$/.exec(pod.metadata.name) ?? [];
    const isSurplus = parent === name && Number(ordinal) >= replicasOf(set);
    if (isSurplus && pod.metadata.namespace === namespace) adopt(registry, set, pod);
  }
  for (const { metadata } of registry.store.all(kinds.pod)) {
    const isOurs = metadata.ownerReferences?.some(({ uid }) => uid === set.metadata.uid) === true;
    const ordinal = Number(/-(\d+)$/.exec(metadata.name)?.[1]);
    if (isOurs && ordinal >= replicasOf(set) && metadata.deletionTimestamp === undefined)
      registry.delete(kinds.pod, metadata);
  }
}

/** A pod without a controller that the set selects becomes its own. */
function adopt(registry: Registry, set: StatefulSet, { metadata }: Pod): void {
  const { ownerReferences = [], deletionTimestamp, labels: own = {} } = metadata;
  if (deletionTimestamp !== undefined || ownerReferences.some(({ controller }) => controller === true))
    return;
  const wanted = Object.entries(set.spec?.selector.matchLabels ?? {});
  if (!wanted.every(([key, value]) => own[key] === value)) return;
  const [owner] = podOf(set, 0).metadata.ownerReferences ?? [];
  registry.patch(kinds.pod, metadata, { metadata: { ownerReferences: [...ownerReferences, owner] } });
}

/** Whether the pod may be made: a claim that is about to go is waited for. */
function ensureClaim(registry: Registry, claim: PersistentVolumeClaim): boolean {
  const existing = registry.store.get(kinds.claim, claim.metadata);
  if (existing === undefined) registry.create(kinds.claim, claim);
  return existing?.metadata.deletionTimestamp === undefined;
}

function writeStatus(registry: Registry, set: StatefulSet, updateRevision: string): void {
  const pods = registry.store
    .all(kinds.pod)
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === set.metadata.uid));
  const currentName = set.status?.currentRevision ?? updateRevision;
  const ready = pods.filter(isReady).length;
  const ofRevision = (name: string) =>
    pods.filter((pod) => revisionOf(pod) === name && pod.metadata.deletionTimestamp === undefined).length;
  const status = {
    observedGeneration: set.metadata.generation ?? 1,
    replicas: pods.length,
    availableReplicas: ready,
    ...unlessZero({
      readyReplicas: ready,
      // Under OnDelete the first revision stays the current one, whatever the pods run.
      currentReplicas: ofRevision(currentName),
      updatedReplicas: ofRevision(updateRevision),
    }),
    currentRevision: currentName,
    updateRevision,
    collisionCount: 0,
  };
  if (isDeepStrictEqual(status, set.status)) return;
  const written = registry.replaceStatus(kinds.statefulSet, { ...set, status });
  forgetRevisions(registry, written, pods);
}

/** A count of nothing is not on the wire. */
function unlessZero(counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
}
