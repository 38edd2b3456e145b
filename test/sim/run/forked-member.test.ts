import { expect, it } from "vitest";
import { annotations } from "../../../src/model/annotations.ts";
import { kinds } from "../../../src/model/kinds.ts";
import type { PodRun } from "../member/pod-run.ts";
import { OperatedCluster } from "./operated-cluster.ts";
import { MAIN } from "./wanted.ts";

const said = (cluster: OperatedCluster) => cluster.said("ChainSafe");

/** From then on a member of this role holds other blocks, from this height on. */
function fork(cluster: OperatedCluster, role: "leader" | "follower", from: number): PodRun {
  const [run] = cluster.runs(role);
  if (run === undefined) throw new Error(`there is no ${role}`);
  run.volume.forkedFrom = from;
  return run;
}

function approvalOf({ universe }: OperatedCluster): string | undefined {
  return universe.registry.store.get(kinds.cluster, MAIN)?.metadata.annotations?.[annotations.approveRejoin];
}

it("a member that follows with other blocks is found, named, and rebuilt when its owner says so", async () => {
  const cluster = await OperatedCluster.start();
  const { universe, owner } = cluster;
  const { name, volume } = fork(cluster, "follower", 23);
  await cluster.until("the fork is narrowed down", () => said(cluster).includes("At height 23, "));
  expect(said(cluster)).toContain(`${annotations.approveRejoin}=${name}`);
  expect(cluster.statusOf("Ready")).toBe("False");

  // A change of the spec waits, and so does everything else.
  owner.edit(MAIN, { name: "the image", spec: { image: "example.org/testapp:2" } });
  const { leaderEnds } = universe;
  const writes = universe.registry.store.all(kinds.pod).map(({ metadata }) => metadata.resourceVersion);
  await cluster.pass(20_000);
  expect(universe.registry.store.all(kinds.pod).map(({ metadata }) => metadata.resourceVersion)).toEqual(
    writes,
  );

  owner.approve(MAIN, name);
  await cluster.until("the blocks are set aside", () => volume.forkedFrom === undefined);
  await cluster.until("the fork is over", () => cluster.statusOf("ChainSafe") === "True");
  await cluster.until("the approval is used up", () => approvalOf(cluster) === undefined);
  expect([universe.violations, universe.leaderEnds]).toEqual([[], leaderEnds]);
  await cluster.until("the change goes on", () =>
    [...universe.runs.values()].every(({ process }) => process?.image === "example.org/testapp:2"),
  );
});

it("one that leads is not rebuilt, whatever its owner says", async () => {
  const cluster = await OperatedCluster.start();
  const { name, volume } = fork(cluster, "leader", 23);
  await cluster.until("the fork is narrowed down", () => said(cluster).includes("At height 23, "));
  cluster.owner.approve(MAIN, name);
  await cluster.pass(20_000);
  expect(said(cluster)).toContain("Nothing is rebuilt");
  expect([volume.forkedFrom, cluster.universe.violations]).toEqual([23, []]);
});

it("nor is one of two, also where they part from the others at different heights", async () => {
  const cluster = await OperatedCluster.start();
  const [one, other] = cluster.runs("follower");
  if (!one || !other) throw new Error("there are two followers");
  one.volume.forkedFrom = 23;
  other.volume.forkedFrom = 30;
  await cluster.until("the fork is narrowed down", () => said(cluster).includes("At height 23, "));
  cluster.owner.approve(MAIN, one.name);
  await cluster.pass(20_000);
  expect(said(cluster)).toContain("Nothing is rebuilt: the others differ at another height.");
  expect([one.volume.forkedFrom, other.volume.forkedFrom]).toEqual([23, 30]);
});
