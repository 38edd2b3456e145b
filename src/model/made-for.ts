import { annotations } from "./annotations.ts";
import type { KubeObject } from "./kube-object.ts";

/** True when the object was made for the EvNodeCluster with this uid, even if its labels were taken off. */
export function isMadeFor({ metadata }: KubeObject, clusterUid: string): boolean {
  const { annotations: notes, ownerReferences = [] } = metadata;
  return (
    notes?.[annotations.clusterUid] === clusterUid || ownerReferences.some(({ uid }) => uid === clusterUid)
  );
}
