import type { Kind } from "../src/model/kinds.ts";
import type { KubeObject } from "../src/model/kube-object.ts";

/** Not among the operator's kinds: it takes namespaces as it finds them. */
export const namespaceKind: Kind<KubeObject> = {
  apiVersion: "v1",
  kind: "Namespace",
  plural: "namespaces",
  namespaced: false,
};
