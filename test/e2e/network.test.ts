import { afterAll, describe, expect, it } from "vitest";
import { fixed } from "../../src/api/fixed.ts";
import { EVNODE_CONTAINER } from "../../src/model/member.ts";
import type { Cluster } from "./harness/cluster.ts";
import { type Cut, closePort, cutOff } from "./harness/cut-paths.ts";
import { delayed } from "./harness/delays.ts";
import { environment } from "./harness/environment.ts";
import { useObserved } from "./harness/observed.ts";
import { edit, isRolledOut } from "./harness/owner.ts";
import { RolloutWatch } from "./harness/rollout-watch.ts";
import { holds, until } from "./harness/until.ts";
import { useWorld } from "./harness/world.ts";

const world = useWorld("network");
const isElsewhere = environment().machine === undefined;

const cuts: Cut[] = [];
afterAll(async () => {
  for (const cut of cuts) await cut.heal();
});

function kept(cut: Cut): Cut {
  cuts.push(cut);
  return cut;
}

/** The pairs that a message names, in the order of their names. */
const pairsIn = (message: string) =>
  [...message.matchAll(/([\w-]+-\d to [\w-]+-\d) on /g)].map(([, pair = ""]) => pair);
const bothWays = (one: string, other: string) => [`${one} to ${other}`, `${other} to ${one}`];

/** Waits until the condition names these pairs and no other one. */
async function tellsBlocked(cluster: Cluster, pairs: readonly string[], port: string): Promise<void> {
  await until(
    `${pairs.join(", ")} in the condition`,
    async () => {
      const { reason, message = "" } = (await cluster.condition("Connected")) ?? {};
      const isTold = reason === "PathBlocked" && message.includes(port);
      const named = pairsIn(message).toSorted().join();
      return isTold && named === pairs.toSorted().join()
        ? { found: true }
        : { missing: `it is ${reason}: ${message}` };
    },
    // A P2P port that was reached is looked at once a minute, and trouble is told when it lasts.
    { withinMs: 180_000 },
  );
}

async function startedMembers(cluster: Cluster): Promise<readonly string[]> {
  const pods = await cluster.pods();
  return pods
    .filter(({ status }) =>
      status?.containerStatuses?.some(({ name, state }) => name === EVNODE_CONTAINER && !state?.waiting),
    )
    .map(({ metadata }) => metadata.name);
}

describe.skipIf(isElsewhere)("a path that is cut before the first start", () => {
  // No other cluster has it, so it can be closed before there are pods with addresses.
  const RAFT_PORT = 5_099;

  it("is named, and holds the start back until it is open", async () => {
    const cluster = world().cluster("early", { spec: { raft: { port: RAFT_PORT } } });
    const [first = "", second = "", third = ""] = cluster.memberNames;
    const everywhere = kept(await closePort(RAFT_PORT));
    await cluster.apply();
    const all = [...bothWays(first, second), ...bothWays(first, third), ...bothWays(second, third)];
    await tellsBlocked(cluster, all, `Raft port ${RAFT_PORT}`);
    await cluster.becomes("Stalled", "PathBlocked", [/No member is started before all Raft paths are open/]);

    kept(await cutOff(await cluster.pod(first), [await cluster.pod(second)], RAFT_PORT));
    await everywhere.heal();
    await tellsBlocked(cluster, bothWays(first, second), `Raft port ${RAFT_PORT}`);
    await holds(
      "members that wait",
      async () => {
        const started = await startedMembers(cluster);
        return started.length === 0 ? undefined : `started were ${started.join(", ")}`;
      },
      { forMs: 10_000 },
    );
    const { status } = await cluster.get();
    expect(status?.phase).toBe("Bootstrapping");
    expect(status?.network?.roundTrips?.length).toBeGreaterThan(0);

    await cuts.at(-1)?.heal();
    await cluster.isRunning();
    await cluster.becomes("Connected", "PathsOpen");
    await cluster.becomes("Stalled", "NotStalled");
  });
});

describe.skipIf(isElsewhere)("a path that is cut while the members run", () => {
  const late = useObserved(() => world().cluster("late"));

  it.each([
    ["Raft", fixed.raftPort],
    ["P2P", fixed.p2pPort],
  ])("is named with its pair and the %s port, and no longer once it is open", async (name, port) => {
    const { cluster, observer } = late();
    await cluster.becomes("Connected", "PathsOpen");
    const leader = (await cluster.leaderPod()).metadata.name;
    const [one = "", other = ""] = cluster.memberNames.filter((member) => member !== leader);
    const cut = kept(await cutOff(await cluster.pod(one), [await cluster.pod(other)], port));
    await tellsBlocked(cluster, bothWays(one, other), `${name} port ${port}`);
    await observer.goesOn();
    await cut.heal();
    await cluster.becomes("Connected", "PathsOpen");
    expect(observer.record.problems()).toEqual([]);
  });
});

describe.skipIf(isElsewhere)("members that are far apart", () => {
  const RTT_MS = 400;
  /** Works, and is shorter than the formulas give for such round trips. */
  const timing = {
    heartbeatTimeout: "1500ms",
    electionTimeout: "6s",
    leaderLeaseTimeout: "1s",
    sendTimeout: "2s",
  };
  const far = useObserved(() => world().cluster("far", { spec: { raft: { timing } } }));

  const networkOf = async () => (await far().cluster.get()).status?.network;

  it("are measured within a fifth of it, in every pair and direction", async () => {
    const { cluster } = far();
    kept(await delayed(await cluster.pods(), RTT_MS / 2));
    await until(
      `round trips of ${RTT_MS} ms`,
      async () => {
        const told = (await networkOf())?.roundTrips ?? [];
        const isNear = told.length === 6 && told.every(({ rttMs }) => Math.abs(rttMs - RTT_MS) <= RTT_MS / 5);
        return isNear ? { found: true } : { missing: JSON.stringify(told) };
      },
      { withinMs: 300_000, everyMs: 2_000 },
    );
    const { maximum } = (await networkOf()) ?? {};
    expect(Math.abs((maximum?.rttMs ?? 0) - RTT_MS)).toBeLessThanOrEqual(RTT_MS / 5);
  });

  it("get a recommendation that covers it and stays", async () => {
    const rttMax = (await networkOf())?.recommendedTiming?.rttMax;
    expect(["500ms", "600ms"]).toContain(rttMax);
    await holds(
      "the recommendation",
      async () => {
        const now = (await networkOf())?.recommendedTiming?.rttMax;
        return now === rttMax ? undefined : `it is ${now} after ${rttMax}`;
      },
      { forMs: 40_000, everyMs: 2_000 },
    );
  });

  it("are told that their timing is too short for long, and taking what fits is one rollout, the leader last", async () => {
    const { cluster, observer } = far();
    const rttMax = (await networkOf())?.recommendedTiming?.rttMax ?? "";
    const words = [new RegExp(`set spec.raft.rttMax: ${rttMax} in place of spec.raft.timing`)];
    await cluster.becomes("TimingFits", "RoundTripsTooLong", words, 300_000);
    const leader = (await cluster.leaderPod()).metadata.name;
    const watch = await RolloutWatch.during(cluster, async () => {
      await edit(cluster, { raft: { rttMax, timing: null } });
      await isRolledOut(cluster);
    });
    expect(watch.order.toSorted()).toEqual(cluster.memberNames);
    expect(watch.order.at(-1)).toBe(leader);
    await cluster.becomes("TimingFits", "RoundTripsFit");
    expect((await cluster.get()).status?.effective?.raftTiming?.source).toBe("RttMax");
    await observer.hasReadAll();
    expect(observer.record.problems()).toEqual([]);
  });
});
