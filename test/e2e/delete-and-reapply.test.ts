import { describe, expect, it } from "vitest";
import { useObserved } from "./harness/observed.ts";
import { readFromAll, writeAndRead } from "./harness/transactions.ts";
import { useWorld } from "./harness/world.ts";

const world = useWorld("reapply");
const observed = useObserved(() => world().cluster("seq"));

const uidsOfClaims = async () => {
  const { cluster } = observed();
  const claims = await Promise.all(cluster.memberNames.map((member) => cluster.claim(`data-${member}`)));
  return claims.map((claim) => claim?.metadata.uid);
};

describe("a cluster that is deleted and applied again", () => {
  let last = 0;
  let before: { readonly claims: readonly (string | undefined)[]; readonly identity: string | undefined };

  it("keeps its volumes and its identity, and says so", async () => {
    const { cluster, observer } = observed();
    await writeAndRead(cluster, "written", "before");
    await observer.goesOn(10);
    const identity = await cluster.secret(`${cluster.name}-identity`);
    before = { claims: await uidsOfClaims(), identity: identity.metadata.uid };

    await cluster.delete();
    await cluster.tells(
      "VolumesRetained",
      /data-seq-0, data-seq-1, data-seq-2 and Secret seq-identity are kept/,
    );
    expect(await uidsOfClaims()).toEqual(before.claims);
    expect((await cluster.secret(`${cluster.name}-identity`)).metadata.uid).toBe(before.identity);
    expect(before.claims.filter((uid) => uid !== undefined)).toHaveLength(3);
  });

  it("leaves nothing else behind", async () => {
    const { cluster } = observed();
    const collections = ["services", "statefulSets", "budgets", "networkPolicies"] as const;
    for (const collection of collections) expect(await cluster.isGoneFrom(collection)).toEqual([]);
    last = observed().observer.record.top;
    expect(last).toBeGreaterThan(10);
  });

  it("goes on with the same chain: the next block is built on the last one", async () => {
    const { cluster, observer } = observed();
    await cluster.apply();
    await cluster.isRunning();
    await observer.risesAbove(last + 10);
    await observer.hasReadAll();
    // Members read again from their first block: every hash is compared with what was served before.
    expect(observer.record.problems()).toEqual([]);
    // Members level before they elect a leader: not even the block that was served last is made again.
    expect(observer.record.servedTwice()).toEqual([]);
    expect(observer.record.hashAt(last)).toBeDefined();
    expect(await uidsOfClaims()).toEqual(before.claims);
  });

  it("still has what was written, and takes more", async () => {
    const { cluster } = observed();
    await writeAndRead(cluster, "written-again", "after");
    const answers = await readFromAll(cluster, "written");
    expect(answers).toEqual(["before", "before", "before"]);
  });
});

describe("a cluster of which every pod is killed in one moment", () => {
  it("makes no block a second time, and goes on by itself", async () => {
    const { cluster, observer } = observed();
    await observer.goesOn(10);
    const before = (await cluster.pods()).map(({ metadata }) => metadata.uid);
    const all = ["--selector", `evnode.dev/cluster=${cluster.name}`, "--namespace", cluster.namespace];
    await world().kubectl.run(["delete", "pods", ...all, "--grace-period=0", "--force"]);
    const { top } = observer.record;
    await observer.risesAbove(top + 10, 120_000);
    const after = (await cluster.pods()).map(({ metadata }) => metadata.uid);
    expect(after.filter((uid) => before.includes(uid))).toEqual([]);

    await cluster.isRunning();
    await observer.hasReadAll();
    expect(observer.record.problems()).toEqual([]);
    expect(observer.record.servedTwice()).toEqual([]);
  });

  it("has all members in Raft again", async () => {
    const { cluster } = observed();
    const agents = await Promise.all(cluster.memberNames.map((member) => cluster.agent(member)));
    expect(agents.map((agent) => agent?.mode)).toEqual([
      { kind: "raft" },
      { kind: "raft" },
      { kind: "raft" },
    ]);
  });
});
