import { describe, expect, it } from "vitest";
import type { Cluster } from "./harness/cluster.ts";
import { useObserved } from "./harness/observed.ts";
import { edit } from "./harness/owner.ts";
import { writeAndRead } from "./harness/transactions.ts";
import { holds, until } from "./harness/until.ts";
import { deleteClaim } from "./harness/volumes.ts";
import { useWorld } from "./harness/world.ts";

const world = useWorld("suspend");
const observed = useObserved(() => world().cluster("seq"));

async function suspend(cluster: Cluster) {
  await edit(cluster, { suspend: true });
  await cluster.becomes("Ready", "Suspended", [/no member runs/], 120_000);
  expect(await cluster.pods()).toEqual([]);
  const { status } = await cluster.get();
  expect(status?.phase).toBe("Suspended");
  return status?.suspension ?? {};
}

async function resume(cluster: Cluster): Promise<void> {
  await edit(cluster, { suspend: false });
  await cluster.isRunning(240_000);
}

/** The first block after is the one after the last before, and names it as its parent. */
async function goesOnFrom(cluster: Cluster, height: number): Promise<void> {
  const handover = await until(
    "what the leader says of its first block",
    async () => {
      const { lastHandover: found } = (await cluster.get()).status ?? {};
      return found?.height !== undefined && found.height >= height
        ? { found }
        : { missing: JSON.stringify(found) };
    },
    { withinMs: 60_000 },
  );
  expect(handover.parentHash).toBe(handover.hash);
}

describe("a cluster that is suspended", () => {
  it("has no pods, keeps what it has, and is left alone", async () => {
    const { cluster } = observed();
    await writeAndRead(cluster, "before", "suspended");
    const told = await suspend(cluster);
    expect(told.heads?.map(({ member }) => member)).toEqual(cluster.memberNames);
    await cluster.tells("Suspended", /The highest block is \d+/);
    const { metadata } = await cluster.get();
    await holds(
      "a suspended cluster that nobody writes to",
      async () => {
        const { resourceVersion } = (await cluster.get()).metadata;
        const pods = await cluster.pods();
        return resourceVersion === metadata.resourceVersion && pods.length === 0
          ? undefined
          : "something was written";
      },
      { forMs: 15_000 },
    );
  });

  it("goes on where it was, with the next block on top of the last one", async () => {
    const { cluster, observer } = observed();
    const { height = 0 } = (await cluster.get()).status?.suspension ?? {};
    expect(height).toBeGreaterThan(0);
    await resume(cluster);
    await goesOnFrom(cluster, height);
    await observer.goesOn();
    await writeAndRead(cluster, "after", "resumed");
    expect(observer.record.problems()).toEqual([]);
  });

  it("goes on with a volume that was lost meanwhile", async () => {
    const { cluster, observer } = observed();
    await suspend(cluster);
    const [lost = ""] = cluster.memberNames;
    await deleteClaim(cluster, lost);
    await resume(cluster);
    await observer.goesOn();
    await observer.hasReadAll();
    expect(observer.record.problems()).toEqual([]);
    expect((await cluster.condition("ChainSafe"))?.status).toBe("True");
  });
});
