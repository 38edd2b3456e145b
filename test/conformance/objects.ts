import type { KubeObject, OwnerReference } from "../../src/model/kube-object.ts";
import type {
  ConfigMap,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  Secret,
  StatefulSet,
} from "../../src/model/objects.ts";

/** A uid that no server gives to an object. */
export const strangeUid = "00000000-0000-4000-8000-000000000000";

export function configMap(namespace: string, name: string, extra: Partial<ConfigMap> = {}): ConfigMap {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace, name }, ...extra };
}

export function labelled(namespace: string, name: string, labels: Record<string, string>): ConfigMap {
  return configMap(namespace, name, { metadata: { namespace, name, labels } });
}

export function frozenSecret(namespace: string, name: string): Secret {
  const metadata = { namespace, name };
  return { apiVersion: "v1", kind: "Secret", metadata, immutable: true, data: { key: "b25l" } };
}

const podSpec = { containers: [{ name: "main", image: "registry.example.com/nothing:1" }] };
const gates = { schedulingGates: [{ name: "example.com/not-yet" }] };

/** A pod that no scheduler may place, so that nobody but the test writes its status. */
export function gatedPod(namespace: string, name: string, labels: Record<string, string> = {}): Pod {
  const metadata = { namespace, name, labels };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { ...podSpec, ...gates } };
}

/**
 * A pod on a node that nobody has, so that its deletion waits for a kubelet that never comes. Each has a node of its
 * own: Kubernetes collects the pods of a missing node 40 seconds after the first one was seen there.
 */
export function boundPod(namespace: string, name: string, labels: Record<string, string> = {}): Pod {
  const spec = { ...podSpec, nodeName: `none-${namespace}-${name}`, terminationGracePeriodSeconds: 30 };
  return { apiVersion: "v1", kind: "Pod", metadata: { namespace, name, labels }, spec };
}

/** A set of such pods, labelled with its name. It never replaces one that is there. */
export function gatedSet(namespace: string, name: string, replicas: number): StatefulSet {
  const labels = { set: name };
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { namespace, name },
    spec: {
      replicas,
      serviceName: name,
      podManagementPolicy: "Parallel",
      updateStrategy: { type: "OnDelete" },
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { ...podSpec, ...gates } },
    },
  };
}

/** The operator's own budget: one pod may be away, and a pod that is not ready counts as away. */
export function budget(namespace: string, name: string, set = name): PodDisruptionBudget {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { namespace, name },
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: "IfHealthyBudget",
      selector: { matchLabels: { set } },
    },
  };
}

/** Of a class that nobody provides. */
export function claim(namespace: string, name: string): PersistentVolumeClaim {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { namespace, name },
    spec: {
      storageClassName: "conformance-no-such-class",
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
    },
  };
}

/** A reference that a foreground deletion of the owner waits for. */
export function ownedBy({ apiVersion, kind, metadata }: KubeObject): OwnerReference {
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? "", blockOwnerDeletion: true };
}

/** What a server always gives to an object; fails instead of guessing. */
export function identityOf(object: KubeObject): { readonly uid: string; readonly resourceVersion: string } {
  const { uid, resourceVersion } = object.metadata;
  if (uid === undefined || resourceVersion === undefined) {
    throw new Error(`${object.kind} ${object.metadata.name} came without uid or resourceVersion`);
  }
  return { uid, resourceVersion };
}
