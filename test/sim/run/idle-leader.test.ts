import { expect, it } from "vitest";
import { kinds } from "../../../src/model/kinds.ts";
import type { PodRun } from "../member/pod-run.ts";
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

it("one that leads after all members had stopped at once is replaced, too", async () => {
  const cluster = await OperatedCluster.start();
  const { universe } = cluster;
  const before = new Set(universe.runs.values());
  // The last block is older than the pods to come, by more than the whole second that Kubernetes tells.
  for (const { process } of before) if (process) process.isIdle = true;
  await cluster.pass(2_000);
  for (const { metadata } of universe.registry.store.all(kinds.pod))
    universe.registry.delete(kinds.pod, metadata, { gracePeriodSeconds: 0 });
  const isNew = (run: PodRun) => !before.has(run);
  await cluster.until("a new one leads, and both others follow it", () => {
    for (const { process } of [...universe.runs.values()].filter(isNew)) if (process) process.isIdle = true;
    return cluster.runs("leader").some(isNew) && cluster.runs("follower").filter(isNew).length === 2;
  });
  for (const { process } of cluster.runs("follower")) delete process?.isIdle;
  const height = cluster.height();
  await cluster.pass(MINUTES_MS / 3);
  expect(cluster.height()).toBe(height);
  await cluster.pass(2 * MINUTES_MS);
  expect(cluster.height()).toBeGreaterThan(height);
  expect(universe.violations).toEqual([]);
});
