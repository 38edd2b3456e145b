import { expect, it } from "vitest";
import { OperatedCluster } from "./operated-cluster.ts";

const MINUTES_MS = 60_000;

it("a leader that never makes a block is replaced, and the chain goes on", async () => {
  const cluster = await OperatedCluster.start();
  const { universe } = cluster;
  for (const { process } of cluster.runs("follower")) if (process) process.isIdle = true;
  // Older than the last block, by more than the whole second that Kubernetes tells.
  await cluster.pass(2_000);
  const [before] = cluster.runs("leader");
  if (!before) throw new Error("there is no leader");
  universe.kubelet.containers.exit(before, 137, "killed");
  await cluster.until("another one leads", () => {
    const [leader] = cluster.runs("leader");
    return leader !== undefined && leader !== before && cluster.runs("follower").length === 2;
  });
  const [idle] = cluster.runs("leader");
  const height = cluster.height();
  await cluster.pass(MINUTES_MS / 2);
  expect([cluster.height(), cluster.runs("leader")[0]?.uid]).toEqual([height, idle?.uid]);
  await cluster.pass(3 * MINUTES_MS);
  expect(cluster.height()).toBeGreaterThan(height);
  expect(universe.violations).toEqual([]);
});
