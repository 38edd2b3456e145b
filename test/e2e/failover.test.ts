import { describe, expect, it } from "vitest";
import type { Pod } from "../../src/model/objects.ts";
import { leadsTo } from "./harness/endpoints.ts";
import { useObserved } from "./harness/observed.ts";
import { killEvnode } from "./harness/processes.ts";
import { writeAndRead } from "./harness/transactions.ts";
import { until } from "./harness/until.ts";
import { useWorld } from "./harness/world.ts";

const world = useWorld("failover");
const KILLS = 2;

const observed = useObserved(() => world().cluster("seq"));

/** Every state that the leader's label was in, as a watch delivers it. */
function followLabels() {
  const leaders = new Map<string, string>();
  const states: string[] = [];
  const stop = new AbortController();
  const note = (pod: Pod, isGone: boolean) => {
    const leads = !isGone && pod.metadata.labels?.["evnode.dev/role"] === "leader";
    if (leads) leaders.set(pod.metadata.uid ?? "", pod.metadata.name);
    else leaders.delete(pod.metadata.uid ?? "");
    const state = [...leaders.values()].sort().join("+");
    if (state !== states.at(-1)) states.push(state);
  };
  const watching = observed().cluster.watchPods(
    ({ type, object }) => note(object, type === "DELETED"),
    stop.signal,
  );
  return {
    states,
    stop: async () => {
      stop.abort();
      await watching;
    },
  };
}

async function killLeader(): Promise<Pod> {
  const { cluster } = observed();
  const leader = await cluster.leaderPod();
  await killEvnode(world(), leader);
  return leader;
}

/** A leader after the label went: another member as a rule, or the killed one, if it came back before the election. */
async function labelledAnew(states: readonly string[], killed: Pod): Promise<Pod> {
  const { cluster } = observed();
  await until(
    "the label to go, and to come again",
    async () => {
      const went = states.lastIndexOf("") > states.indexOf(killed.metadata.name);
      return went && states.at(-1) !== "" ? { found: true } : { missing: `it went ${states.join(" -> ")}` };
    },
    { withinMs: 60_000 },
  );
  return cluster.leaderPod();
}

describe("when the leader is killed", () => {
  it.each(Array.from({ length: KILLS }, (_, kill) => kill + 1))(
    "one leads again, is labelled, takes transactions and builds on the last block (kill %i)",
    async (kill) => {
      const { cluster, observer } = observed();
      const before = observer.record.top;
      const labels = followLabels();
      try {
        const killed = await killLeader();
        const leader = await labelledAnew(labels.states, killed);
        await leadsTo(cluster, `${cluster.name}-leader`, [leader.metadata.name]);
        await writeAndRead(cluster, `after-kill-${kill}`, "arrived");
        await observer.risesAbove(before + 10);
        await cluster.isRunning();
        expect(labels.states.find((state) => state !== "")).toBe(killed.metadata.name);
        expect(labels.states).toContain(leader.metadata.name);
      } finally {
        await labels.stop();
      }
      // The old label goes before the new one comes, in every change of the leader.
      expect(labels.states.filter((state) => state.includes("+"))).toEqual([]);
    },
  );

  it("the chain is one, and at most the last block of a killed leader went with it", async () => {
    const { observer } = observed();
    await observer.goesOn();
    await observer.hasReadAll();
    expect(observer.record.problems()).toEqual([]);
    expect(observer.record.withdrawn().length).toBeLessThanOrEqual(KILLS);
  });

  it("events tell who leads", async () => {
    const { cluster } = observed();
    const { note } = await cluster.tells("LeaderElected", /^seq-\d leads/);
    expect(note).toMatch(/^seq-\d leads/);
  });
});
