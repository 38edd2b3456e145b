import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { kinds } from "../../../src/model/kinds.ts";
import type { PersistentVolumeClaim, Pod, StatefulSet } from "../../../src/model/objects.ts";
import { isReady } from "../pod-health.ts";
import type { Registry } from "../registry.ts";
import { podOf } from "../stateful-set-controller.ts";

/** Keeps a claim while a pod uses it, as Kubernetes' own finalizer. */
export const CLAIM_IN_USE = "kubernetes.io/pvc-protection";

/**
 * One look at every StatefulSet, as its controller takes it under `OnDelete`, `Parallel` and the retention `Retain`:
 * claims and pods that are missing are made, each pod with the revision of the template, and the status is written.
 */
export function tendStatefulSets(registry: Registry): void {
  for (const set of registry.store.all(kinds.statefulSet)) {
    if (set.metadata.deletionTimestamp === undefined) makeMembers(registry, set);
    const now = registry.store.get(kinds.statefulSet, set.metadata);
    if (now !== undefined) writeStatus(registry, now);
  }
}

const replicasOf = ({ spec }: StatefulSet) => spec?.replicas ?? 1;

const revisionOf = ({ metadata, spec }: StatefulSet) =>
  `${metadata.name}-${createHash("sha256").update(JSON.stringify(spec?.template)).digest("hex").slice(0, 10)}`;

function makeMembers(registry: Registry, set: StatefulSet): void {
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
    const labels = { ...metadata.labels, "controller-revision-hash": revisionOf(set) };
    const volumes = claims.map(({ metadata: { name } }) => ({
      name: "data",
      persistentVolumeClaim: { claimName: name },
    }));
    const full = { containers: [], ...spec, volumes: [...(spec?.volumes ?? []), ...volumes] };
    registry.create(kinds.pod, { ...made, metadata: { ...metadata, labels }, spec: full });
  }
}

/** A pod without a controller that the set selects becomes its own. */
function adopt(registry: Registry, set: StatefulSet, { metadata }: Pod): void {
  const { ownerReferences = [], deletionTimestamp, labels = {} } = metadata;
  if (deletionTimestamp !== undefined || ownerReferences.some(({ controller }) => controller === true))
    return;
  const wanted = Object.entries(set.spec?.selector.matchLabels ?? {});
  if (!wanted.every(([key, value]) => labels[key] === value)) return;
  const [owner] = podOf(set, 0).metadata.ownerReferences ?? [];
  registry.patch(kinds.pod, metadata, { metadata: { ownerReferences: [...ownerReferences, owner] } });
}

type Template = NonNullable<NonNullable<StatefulSet["spec"]>["volumeClaimTemplates"]>[number];

function claimFor(set: StatefulSet, template: Template, ordinal: number): PersistentVolumeClaim {
  const { namespace = "", name } = set.metadata;
  const { metadata, spec } = template;
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      namespace,
      name: `${metadata?.name ?? "data"}-${name}-${ordinal}`,
      labels: { ...metadata?.labels, ...set.spec?.selector.matchLabels },
      finalizers: [CLAIM_IN_USE],
    },
    ...(spec === undefined ? {} : { spec }),
  };
}

/** Whether the pod may be made: a claim that is about to go is waited for. */
function ensureClaim(registry: Registry, claim: PersistentVolumeClaim): boolean {
  const existing = registry.store.get(kinds.claim, claim.metadata);
  if (existing === undefined) registry.create(kinds.claim, claim);
  return existing?.metadata.deletionTimestamp === undefined;
}

function writeStatus(registry: Registry, set: StatefulSet): void {
  const pods = registry.store
    .all(kinds.pod)
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === set.metadata.uid));
  const updateRevision = revisionOf(set);
  const updated = pods.filter(
    ({ metadata }) => metadata.labels?.["controller-revision-hash"] === updateRevision,
  );
  const ready = pods.filter(isReady).length;
  const status = {
    observedGeneration: set.metadata.generation ?? 1,
    replicas: pods.length,
    readyReplicas: ready,
    availableReplicas: ready,
    updatedReplicas: updated.length,
    currentRevision: set.status?.currentRevision ?? updateRevision,
    updateRevision,
  };
  if (isDeepStrictEqual(status, set.status)) return;
  registry.replaceStatus(kinds.statefulSet, { ...set, status });
}
