import { beforeAll, describe, expect, it } from "vitest";
import { isReady } from "./harness/cluster.ts";
import { leadsTo } from "./harness/endpoints.ts";
import { type Observed, useObserved } from "./harness/observed.ts";
import { readFromAll, writeAndRead } from "./harness/transactions.ts";
import { useWorld } from "./harness/world.ts";

const world = useWorld("first");

/** The columns that `kubectl get evnodeclusters` prints, by their heading. */
async function columnsOf({ cluster }: Observed): Promise<Readonly<Record<string, string>>> {
  const table = await world().kubectl.run([
    "get",
    "evnodeclusters",
    cluster.name,
    "--namespace",
    cluster.namespace,
  ]);
  const [headings = [], cells = []] = table
    .trim()
    .split("\n")
    .map((line) => line.split(/\s{2,}/));
  return Object.fromEntries(headings.map((heading, column) => [heading.trim(), cells[column]?.trim() ?? ""]));
}

describe.each([{ members: 3 as const }, { members: 5 as const }])(
  "a first cluster of $members members",
  ({ members }) => {
    const observed = useObserved(() => world().cluster(`seq${members}`, { members }));

    it("comes up from one apply with one leader, and every member makes the same blocks", async () => {
      const { observer } = observed();
      await observer.goesOn(10);
      await observer.hasReadAll();
      expect(observer.record.problems()).toEqual([]);
      expect(observer.record.withdrawn()).toEqual([]);
    });

    it("is told of in one line", async () => {
      const columns = await columnsOf(observed());
      const { metadata } = await observed().cluster.leaderPod();
      expect(columns).toMatchObject({
        NAME: `seq${members}`,
        READY: "True",
        LEADER: metadata.name,
        PHASE: "Running",
      });
      expect(columns["QUORUM"]).toMatch(/^(Healthy|AtRisk)$/);
    });

    // The status tells progress once a minute, which is long enough to wait for once.
    it.runIf(members === 3)("shows a height that rises, within its minute", async () => {
      const { cluster, observer } = observed();
      const before = (await cluster.get()).status?.height ?? 0;
      await observer.risesAbove(before + 5);
      await cluster.reachesHeight(before + 1, 90_000);
      expect(Number((await columnsOf(observed()))["HEIGHT"])).toBeGreaterThan(before);
    });

    it("leads transactions to the leader and reads to every member", async () => {
      const { cluster } = observed();
      const leader = await cluster.leaderPod();
      await leadsTo(cluster, `${cluster.name}-leader`, [leader.metadata.name]);
      await leadsTo(cluster, `${cluster.name}-rpc`, cluster.memberNames);
      await writeAndRead(cluster, "first", "transaction");
      expect(await readFromAll(cluster, "first")).toEqual(cluster.memberNames.map(() => "transaction"));
    });

    it("says what every condition is, and that all is well", async () => {
      const { status } = await observed().cluster.get();
      const conditions = Object.fromEntries(
        (status?.conditions ?? []).map(({ type, reason }) => [type, reason]),
      );
      expect(conditions).toMatchObject({
        Ready: "AllMembersReady",
        Reconciling: "Converged",
        Stalled: "NotStalled",
        LeaderElected: "LeaderElected",
        InSync: "MembersInSync",
        ConfigValid: "ConfigAccepted",
        ChainSafe: "NoForkSeen",
        VolumesReady: "VolumesIntact",
        RolloutComplete: "UpToDate",
        Connected: "PathsOpen",
      });
      expect(status?.readyMembers).toBe(`${members}/${members}`);
    });

    it("has pods that the strictest Pod Security level admits", async () => {
      const pods = await observed().cluster.pods();
      expect(pods.map(isReady)).toEqual(pods.map(() => true));
      expect(pods).toHaveLength(members);
    });
  },
);

describe("the namespace of these tests", () => {
  beforeAll(() => world());

  it("does refuse a pod below the strictest Pod Security level", async () => {
    const pod = ["run", "privileged", "--image=evnode.dev/pause:1", "--privileged", "--dry-run=server"];
    const { code, stderr } = await world().kubectl.attempt([...pod, "--namespace", world().namespace]);
    expect(stderr).toContain('violates PodSecurity "restricted:latest"');
    expect(code).not.toBe(0);
  });
});
