import { describe, expect, it } from "vitest";
import type { Cluster } from "./harness/cluster.ts";
import { useObserved } from "./harness/observed.ts";
import { holds } from "./harness/until.ts";
import { deleteClaim, findsVolumeEmpty, loseVolume } from "./harness/volumes.ts";
import { useWorld } from "./harness/world.ts";

const world = useWorld("lost");
/** Long enough for several looks of the operator and of every agent, and for elections. */
const WATCHED_MS = 15_000;

/** Nothing of ev-node may have run in the member's pod, however briefly. */
async function hasStarted(cluster: Cluster, member: string): Promise<string | undefined> {
  const pod = (await cluster.pods()).find(({ metadata }) => metadata.name === member);
  const evnode = pod?.status?.containerStatuses?.find(({ name }) => name === "evnode");
  const ran = evnode?.state?.running ?? evnode?.state?.terminated ?? evnode?.lastState?.terminated;
  return ran === undefined ? undefined : `${member} has started ev-node`;
}

async function staysDown(cluster: Cluster, members: readonly string[]): Promise<void> {
  await holds(
    `${members.join(", ")} not started`,
    async () => {
      const started = await Promise.all(members.map((member) => hasStarted(cluster, member)));
      return started.find((found) => found !== undefined);
    },
    { forMs: WATCHED_MS },
  );
}

const newClaimOf = (member: string) => new RegExp(`${member} has [^.]*: claim data-${member} is a new one`);

async function approve(cluster: Cluster, member: string): Promise<void> {
  const annotate = [
    "annotate",
    "--overwrite",
    `evnodeclusters/${cluster.name}`,
    `evnode.dev/approve-rejoin=${member}`,
  ];
  await world().kubectl.run([...annotate, "--namespace", cluster.namespace]);
}

describe("a cluster that loses one volume", () => {
  const observed = useObserved(() => world().cluster("one", { spec: { repair: { mode: "Approve" } } }));

  it("does not start the member on an empty one, and says which and what to do", async () => {
    const { cluster, observer } = observed();
    await loseVolume(cluster, "one-2");
    await findsVolumeEmpty(cluster, "one-2");
    const words = [newClaimOf("one-2"), /evnode\.dev\/approve-rejoin=one-2$/];
    expect(await cluster.becomes("VolumesReady", "VolumeLost", words)).toMatchObject({ status: "False" });
    await staysDown(cluster, ["one-2"]);
    await observer.goesOn();
  });

  it("has it rebuilt from the others once its owner approves", async () => {
    const { cluster, observer } = observed();
    await approve(cluster, "one-2");
    await cluster.isRunning();
    await observer.goesOn();
    await observer.hasReadAll(120_000);
    expect(observer.record.problems()).toEqual([]);
    expect((await cluster.becomes("VolumesReady", "VolumesIntact")).status).toBe("True");
    expect((await cluster.tells("MemberRebuilt", /one-2/)).type).toBe("Warning");
  });

  it("does the same when the volume was lost while the cluster was deleted", async () => {
    const { cluster, observer } = observed();
    await cluster.delete();
    await deleteClaim(cluster, "one-1");
    await cluster.apply();
    await findsVolumeEmpty(cluster, "one-1");
    await cluster.becomes("VolumesReady", "VolumeLost", [newClaimOf("one-1"), /approve-rejoin=one-1$/]);
    await staysDown(cluster, ["one-1"]);
    await observer.goesOn();

    await approve(cluster, "one-1");
    await cluster.isRunning();
    await observer.goesOn();
    await observer.hasReadAll(120_000);
    expect(observer.record.problems()).toEqual([]);
  });

  it("starts nobody when all volumes were lost while it was deleted: no chain begins again at block 1", async () => {
    const { cluster, observer } = observed();
    const { top } = observer.record;
    await cluster.delete();
    for (const member of cluster.memberNames) await deleteClaim(cluster, member);
    await cluster.apply();
    for (const member of cluster.memberNames) await findsVolumeEmpty(cluster, member);
    await cluster.becomes("VolumesReady", "VolumeLost", [
      ...cluster.memberNames.map(newClaimOf),
      /3 of 3 members are lost, so the rest is no majority: bring the volumes back/,
    ]);
    // Not even when somebody asks for it: there is no majority that a member could be rebuilt from.
    await approve(cluster, "one-0");
    await staysDown(cluster, cluster.memberNames);
    expect(observer.record.problems()).toEqual([]);
    expect(observer.record.top).toBeGreaterThanOrEqual(top);
    expect(await cluster.condition("Ready")).toMatchObject({ status: "False" });
  });
});

describe("a cluster that loses the volumes of a majority while it runs", () => {
  const observed = useObserved(() => world().cluster("most", { spec: { repair: { mode: "Approve" } } }));

  it("makes no more blocks, starts nobody on an empty volume, and says so", async () => {
    const { cluster, observer } = observed();
    await observer.goesOn();
    await Promise.all([loseVolume(cluster, "most-0"), loseVolume(cluster, "most-1")]);
    for (const member of ["most-0", "most-1"]) await findsVolumeEmpty(cluster, member);
    const words = [newClaimOf("most-0"), newClaimOf("most-1"), /2 of 3 members are lost/];
    await cluster.becomes("VolumesReady", "VolumeLost", words);
    await approve(cluster, "most-0");

    const { top } = observer.record;
    await staysDown(cluster, ["most-0", "most-1"]);
    // One that levels shows its last block, which nobody may have asked for before.
    expect(observer.record.top).toBeLessThanOrEqual(top + 2);
    expect(observer.record.problems()).toEqual([]);
  });

  it("nor when the last volume goes too", async () => {
    const { cluster, observer } = observed();
    const { top } = observer.record;
    await loseVolume(cluster, "most-2");
    await findsVolumeEmpty(cluster, "most-2");
    await cluster.becomes("VolumesReady", "VolumeLost", [newClaimOf("most-2"), /3 of 3 members are lost/]);
    await staysDown(cluster, cluster.memberNames);
    // One that levels shows its last block, which nobody may have asked for before.
    expect(observer.record.top).toBeLessThanOrEqual(top + 2);
    expect(observer.record.problems()).toEqual([]);
  });
});
