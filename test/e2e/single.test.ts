import { describe, expect, it } from "vitest";
import { annotations } from "../../src/model/annotations.ts";
import { leadsTo } from "./harness/endpoints.ts";
import { environment } from "./harness/environment.ts";
import { useObserved } from "./harness/observed.ts";
import { annotate, edit, isRolledOut } from "./harness/owner.ts";
import { killEvnode } from "./harness/processes.ts";
import { RolloutWatch } from "./harness/rollout-watch.ts";
import { writeAndRead } from "./harness/transactions.ts";
import { until } from "./harness/until.ts";
import { findsVolumeEmpty } from "./harness/volumes.ts";
import { useWorld } from "./harness/world.ts";

const world = useWorld("single");
const observed = useObserved(() => world().cluster("solo", { members: 1 }));

const MEMBER = "solo-0";
const RESTART_MS = 240_000;

/** Every block before is still there, as it was, and more have come. */
async function chainGoesOn(): Promise<void> {
  const { observer } = observed();
  await observer.goesOn(10);
  await observer.hasReadAll();
  expect(observer.record.problems()).toEqual([]);
  expect(observer.record.withdrawn()).toEqual([]);
}

async function watched(part: () => Promise<void>): Promise<RolloutWatch> {
  const { cluster } = observed();
  await cluster.isRunning();
  return RolloutWatch.during(cluster, async () => {
    await part();
    await isRolledOut(cluster);
  });
}

describe("a single sequencer", () => {
  it("comes up from one apply, makes blocks, and is well in every respect", async () => {
    const { cluster } = observed();
    await chainGoesOn();
    const { status } = await cluster.get();
    expect(status).toMatchObject({
      phase: "Running",
      quorum: "Healthy",
      leader: MEMBER,
      readyMembers: "1/1",
      leaderChangesLastHour: 0,
    });
    expect(status?.effective?.raftTiming).toBeUndefined();
    const bad = (status?.conditions ?? []).filter(({ type, status: is }) => {
      return is !== (["Reconciling", "Stalled"].includes(type) ? "False" : "True");
    });
    expect(bad).toEqual([]);
  });

  it("is told of in one line", async () => {
    const { cluster } = observed();
    const path = ["{.status.phase}", "{.status.leader}", "{.status.quorum}", "{.status.readyMembers}"];
    const told = await world().kubectl.run([
      "get",
      "evnodeclusters",
      cluster.name,
      "--namespace",
      cluster.namespace,
      "--output",
      `jsonpath=${path.join(" ")}`,
    ]);
    expect(told).toBe(`Running ${MEMBER} Healthy 1/1`);
  });

  it("takes transactions and answers reads through its Services, and has no disruption budget", async () => {
    const { cluster } = observed();
    await leadsTo(cluster, "solo-leader", [MEMBER]);
    await leadsTo(cluster, "solo-rpc", [MEMBER]);
    await writeAndRead(cluster, "first", "transaction");
    expect(await cluster.api.find(cluster.path("budgets", cluster.name))).toBeUndefined();
  });

  it("is rolled to another image in its pod, with one gap that is told, on the same chain", async () => {
    const { cluster } = observed();
    const { otherNode } = environment().images;
    const watch = await watched(() => edit(cluster, { image: otherNode }));
    expect(watch.restarts).toEqual([{ member: MEMBER, isSamePod: true, isSameAddress: true }]);
    expect(watch.leaders).toEqual([MEMBER]);
    expect(watch.told.map(({ phase }) => phase)).not.toContain("Down");
    await chainGoesOn();
    const told = await until(
      "the gap of the rollout in the status",
      async () => {
        const { lastRollout, lastHandover } = (await cluster.get()).status ?? {};
        return lastRollout?.longestGapMs !== undefined && lastHandover
          ? { found: { lastRollout, lastHandover } }
          : { missing: JSON.stringify(lastRollout) };
      },
      { withinMs: 60_000 },
    );
    expect(told.lastRollout).toMatchObject({ result: "Completed", changes: ["image"], leaderChanges: 0 });
    expect(told.lastRollout.longestGapMs).toBeGreaterThan(0);
    expect(told.lastHandover.leader).toBe(MEMBER);
    expect(told.lastHandover.parentHash).toBe(told.lastHandover.hash);
  });

  it("is not restarted for a change that is about Raft", async () => {
    const { cluster } = observed();
    const watch = await watched(() => edit(cluster, { raft: { timing: null, rttMax: "60ms" } }));
    expect(watch.restarts).toEqual([]);
  });

  it("is replaced where a change needs another pod, and goes on with its volume", async () => {
    const { cluster } = observed();
    const watch = await watched(() => edit(cluster, { pod: { terminationGracePeriodSeconds: 46 } }));
    expect(watch.restarts.map(({ member, isSamePod }) => ({ member, isSamePod }))).toEqual([
      { member: MEMBER, isSamePod: false },
    ]);
    await chainGoesOn();
  });

  it(
    "is restarted when its owner asks for it",
    async () => {
      const { cluster } = observed();
      const watch = await watched(async () => {
        await annotate(cluster, { [annotations.restartMember]: MEMBER });
        await until(
          "the end of the request",
          async () => {
            const { metadata } = await cluster.get();
            const asked = metadata.annotations?.[annotations.restartMember];
            return asked === undefined ? { found: true } : { missing: "it is still asked for" };
          },
          { withinMs: RESTART_MS },
        );
      });
      expect(watch.order.length).toBeGreaterThan(0);
      await chainGoesOn();
    },
    RESTART_MS + 120_000,
  );

  it("goes on while the trial of an image finds that it is not to be had", async () => {
    const { cluster } = observed();
    await cluster.isRunning();
    await edit(cluster, { image: "registry.invalid/none:1" });
    await cluster.becomes("Stalled", "RehearsalFailed", [], 180_000);
    await observed().observer.goesOn(10);
    const { otherNode } = environment().images;
    await edit(cluster, { image: otherNode });
    await isRolledOut(cluster);
    expect((await cluster.get()).status?.image).toBe(otherNode);
  });

  it("refuses a drill, and says why", async () => {
    const { cluster } = observed();
    await annotate(cluster, { [annotations.drill]: "monday" });
    await cluster.tells("DrillRefused", /it takes 3 members, and there are 1/);
    // The status follows the event.
    const told = await until(
      "what the status tells of the drill",
      async () => {
        const { lastDrill } = (await cluster.get()).status ?? {};
        return lastDrill ? { found: lastDrill } : { missing: "nothing" };
      },
      { withinMs: 30_000 },
    );
    expect(told).toMatchObject({ request: "monday", result: "Refused" });
    await observed().observer.goesOn();
  });

  it("goes on from its last block after its process was killed", async () => {
    const { cluster } = observed();
    await killEvnode(world(), await cluster.leaderPod());
    await chainGoesOn();
    expect((await cluster.isRunning()).status?.leader).toBe(MEMBER);
  });
});

describe("the volume of a single sequencer", () => {
  it("is not rebuilt when it is lost: the member waits, and says why", async () => {
    const { cluster } = observed();
    await cluster.isRunning();
    const { top } = observed().observer.record;
    await cluster.api.send(cluster.path("claims", `data-${MEMBER}`), { method: "DELETE" });
    await cluster.api.send(cluster.path("pods", MEMBER), { method: "DELETE" });
    await cluster.becomes(
      "VolumesReady",
      "VolumeLost",
      [/the only copy of the chain/, /data-solo-0/],
      180_000,
    );
    await cluster.becomes("Ready", "QuorumLost", [/the only member, does not run/], 180_000);
    await annotate(cluster, { [annotations.approveRejoin]: MEMBER });
    await findsVolumeEmpty(cluster, MEMBER);
    expect(observed().observer.record.problems()).toEqual([]);
    expect(observed().observer.record.top).toBeGreaterThanOrEqual(top);
  });
});
