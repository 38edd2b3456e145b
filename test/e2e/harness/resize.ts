import { Cluster } from "./cluster.ts";
import { edit } from "./owner.ts";
import { until } from "./until.ts";

const CHANGE_MS = 240_000;

/** The same cluster with another number of members. */
export const withMembers = ({ world, name }: Cluster, members: 1 | 3 | 5): Cluster =>
  new Cluster(world, name, { members });

/** Changes the number of members to that of `cluster`, and waits until the last of the new ones takes part. */
export async function resize(cluster: Cluster) {
  const { replicas = 3 } = cluster.manifest.spec;
  const { nextEpoch = 0 } = (await cluster.get()).status?.membership ?? {};
  await edit(cluster, { replicas, membership: { approvedEpoch: nextEpoch } });
  const change = await until(
    `${replicas} members in epoch ${nextEpoch}`,
    async () => {
      const { status } = await cluster.get();
      const told = status?.membership?.lastChange;
      if (status?.membership?.epoch === nextEpoch && told?.result === "Completed") return { found: told };
      const found = status?.conditions?.find(({ type }) => type === "MembershipComplete");
      return { missing: `${found?.reason}: ${found?.message}` };
    },
    { withinMs: CHANGE_MS },
  );
  await cluster.isRunning();
  return change;
}
