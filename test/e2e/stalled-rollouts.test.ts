import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Spec } from "../../src/api/evnodecluster.ts";
import { fixed } from "../../src/api/fixed.ts";
import { type Cluster, processesOf } from "./harness/cluster.ts";
import { type Cut, cutOff } from "./harness/cut-paths.ts";
import { environment } from "./harness/environment.ts";
import { type Observed, useObserved } from "./harness/observed.ts";
import { edit, isRolledOut } from "./harness/owner.ts";
import { RolloutWatch } from "./harness/rollout-watch.ts";
import { holds, until } from "./harness/until.ts";
import { useWorld } from "./harness/world.ts";

const world = useWorld("stalled");
/** What is independent is tried at the same time, each on its own. */
const one = useObserved(() => world().cluster("one"));
const two = useObserved(() => world().cluster("two"));
const COMPLETE_MS = 120_000;
const DEADLINE = { progressDeadlineSeconds: 20 };
const LONG_DEADLINE = { progressDeadlineSeconds: 120 };

const cuts: Cut[] = [];

afterAll(async () => {
  for (const cut of cuts) await cut.heal();
});

beforeAll(async () => {
  for (const { cluster } of [one(), two()]) await edit(cluster, { rollout: DEADLINE });
});

interface BadChange {
  readonly what: string;
  readonly of: () => Observed;
  readonly spec: Partial<Spec>;
  readonly back: Parameters<typeof edit>[1];
  readonly says: RegExp;
}

const badChanges: readonly BadChange[] = [
  {
    what: "a flag that ev-node does not know",
    of: one,
    spec: { app: { extraArgs: ["--no-such-flag=1"] } },
    back: { app: null },
    says: /no-such-flag/,
  },
  {
    what: "a node that does not exist",
    of: two,
    spec: { pod: { nodeSelector: { "example.com/node": "none" } } },
    back: { pod: null },
    says: /no node takes the pod: .*node.*match/i,
  },
];

const leaderOf = async (cluster: Cluster) => (await cluster.leaderPod()).metadata.name;

describe("a change with which a member does not come up", () => {
  it.concurrent.each(badChanges)("is taken back: $what", async ({ of, spec, back, says }) => {
    const { cluster, observer } = of();
    const leader = await leaderOf(cluster);
    const before = await cluster.pods();
    let pods = before;
    let watch: RolloutWatch;
    try {
      watch = await RolloutWatch.during(cluster, async () => {
        await edit(cluster, spec);
        const words = [new RegExp(`${cluster.name}-\\d`), says];
        await cluster.becomes("RolloutComplete", "RolloutReverted", words, COMPLETE_MS);
        await observer.goesOn();
        await cluster.isRunning();
        await observer.goesOn();
        pods = await cluster.pods();
      });
    } finally {
      // The next part has the same cluster.
      await edit(cluster, back);
    }
    const replaced = pods.filter(({ metadata }, index) => metadata.uid !== before[index]?.metadata.uid);
    expect(replaced.length).toBe(1);
    expect(replaced.map(({ metadata }) => metadata.name)).not.toContain(leader);
    expect(watch.leaders).toEqual([leader]);
    await isRolledOut(cluster);
    expect(processesOf(await cluster.pods())).toEqual(processesOf(pods));
  });
});

async function firstGiven(watch: RolloutWatch, image: string): Promise<string> {
  return until(
    `a member that gets ${image}`,
    async () => {
      const [first] = watch.givenTo(image);
      return first === undefined ? { missing: "none has it" } : { found: first };
    },
    { withinMs: 60_000, everyMs: 20 },
  );
}

/** From all other members, on one port or on all. */
async function cutMember(cluster: Cluster, member: string, port?: number): Promise<Cut> {
  const others = (await cluster.pods()).filter(({ metadata }) => metadata.name !== member);
  const cut = await cutOff(await cluster.pod(member), others, port);
  cuts.push(cut);
  return cut;
}

describe.skipIf(environment().machine === undefined)("a member that is cut off", () => {
  it.concurrent("after its start holds the others back, and goes back to what it ran", async () => {
    const { cluster, observer } = one();
    const { node, otherNode } = environment().images;
    const leader = await leaderOf(cluster);
    let victim = "";
    const watch = await RolloutWatch.during(cluster, async (seen) => {
      await edit(cluster, { image: otherNode });
      victim = await firstGiven(seen, otherNode);
      const cut = await cutMember(cluster, victim);
      await cluster.becomes("RolloutComplete", "RolloutReverted", [new RegExp(victim)], COMPLETE_MS);
      await observer.goesOn();
      await cut.heal();
      await cluster.isRunning();
    });
    expect(watch.givenTo(otherNode)).toEqual([victim]);
    expect(new Set(watch.order)).toEqual(new Set([victim]));
    expect(watch.leaders).toEqual([leader]);
    await edit(cluster, { image: node });
    await isRolledOut(cluster);
  });

  it.concurrent("on its Raft port alone lets no other member be touched until that is open again", async () => {
    const { cluster, observer } = two();
    const leader = await leaderOf(cluster);
    const name = cluster.memberNames.find((member) => member !== leader) ?? "";
    const pair = `(${name} to ${leader}|${leader} to ${name})`;
    const words = new RegExp(`no path from ${pair} on Raft port ${fixed.raftPort}`);
    const watch = await RolloutWatch.during(cluster, async (seen) => {
      const cut = await cutMember(cluster, name, fixed.raftPort);
      await edit(cluster, { image: environment().images.otherNode, rollout: LONG_DEADLINE });
      await saysOfRollout(cluster, words);
      await holds(
        "members that are not touched",
        async () => {
          const touched = seen.order.filter((member) => member !== name);
          return touched.length === 0 ? undefined : `restarted were ${seen.order.join(", ")}`;
        },
        { forMs: 10_000 },
      );
      await observer.goesOn();
      await cut.heal();
      await isRolledOut(cluster);
      await cluster.isRunning();
    });
    expect(watch.order.at(-1)).toBe(leader);
    expect(watch.order.toSorted()).toEqual(cluster.memberNames);
  });
});

async function saysOfRollout(cluster: Cluster, words: RegExp): Promise<void> {
  await until(
    `${words} in the condition`,
    async () => {
      const { message = "nothing" } = (await cluster.condition("RolloutComplete")) ?? {};
      return words.test(message) ? { found: true } : { missing: message };
    },
    { withinMs: 60_000 },
  );
}

describe("at the end of all this", () => {
  it.each([one, two])("the chain is one, and no block that was served is gone", async (of) => {
    const { observer } = of();
    await observer.goesOn();
    await observer.hasReadAll();
    expect(observer.record.problems()).toEqual([]);
    expect(observer.record.servedTwice()).toEqual([]);
  });
});
