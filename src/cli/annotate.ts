import type { EvNodeCluster } from "../api/evnodecluster.ts";
import type { MergePatch } from "../kube/api.ts";
import { KubeError } from "../kube/errors.ts";
import { kinds } from "../model/kinds.ts";
import { getCluster } from "./clusters.ts";
import type { Connection } from "./command.ts";

/** The status of a busy cluster is written several times a second, and each write is another version. */
const MOST_TRIES = 10;

/** What to write on a cluster as it is now. Null takes an annotation away; a thrown `Failure` writes nothing. */
export type Request = (cluster: EvNodeCluster) => Readonly<Record<string, string | null>>;

/** Writes annotations, as `change` does. */
export const annotate = (connection: Connection, name: string, request: Request): Promise<EvNodeCluster> =>
  change(connection, name, (cluster) => ({ metadata: { annotations: request(cluster) } }));

/**
 * Writes on the very version of the cluster that the patch was decided on, so that nothing is asked for on what was not
 * seen, and no request of somebody else is overwritten.
 */
export async function change(
  connection: Connection,
  name: string,
  patchFor: (cluster: EvNodeCluster) => MergePatch,
): Promise<EvNodeCluster> {
  const { api, namespace } = connection;
  for (let tries = 1; ; tries++) {
    const cluster = await getCluster(connection, name);
    const { uid = "", resourceVersion = "" } = cluster.metadata;
    try {
      const ref = { namespace, name };
      return await api.patch(kinds.cluster, ref, patchFor(cluster), { uid, resourceVersion });
    } catch (error) {
      const isConflict = error instanceof KubeError && error.kind === "Conflict";
      if (!isConflict || tries === MOST_TRIES) throw error;
    }
  }
}
