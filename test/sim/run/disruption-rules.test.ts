import { describe, expect, it } from "vitest";
import { kinds } from "../../../src/model/kinds.ts";
import { StandingCluster } from "./standing-cluster.ts";

const NEXT = "example.org/testapp:2";

/** A cluster whose set asks for another image than its members run. */
async function outdatedCluster(): Promise<StandingCluster> {
  const cluster = await StandingCluster.start();
  cluster.retarget(NEXT);
  return cluster;
}

async function update(cluster: StandingCluster, name: string): Promise<void> {
  await cluster.updateInPlace(name, NEXT);
  await cluster.until(`${name} went away`, () => !cluster.isTaking(name));
  await cluster.until(`${name} is back`, () => cluster.isTaking(name));
  await cluster.pass(2_000);
}

/** Preconditions of a write on the pod as it is. */
function evidenceOf(cluster: StandingCluster, name: string) {
  const { uid = "", resourceVersion = "" } = cluster.pod(name).metadata;
  return { uid, resourceVersion };
}

const evict = (cluster: StandingCluster, name: string) =>
  cluster.api.evict(cluster.pod(name).metadata, { preconditions: evidenceOf(cluster, name) });

const remove = (cluster: StandingCluster, name: string, preconditions = evidenceOf(cluster, name)) =>
  cluster.api.delete(kinds.pod, cluster.pod(name).metadata, { preconditions, propagation: "Background" });

describe("no rule is broken by", () => {
  it("a rollout in place, the leader last", async () => {
    const cluster = await outdatedCluster();
    const { leader } = cluster;
    for (const { name } of cluster.followers) await update(cluster, name);
    await update(cluster, leader.name);
    expect(cluster.universe.violations).toEqual([]);
    expect(cluster.runs().map(({ process }) => process?.image)).toEqual([NEXT, NEXT, NEXT]);
    expect(cluster.universe.counts.of("operator took a healthy member away: in place")).toBe(3);
    expect(cluster.universe.leaderEnds).toBe(1);
  });

  it("an eviction, and a write that is refused", async () => {
    const cluster = await outdatedCluster();
    const [first, second] = cluster.followers;
    await evict(cluster, first.name);
    await expect(evict(cluster, second.name)).rejects.toMatchObject({ kind: "DisruptionBudget" });
    expect(cluster.universe.violations).toEqual([]);
  });

  it("members that failed, one after another, also without a leader", async () => {
    const cluster = await StandingCluster.start();
    cluster.retarget("example.org/testapp:missing-1");
    for (const { name } of [...cluster.followers, cluster.leader])
      cluster.universe.registry.delete(kinds.pod, cluster.pod(name).metadata);
    await cluster.pass(15_000);
    expect(cluster.taking()).toEqual([]);
    cluster.retarget(NEXT);
    for (const { name } of cluster.runs()) await remove(cluster, name);
    await cluster.until("all are back", () => cluster.taking().length === 3);
    expect(cluster.universe.violations).toEqual([]);
  });

  it("a majority that was lost a moment ago, which is counted", async () => {
    const cluster = await outdatedCluster();
    const [first, second] = cluster.followers;
    await cluster.pass(2_000);
    cluster.universe.kubelet.containers.exit(first, 137, "killed");
    await cluster.updateInPlace(second.name, NEXT);
    expect(cluster.universe.violations).toEqual([]);
    const misses = [...cluster.universe.counts.entries()].filter(([what]) => what.startsWith("near miss"));
    expect(misses).toEqual([["near miss: the others that take part are no majority", 1]]);
  });
});

describe("a rule is broken by whoever takes away", () => {
  it.each<[string, string, (cluster: StandingCluster) => Promise<unknown>]>([
    [
      "a second member while the first one is away",
      "which was taken away before, is not back",
      async (cluster) => {
        const [first, second] = cluster.followers;
        await cluster.updateInPlace(first.name, NEXT);
        await cluster.updateInPlace(second.name, NEXT);
      },
    ],
    [
      "a voter while another has no raft port",
      "the others that take part are no majority",
      async (cluster) => {
        const [first, second] = cluster.followers;
        cluster.universe.links.cut(cluster.leader, first, 60_000);
        await cluster.pass(5_000);
        await cluster.updateInPlace(second.name, NEXT);
      },
    ],
    [
      "a voter while another one lags",
      "is too far behind",
      async (cluster) => {
        const [first, second] = cluster.followers;
        await cluster.updateInPlace(first.name, "example.org/testapp:lagging-1");
        await cluster.pass(30_000);
        await cluster.updateInPlace(second.name, NEXT);
      },
    ],
    [
      "the leader while others are outdated",
      "it leads, and another member is outdated",
      async (cluster) => {
        await cluster.pass(3_000);
        await cluster.updateInPlace(cluster.leader.name, NEXT);
      },
    ],
    [
      "a member that runs the target",
      "it runs what it has to run",
      async (cluster) => {
        const [{ name }] = cluster.followers;
        await update(cluster, name);
        await remove(cluster, name);
      },
    ],
    [
      "a member that the disruption budget takes for well",
      "the disruption budget does not know that it goes",
      async (cluster) => {
        await cluster.pass(5_000);
        await cluster.putImage(cluster.followers[0].name, NEXT);
      },
    ],
    [
      "a member while nobody leads",
      "nobody leads",
      async (cluster) => {
        const { followers, leader } = cluster;
        // One that never catches up does not stand for election.
        for (const { process } of followers) if (process) Object.assign(process, { catchUp: 0 });
        cluster.universe.kubelet.containers.exit(leader, 137, "killed");
        await cluster.pass(1_500);
        await cluster.updateInPlace(followers[0].name, NEXT);
      },
    ],
    [
      "a pod in whatever version",
      "without its resourceVersion",
      async (cluster) => {
        const [{ name, uid }] = cluster.followers;
        const preconditions = { uid };
        await cluster.api.evict(cluster.pod(name).metadata, { preconditions });
      },
    ],
  ])("%s", async (_, problem, act) => {
    const cluster = await outdatedCluster();
    await act(cluster);
    expect(cluster.universe.violations.join("\n")).toContain(problem);
  });
});
