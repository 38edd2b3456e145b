import type { Spec } from "../../../src/api/evnodecluster.ts";
import type { Cluster } from "./cluster.ts";
import { patchByHand } from "./kubectl.ts";
import { until } from "./until.ts";

/** What the owner of a cluster does to it. Null takes a field away. */

type Edit = { readonly [K in keyof Spec]?: Spec[K] | Readonly<Record<string, unknown>> | null };

export async function edit(cluster: Cluster, spec: Edit): Promise<void> {
  await patchByHand(cluster.world.kubectl, cluster.manifest, { spec });
}

export async function annotate(
  cluster: Cluster,
  annotations: Readonly<Record<string, string | null>>,
): Promise<void> {
  await patchByHand(cluster.world.kubectl, cluster.manifest, { metadata: { annotations } });
}

/** Waits until every member runs the newest spec and is ready: what was said of an older one does not count. */
export async function isRolledOut(cluster: Cluster, withinMs = 300_000): Promise<void> {
  await until(
    `the newest spec on every member of ${cluster.name}`,
    async () => {
      const { metadata, status } = await cluster.get();
      const found = status?.conditions?.find(({ type }) => type === "RolloutComplete");
      const isNewest = found?.observedGeneration === metadata.generation;
      if (isNewest && found?.reason === "UpToDate") return { found: true };
      return { missing: found ? `it is ${found.reason}: ${found.message}` : "there is no condition" };
    },
    { withinMs },
  );
  await cluster.isRunning();
}
