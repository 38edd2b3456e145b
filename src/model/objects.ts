import type { IControllerRevision, IStatefulSet } from "kubernetes-models/apps/v1";
import type { ILease } from "kubernetes-models/coordination.k8s.io/v1";
import type { IEvent } from "kubernetes-models/events.k8s.io/v1";
import type { INetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import type { IPodDisruptionBudget } from "kubernetes-models/policy/v1";
import type { IStorageClass } from "kubernetes-models/storage.k8s.io/v1";
import type {
  IConfigMap,
  IPersistentVolumeClaim,
  IPod,
  ISecret,
  IService,
  IServiceAccount,
} from "kubernetes-models/v1";
import type { EvNodeCluster } from "../api/evnodecluster.ts";
import type { KubeObject } from "./kube-object.ts";

/** The published type of a kind, with the metadata that every object on the wire has. */
type Wire<T> = Omit<T, "metadata"> & KubeObject;

export type StatefulSet = Wire<IStatefulSet>;
export type ControllerRevision = Wire<IControllerRevision>;
export type Lease = Wire<ILease>;
export type Event = Wire<IEvent>;
export type NetworkPolicy = Wire<INetworkPolicy>;
export type PodDisruptionBudget = Wire<IPodDisruptionBudget>;
export type ConfigMap = Wire<IConfigMap>;
export type PersistentVolumeClaim = Wire<IPersistentVolumeClaim>;
export type Pod = Wire<IPod>;
export type Secret = Wire<ISecret>;
export type Service = Wire<IService>;
export type StorageClass = Wire<IStorageClass>;
export type ServiceAccount = Wire<IServiceAccount>;
export type EvNodeClusterObject = EvNodeCluster;
