import type { EvNodeCluster } from "../api/evnodecluster.ts";

/** How a cluster is named in a command that somebody may copy, wherever they are. */
export function clustersName({ metadata }: EvNodeCluster): string {
  const { name, namespace = "default" } = metadata;
  return `${name} --namespace ${namespace}`;
}
