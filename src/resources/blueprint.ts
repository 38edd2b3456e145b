import type { CompleteSpec } from "../api/complete-spec.ts";
import { annotations } from "../model/annotations.ts";
import type { ObjectMeta } from "../model/kube-object.ts";
import { commonLabels } from "../model/names.ts";

/** Everything that a cluster's objects are built from. */
export interface Blueprint {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly intent: Intent;
  readonly clusterDomain: string;
  /** Namespace of the operator, which may reach the agents. */
  readonly operatorNamespace: string;
  /** libp2p ids by ordinal. */
  readonly peerIds: readonly string[];
  /** Text of the rollout record, see `model/rollout-record.ts`. */
  readonly rollout?: string | undefined;
  /** Text of the record of a suspension, see `model/suspension-record.ts`. */
  readonly suspension?: string | undefined;
  /** Text of the record of a change of the number of members, see `model/membership-record.ts`. */
  readonly membershipChange?: string | undefined;
  /** Text of the record of a migration, see `model/migration-record.ts`. */
  readonly migration?: string | undefined;
}

/**
 * What a cluster's objects are rendered from; stored on the StatefulSet, so that they can be rendered again alike. What
 * reaches the pods is as it stood when the pod template was first rendered.
 */
export interface Intent {
  readonly version: 1;
  readonly spec: CompleteSpec;
  readonly agentImage: string;
  readonly configRevision: string;
  /** What its owner wrote to have every member restarted. */
  readonly restart?: string;
}

/** Metadata of an object that goes with its EvNodeCluster. */
export function ownedMetadata({ name, namespace, uid }: Blueprint, objectName: string): ObjectMeta {
  return {
    name: objectName,
    namespace,
    labels: commonLabels(name),
    annotations: { [annotations.clusterUid]: uid },
    ownerReferences: [
      {
        apiVersion: "evnode.dev/v1alpha1",
        kind: "EvNodeCluster",
        name,
        uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  };
}
