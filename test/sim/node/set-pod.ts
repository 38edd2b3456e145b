import type { PersistentVolumeClaim, Pod, StatefulSet } from "../../../src/model/objects.ts";

/** Keeps a claim while a pod uses it, as Kubernetes' own finalizer. */
export const CLAIM_IN_USE = "kubernetes.io/pvc-protection";

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

type Template = NonNullable<NonNullable<StatefulSet["spec"]>["volumeClaimTemplates"]>[number];

export function claimFor(set: StatefulSet, template: Template, ordinal: number): PersistentVolumeClaim {
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
