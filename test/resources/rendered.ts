import type { Spec } from "../../src/api/evnodecluster.ts";
import { parseCluster } from "../../src/api/parse.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import type { Blueprint, Intent } from "../../src/resources/blueprint.ts";
import { configEntries, memberConfigs } from "../../src/resources/member-configs.ts";
import { identity, UID } from "../builders.ts";

/** All that the objects of a cluster with this spec are built from, and its members' configs. */
export function rendered(
  spec: Spec,
  daAuthToken?: string,
): Blueprint & { readonly texts: Map<string, string> } {
  const [name, namespace] = ["seq", "rollup"];
  const { clusterDomain, epoch, peerIds } = identity();
  const object = { apiVersion: "evnode.dev/v1alpha1", kind: "EvNodeCluster", metadata: { name, namespace } };
  const parsed = parseCluster({ ...object, spec } as KubeObject, 1);
  if (parsed.kind === "invalid") throw new Error(parsed.problems.join("; "));
  const configs = memberConfigs({
    name,
    namespace,
    clusterDomain,
    spec: parsed.spec,
    epoch,
    peerIds,
    daAuthToken,
  });
  const intent: Intent = {
    version: 1,
    spec: parsed.spec,
    agentImage: "example.org/operator:1",
    configRevision: configs.revision,
  };
  const place = { name, namespace, uid: UID, clusterDomain, operatorNamespace: "operators", peerIds, epoch };
  return { ...place, intent, texts: configEntries(configs) };
}
