import { kinds } from "../../src/model/kinds.ts";
import type { Pod, StatefulSet } from "../../src/model/objects.ts";
import type { Registry } from "./registry.ts";

/**
 * One look at every StatefulSet, as its controller takes it under `OnDelete` and `Parallel`: all pods that are missing
 * are made at once. Claims, revisions and the set's status are not here.
 */
export function makeMissingPods(registry: Registry): void {
  for (const set of registry.store.all(kinds.statefulSet)) {
    if (set.metadata.deletionTimestamp !== undefined) continue;
    for (let ordinal = 0; ordinal < (set.spec?.replicas ?? 1); ordinal++) {
      const pod = podOf(set, ordinal);
      if (registry.store.get(kinds.pod, pod.metadata) === undefined) registry.create(kinds.pod, pod);
    }
  }
}

/** The pod of a set, without what its revision and its claims add. */
export function podOf({ metadata, spec }: StatefulSet, ordinal: number): Pod {
  const { namespace = "", uid = "" } = metadata;
  const name = `${metadata.name}-${ordinal}`;
  const template = spec?.template;
  const ownLabels = {
    "statefulset.kubernetes.io/pod-name": name,
    "apps.kubernetes.io/pod-index": `${ordinal}`,
  };
  const owner = { apiVersion: "apps/v1", kind: "StatefulSet", name: metadata.name, uid };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      namespace,
      name,
      labels: { ...template?.metadata?.labels, ...ownLabels },
      annotations: { ...template?.metadata?.annotations },
      ownerReferences: [{ ...owner, controller: true, blockOwnerDeletion: true }],
    },
    spec: { containers: [], ...template?.spec, hostname: name },
  };
}
