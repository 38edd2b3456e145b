import type { KubeObject } from "../../../src/model/kube-object.ts";
import type { Cluster } from "./cluster.ts";
import { until } from "./until.ts";

interface EndpointSlice extends KubeObject {
  readonly endpoints?: readonly { readonly targetRef?: { readonly name: string } }[] | null;
}

/** The pods that a Service of the cluster leads to. */
async function podsBehind(cluster: Cluster, service: string): Promise<readonly string[]> {
  const selector = encodeURIComponent(`kubernetes.io/service-name=${service}`);
  const slices = await cluster.api.list<EndpointSlice>(
    `${cluster.path("endpointSlices")}?labelSelector=${selector}`,
  );
  const pods = slices.flatMap(({ endpoints }) =>
    (endpoints ?? []).map(({ targetRef }) => targetRef?.name ?? "?"),
  );
  return [...new Set(pods)].sort();
}

export async function leadsTo(cluster: Cluster, service: string, pods: readonly string[]): Promise<void> {
  await until(
    `Service ${service} leads to ${pods.join(", ")}`,
    async () => {
      const behind = await podsBehind(cluster, service);
      return behind.join() === pods.join()
        ? { found: true }
        : { missing: `it leads to ${behind.join(", ") || "nobody"}` };
    },
    { withinMs: 30_000 },
  );
}
