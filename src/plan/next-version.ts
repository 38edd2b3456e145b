import type { KubeObject } from "../model/kube-object.ts";

/** The desired object as the next version of the live one. */
export function nextVersion<T extends KubeObject>(live: KubeObject, desired: T): T {
  const { uid, resourceVersion, finalizers } = live.metadata;
  const kept = {
    ...(uid && { uid }),
    ...(resourceVersion && { resourceVersion }),
    ...(finalizers && { finalizers }),
  };
  return { ...desired, metadata: { ...desired.metadata, ...kept } };
}
