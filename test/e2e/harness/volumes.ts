import { join } from "node:path";
import { stateDir } from "../../../hack/local-cluster/layout.ts";
import type { KubeObject } from "../../../src/model/kube-object.ts";
import type { PersistentVolumeClaim, Pod } from "../../../src/model/objects.ts";
import type { Cluster } from "./cluster.ts";
import { until } from "./until.ts";
import type { World } from "./world.ts";

const LOST_MS = 120_000;

/** Takes claim and volume of a member away for good, and its pod with them, as a lost disk does. */
export async function loseVolume(cluster: Cluster, member: string): Promise<void> {
  const claim = cluster.path("claims", `data-${member}`);
  const before = await cluster.api.get(claim);
  await cluster.api.send(claim, { method: "DELETE" });
  // The claim is protected for as long as a pod uses it.
  await deletePod(cluster, member);
  await until(
    `end of claim data-${member}`,
    async () => {
      const now = await cluster.api.find(claim);
      const isGone = now?.metadata.uid !== before.metadata.uid;
      return isGone ? { found: true } : { missing: "it is still there" };
    },
    { withinMs: LOST_MS },
  );
}

/** Deletes a claim that no pod uses. */
export async function deleteClaim(cluster: Cluster, member: string): Promise<void> {
  const claim = cluster.path("claims", `data-${member}`);
  await cluster.api.send(claim, { method: "DELETE" });
  await until(
    `end of claim data-${member}`,
    async () => ((await cluster.api.find(claim)) ? { missing: "it is still there" } : { found: true }),
    { withinMs: LOST_MS },
  );
}

export async function deletePod(cluster: Cluster, member: string): Promise<void> {
  await cluster.api.send(cluster.path("pods", member), { method: "DELETE" });
}

/** The agent has looked at the new volume and asks for an order. */
export async function findsVolumeEmpty(cluster: Cluster, member: string): Promise<void> {
  await until(
    `an empty volume seen by ${member}`,
    async () => {
      const kind = (await cluster.agent(member))?.volume.kind;
      return kind === "empty" ? { found: true } : { missing: `its agent says ${kind ?? "nothing"}` };
    },
    { withinMs: 120_000 },
  );
}

interface Volume extends KubeObject {
  readonly spec: { readonly local?: { readonly path: string } };
}

/** Where the volume of a member lies on this machine. */
export const volumeFolder = (cluster: Cluster, member: string): Promise<string> =>
  claimFolder(cluster.world, `data-${member}`);

/** Where that of a claim does, once it has one. */
export async function claimFolder({ api, namespace }: World, claim: string): Promise<string> {
  const name = await until(
    `a volume for claim ${claim}`,
    async () => {
      const path = `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${claim}`;
      const { spec, status } = await api.get<PersistentVolumeClaim>(path);
      const isBound = status?.phase === "Bound" && spec?.volumeName !== undefined;
      return isBound ? { found: spec.volumeName } : { missing: `it is ${status?.phase}` };
    },
    { withinMs: LOST_MS },
  );
  const volume = await api.get<Volume>(`/api/v1/persistentvolumes/${name}`);
  if (!volume.spec.local) throw new Error(`the volume of ${claim} is no folder of this machine`);
  return volume.spec.local.path;
}

/** The folder in which the agent of a pod puts ev-node's config: in memory, and seen by kubelet here. */
export function configFolder({ metadata }: Pod): string {
  return join(stateDir, "kubelet/pods", metadata.uid ?? "", "volumes/kubernetes.io~empty-dir/config");
}
