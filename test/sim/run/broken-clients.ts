import type { KubeApi } from "../../../src/kube/api.ts";
import { labels } from "../../../src/model/annotations.ts";
import { kinds } from "../../../src/model/kinds.ts";
import type { Pod } from "../../../src/model/objects.ts";
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

/** Whoever asks for the pod with the leader's label is told of none. */
export function hidesLeaderLabel(api: KubeApi): KubeApi {
  return {
    ...api,
    list: async (kind, options) => {
      const page = await api.list(kind, options);
      return options.labelSelector?.includes(`${labels.role}=leader`) ? { ...page, items: [] } : page;
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

/** Takes away whatever has the name and the uid, in whichever state it is now. */
export function sendsNoVersion(api: KubeApi): KubeApi {
  return {
    ...api,
    replace: (kind, object) => {
      const { uid = "", labels, annotations } = object.metadata;
      if (kind.kind !== kinds.pod.kind) return api.replace(kind, object);
      const { containers } = (object as Pod).spec ?? {};
      const patch = { metadata: { labels, annotations }, spec: { containers } };
      return api.patch(kind, object.metadata, patch, { uid });
    },
    delete: (kind, ref, options) =>
      api.delete(kind, ref, { ...options, preconditions: versionless(options) }),
    evict: (pod, options) => api.evict(pod, { ...options, preconditions: versionless(options) }),
  };
}

const versionless = ({ preconditions: { uid } }: { readonly preconditions: { readonly uid: string } }) => ({
  uid,
});
