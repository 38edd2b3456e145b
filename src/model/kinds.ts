import type { KubeObject } from "./kube-object.ts";
import type {
  ConfigMap,
  ControllerRevision,
  Event,
  EvNodeClusterObject,
  Lease,
  NetworkPolicy,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  Secret,
  Service,
  ServiceAccount,
  StatefulSet,
  StorageClass,
} from "./objects.ts";

/** One resource of the Kubernetes API. `object` exists only for the type checker and is never set. */
export interface Kind<T extends KubeObject> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly object?: T;
}

export const kinds = {
  cluster: kind<EvNodeClusterObject>("evnode.dev/v1alpha1", "EvNodeCluster", "evnodeclusters"),
  pod: kind<Pod>("v1", "Pod", "pods"),
  secret: kind<Secret>("v1", "Secret", "secrets"),
  configMap: kind<ConfigMap>("v1", "ConfigMap", "configmaps"),
  service: kind<Service>("v1", "Service", "services"),
  serviceAccount: kind<ServiceAccount>("v1", "ServiceAccount", "serviceaccounts"),
  claim: kind<PersistentVolumeClaim>("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
  statefulSet: kind<StatefulSet>("apps/v1", "StatefulSet", "statefulsets"),
  controllerRevision: kind<ControllerRevision>("apps/v1", "ControllerRevision", "controllerrevisions"),
  disruptionBudget: kind<PodDisruptionBudget>("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
  networkPolicy: kind<NetworkPolicy>("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
  lease: kind<Lease>("coordination.k8s.io/v1", "Lease", "leases"),
  event: kind<Event>("events.k8s.io/v1", "Event", "events"),
  storageClass: kind<StorageClass>("storage.k8s.io/v1", "StorageClass", "storageclasses", false),
} as const;

function kind<T extends KubeObject>(
  apiVersion: string,
  name: string,
  plural: string,
  namespaced = true,
): Kind<T> {
  return { apiVersion, kind: name, plural, namespaced };
}
