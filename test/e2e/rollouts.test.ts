import { describe, expect, it } from "vitest";
import type { Status } from "../../src/api/evnodecluster.ts";
import { annotations } from "../../src/model/annotations.ts";
import { processesOf } from "./harness/cluster.ts";
import { environment } from "./harness/environment.ts";
import { useObserved } from "./harness/observed.ts";
import { annotate, edit, isRolledOut } from "./harness/owner.ts";
import { RolloutWatch } from "./harness/rollout-watch.ts";
import { holds, until } from "./harness/until.ts";
import { useWorld } from "./harness/world.ts";

const world = useWorld("rollouts");
const observed = useObserved(() => world().cluster("seq"));
const COMPLETE_MS = 240_000;

/** Runs a part while it is watched, and answers what was seen when every member runs the spec again. */
async function watched(part: (watch: RolloutWatch) => Promise<void>): Promise<RolloutWatch> {
  const { cluster, observer } = observed();
  await cluster.isRunning();
  return RolloutWatch.during(cluster, async (watch) => {
    await part(watch);
    await isRolledOut(cluster);
    await observer.goesOn();
  });
}

/** Waits until the status tells of a rollout in this way, and answers what it tells. */
async function tells(
  what: string,
  isSo: (told: Status) => boolean,
  withinMs = 60_000,
): Promise<NonNullable<Status["rollout"]>> {
  return until(
    what,
    async () => {
      const { status = {} } = await observed().cluster.get();
      const { rollout } = status;
      return rollout && isSo(status)
        ? { found: rollout }
        : { missing: JSON.stringify({ ...rollout, updated: status.updatedMembers }) };
    },
    { withinMs },
  );
}

/** Followers from the highest ordinal on, then the leader. */
async function expectedOrder(): Promise<readonly string[]> {
  const { cluster } = observed();
  const { name } = (await cluster.leaderPod()).metadata;
  return [...cluster.memberNames.toReversed().filter((member) => member !== name), name];
}

const inPlace = (member: string) => ({ member, isSamePod: true, isSameAddress: true });

const imageOf = (pods: Awaited<ReturnType<ReturnType<typeof observed>["cluster"]["pods"]>>) => [
  ...new Set(pods.flatMap(({ spec }) => spec?.containers.map(({ image }) => image))),
];

describe("a change of the image", () => {
  it("goes to the followers first and to the leader last, each in its own pod", async () => {
    const { cluster } = observed();
    const { otherNode } = environment().images;
    const order = await expectedOrder();
    const watch = await watched(async () => {
      await edit(cluster, { image: otherNode });
    });

    expect(watch.restarts).toEqual(order.map(inPlace));
    expect(watch.leaders.length).toBe(2);
    expect(watch.updated).toEqual(["3/3", "0/3", "1/3", "2/3", "3/3"]);
    expect(imageOf(await cluster.pods())).toEqual([otherNode]);
    expect((await cluster.get()).status?.image).toBe(otherNode);
    const plans = watch.told.flatMap(({ rollout }) => (rollout?.startedAt ? [rollout.plan ?? []] : []));
    expect(plans[0]?.map(({ member, way, state }) => [member, way, state])).toEqual(
      order.map((member) => [member, "Restart", "Waiting"]),
    );
  });

  it("is told of in the status and in events when it is over", async () => {
    const { cluster } = observed();
    const { status } = await cluster.get();
    expect(status?.rollout).toBeUndefined();
    expect(status?.lastRollout).toMatchObject({ result: "Completed", changes: ["image"], leaderChanges: 1 });
    expect(status?.lastRollout?.longestGapMs).toBeGreaterThan(0);
    expect(status?.lastHandover?.leader).toBe(status?.leader);
    expect(status?.lastHandover?.parentHash).toBe(status?.lastHandover?.hash);
    const events = await cluster.events();
    const restarts = events.filter(({ reason }) => reason === "MemberRestarted");
    const restarted = restarts.map(({ note = "" }) => note.split(" ")[0] ?? "");
    expect(restarted.sort()).toEqual(cluster.memberNames);
    expect(restarts.filter(({ note }) => note?.includes("the leader, last")).length).toBe(1);
    expect(events.filter(({ reason }) => reason === "RolloutStarted").length).toBe(1);
  });
});

describe("a change of the config", () => {
  it("restarts ev-node in its pods, the leader last", async () => {
    const { cluster } = observed();
    const order = await expectedOrder();
    const watch = await watched(async () => {
      await edit(cluster, { log: { level: "debug" } });
    });
    expect(watch.restarts).toEqual(order.map(inPlace));
    expect(watch.leaders.length).toBe(2);
  });
});

describe("a change that needs new pods", () => {
  it("goes by eviction, the leader last", async () => {
    const { cluster } = observed();
    const order = await expectedOrder();
    const watch = await watched(async () => {
      await edit(cluster, { pod: { terminationGracePeriodSeconds: 46 } });
    });
    expect(watch.order).toEqual(order);
    expect(watch.restarts.map(({ isSamePod }) => isSamePod)).toEqual([false, false, false]);
    expect(watch.leaders.length).toBe(2);
    for (const member of order) {
      await cluster.tells(
        "MemberReplaced",
        new RegExp(`^The pod of ${member} is evicted .*terminationGrace`),
      );
    }
  });
});

describe("a restart that is asked for", () => {
  it("of the cluster takes every member, the leader last", async () => {
    const { cluster } = observed();
    const order = await expectedOrder();
    const watch = await watched(async (seen) => {
      await annotate(cluster, { [annotations.restart]: "once" });
      await until(
        "a restart of every member",
        async () =>
          seen.restarts.length >= cluster.members ? { found: true } : { missing: seen.order.join(", ") },
        { withinMs: COMPLETE_MS },
      );
    });
    expect(watch.restarts).toEqual(order.map(inPlace));
    expect(watch.leaders.length).toBe(2);
  });

  it("of one member takes that one, and the request is taken away", async () => {
    const { cluster } = observed();
    const [follower = ""] = await expectedOrder();
    const watch = await watched(async () => {
      await annotate(cluster, { [annotations.restartMember]: follower });
      await until(
        "the end of the request",
        async () => {
          const asked = (await cluster.get()).metadata.annotations?.[annotations.restartMember];
          return asked === undefined ? { found: true } : { missing: `it is ${asked}` };
        },
        { withinMs: 90_000 },
      );
    });
    expect(watch.restarts).toEqual([inPlace(follower)]);
  });
});

describe("mode Plan", () => {
  const told = (hash?: string) =>
    tells("a plan that waits", ({ rollout }) => {
      return rollout?.planHash !== undefined && rollout.planHash !== hash;
    });

  it("publishes a plan and touches nobody, also not for the approval of an older plan", async () => {
    const { cluster } = observed();
    const { node, otherNode } = environment().images;
    const before = processesOf(await cluster.pods());
    await edit(cluster, { rollout: { mode: "Plan" }, image: node });
    const first = await told();
    await cluster.becomes("RolloutComplete", "PlanAwaitsApproval", [new RegExp(`=${first.planHash}`)]);
    expect(first.changes).toEqual(["image"]);
    expect(first.plan?.map(({ member }) => member)).toEqual(await expectedOrder());
    await edit(cluster, { log: { level: "info" } });
    const second = await told(first.planHash);
    expect(second.changes?.toSorted()).toEqual(["image", "log.level"]);

    await annotate(cluster, { [annotations.approveRollout]: first.planHash ?? "" });
    await holds(
      "a plan that is not approved",
      async () => {
        const pods = await cluster.pods();
        const same = JSON.stringify(processesOf(pods)) === JSON.stringify(before);
        return same && imageOf(pods).join() === otherNode ? undefined : JSON.stringify(processesOf(pods));
      },
      { forMs: 20_000 },
    );
    const template = (await cluster.statefulSet()).spec?.template.spec?.containers;
    expect(template?.map(({ image }) => image)).toContain(otherNode);
  });

  it("carries out the plan that is approved by its hash, once", async () => {
    const { cluster } = observed();
    const order = await expectedOrder();
    const { planHash = "" } = await told();
    const watch = await watched(async () => {
      await annotate(cluster, { [annotations.approveRollout]: planHash });
    });
    expect(watch.restarts).toEqual(order.map(inPlace));
    expect(imageOf(await cluster.pods())).toEqual([environment().images.node]);
    const { metadata } = await cluster.get();
    expect(metadata.annotations?.[annotations.approveRollout]).toBeUndefined();
  });
});

describe("mode Paused", () => {
  it("stops a rollout between two members, and Auto ends it", async () => {
    const { cluster, observer } = observed();
    const { otherNode } = environment().images;
    await edit(cluster, { rollout: { mode: "Auto" } });
    const order = await expectedOrder();
    const watch = await watched(async (seen) => {
      await edit(cluster, { image: otherNode });
      await tells("one updated member", ({ updatedMembers }) => updatedMembers === "1/3", COMPLETE_MS);
      await edit(cluster, { rollout: { mode: "Paused" } });
      await cluster.becomes("RolloutComplete", "RolloutPaused");
      await cluster.becomes("Ready", "AllMembersReady", [], 120_000);
      // One that was under way when it was paused is finished.
      const restarted = seen.restarts.length;
      expect(restarted).toBeLessThan(cluster.members);
      await holds(
        "a paused rollout",
        async () => (seen.restarts.length === restarted ? undefined : seen.order.join(", ")),
        { forMs: 20_000 },
      );
      await observer.goesOn();
      await edit(cluster, { rollout: { mode: "Auto" } });
    });
    expect(watch.restarts).toEqual(order.map(inPlace));
    expect(watch.leaders.length).toBe(2);
  });
});

describe("at the end of all this", () => {
  it("the chain is one, and no block that was served is gone", async () => {
    const { observer } = observed();
    await observer.hasReadAll();
    expect(observer.record.problems()).toEqual([]);
    expect(observer.record.withdrawn()).toEqual([]);
    expect(observer.record.servedTwice()).toEqual([]);
  });
});
