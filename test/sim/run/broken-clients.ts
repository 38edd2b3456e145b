import type { KubeApi } from "../../../src/kube/api.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { OPERATOR_NAMESPACE } from "./simulated-operator.ts";

/** Writes to whatever has the name now. */
export function withoutUids(api: KubeApi): KubeApi {
  return {
    ...api,
    patch: async (kind, ref, patch, preconditions) => {
      if (kind.kind === kinds.lease.kind) return api.patch(kind, ref, patch, preconditions);
      const { uid = preconditions.uid } = (await api.get(kind, ref))?.metadata ?? {};
      return api.patch(kind, ref, patch, { uid });
    },
  };
}

/** Deletes all chain locks as soon as a cluster lost its finalizer. */
export function releasesLock(api: KubeApi): KubeApi {
  return {
    ...api,
    patch: async (kind, ref, patch, preconditions) => {
      const patched = await api.patch(kind, ref, patch, preconditions);
      const isOver =
        patched.metadata.deletionTimestamp !== undefined && (patched.metadata.finalizers ?? []).length === 0;
      if (kind.kind !== kinds.cluster.kind || !isOver) return patched;
      const { items } = await api.list(kinds.configMap, { namespace: OPERATOR_NAMESPACE });
      for (const { metadata } of items) {
        const { uid = "" } = metadata;
        await api.delete(kinds.configMap, metadata, { preconditions: { uid }, propagation: "Background" });
      }
      return patched;
    },
  };
}
