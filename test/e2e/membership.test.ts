import { describe, expect, it } from "vitest";
import { Cluster } from "./harness/cluster.ts";
import { useObserved } from "./harness/observed.ts";
import { edit } from "./harness/owner.ts";
import { readFromAll, writeAndRead } from "./harness/transactions.ts";
import { until } from "./harness/until.ts";
import { useWorld } from "./harness/world.ts";

const world = useWorld("membership");
const observed = useObserved(() => world().cluster("seq", { members: 1 }));

type Size = 1 | 3 | 5;

/** The same cluster with another number of members. */
const of = (members: Size) => new Cluster(world(), "seq", { members });

/** Changes the number of members, and waits until the last of the new ones takes part. */
async function becomes(members: Size) {
  const cluster = of(members);
  const { nextEpoch = 0 } = (await cluster.get()).status?.membership ?? {};
  await edit(cluster, { replicas: members, membership: { approvedEpoch: nextEpoch } });
  const change = await until(
    `${members} members in epoch ${nextEpoch}`,
    async () => {
      const { status } = await cluster.get();
      const told = status?.membership?.lastChange;
      if (status?.membership?.epoch === nextEpoch && told?.result === "Completed") return { found: told };
      const found = status?.conditions?.find(({ type }) => type === "MembershipComplete");
      return { missing: `${found?.reason}: ${found?.message}` };
    },
    { withinMs: 240_000 },
  );
  await cluster.isRunning();
  return change;
}

async function goesOnWith(members: Size, transaction: string): Promise<void> {
  const { observer } = observed();
  await writeAndRead(of(members), transaction, "kept");
  await observer.goesOn(5);
  expect(observer.record.problems()).toEqual([]);
  expect(observer.record.servedTwice()).toEqual([]);
}

describe("the number of members", () => {
  it("is not changed before its owner approves that", async () => {
    const { cluster } = observed();
    await writeAndRead(cluster, "first", "kept");
    await edit(cluster, { replicas: 3 });
    await cluster.becomes("MembershipComplete", "MembershipAwaitsApproval", [/approvedEpoch to 2/]);
    expect(await cluster.pods()).toHaveLength(1);
  });

  it.each<[Size, Size]>([
    [1, 3],
    [3, 5],
    [5, 3],
    [3, 1],
  ])("changes from %i to %i on the same chain, with one interruption that is told", async (before, after) => {
    const change = await becomes(after);
    expect(change).toMatchObject({ from: before, to: after });
    expect(change.gapMs).toBeGreaterThan(0);
    await goesOnWith(after, `with-${after}-after-${before}`);
    expect(await of(after).pods()).toHaveLength(after);
    expect(await readFromAll(of(after), "first")).toEqual(Array.from({ length: after }, () => "kept"));
  });
});
