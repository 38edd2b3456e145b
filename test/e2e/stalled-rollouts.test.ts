import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Spec } from "../../src/api/evnodecluster.ts";
import { fixed } from "../../src/api/fixed.ts";
import { processesOf } from "./harness/cluster.ts";
import { type Cut, cutOff } from "./harness/cut-paths.ts";
import { environment } from "./harness/environment.ts";
import { useObserved } from "./harness/observed.ts";
import { edit, isRolledOut } from "./harness/owner.ts";
import { RolloutWatch } from "./harness/rollout-watch.ts";
import { holds, until } from "./harness/until.ts";
import { useWorld } from "./harness/world.ts";

const world = useWorld("stalled");
const observed = useObserved(() => world().cluster("seq"));
const COMPLETE_MS = 300_000;

const cuts: Cut[] = [];

afterAll(async () => {
  for (const cut of cuts) await cut.heal();
});

beforeAll(async () => {
  await edit(observed().cluster, { rollout: { progressDeadlineSeconds: 20 } });
});

interface BadChange {
  readonly what: string;
  readonly spec: Partial<Spec>;
  readonly back: Parameters<typeof edit>[1];
  readonly says: RegExp;
}

const badChanges: readonly BadChange[] = [
  {
    what: "a flag that ev-node does not know",
    spec: { app: { extraArgs: ["--no-such-flag=1"] } },
    back: { app: null },
    says: /no-such-flag/,
  },
  {
    what: "a node that does not exist",
    spec: { pod: { nodeSelector: { "example.com/node": "none" } } },
    back: { pod: null },
    says: /no node takes the pod: .*node.*match/i,
  },
];

const leaderName = async () => (await observed().cluster.leaderPod()).metadata.name;

describe("a change with which a member does not come up", () => {
  it.each(badChanges)("is taken back: $what", async ({ spec, back, says }) => {
    const { cluster, observer } = observed();
    const leader = await leaderName();
    const before = await cluster.pods();
    const watch = await RolloutWatch.during(cluster, async () => {
      await edit(cluster, spec);
      await cluster.becomes("RolloutComplete", "RolloutReverted", [/seq-\d/, says], COMPLETE_MS);
      await observer.goesOn();
      await cluster.isRunning();
      await observer.goesOn();
    });
    const pods = await cluster.pods();
    const replaced = pods.filter(({ metadata }, index) => metadata.uid !== before[index]?.metadata.uid);
    expect(replaced.length).toBe(1);
    expect(replaced.map(({ metadata }) => metadata.name)).not.toContain(leader);
    expect(watch.leaders).toEqual([leader]);

    await edit(cluster, back);
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
async function cutMember(member: string, port?: number): Promise<Cut> {
  const pods = await observed().cluster.pods();
  const pod = await observed().cluster.pod(member);
  const cut = await cutOff(
    pod,
    pods.filter(({ metadata }) => metadata.name !== member),
    port,
  );
  cuts.push(cut);
  return cut;
}

describe.skipIf(environment().machine === undefined)("a member that starts and never catches up", () => {
  it("holds the others back, and goes back to what it ran", async () => {
    const { cluster, observer } = observed();
    const { node, otherNode } = environment().images;
    const leader = await leaderName();
    let victim = "";
    const watch = await RolloutWatch.during(cluster, async (seen) => {
      await edit(cluster, { image: otherNode });
      victim = await firstGiven(seen, otherNode);
      const cut = await cutMember(victim);
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
});

async function saysOfRollout(words: RegExp): Promise<void> {
  await until(
    `${words} in the condition`,
    async () => {
      const { message = "nothing" } = (await observed().cluster.condition("RolloutComplete")) ?? {};
      return words.test(message) ? { found: true } : { missing: message };
    },
    { withinMs: 60_000 },
  );
}

describe.skipIf(environment().machine === undefined)(
  "a Raft port that is cut while blocks still come",
  () => {
    it("lets no other member be touched until it is open again", async () => {
      const { cluster, observer } = observed();
      const leader = await leaderName();
      const name = cluster.memberNames.find((member) => member !== leader) ?? "";
      const pair = `(${name} to ${leader}|${leader} to ${name})`;
      const watch = await RolloutWatch.during(cluster, async (seen) => {
        const cut = await cutMember(name, fixed.raftPort);
        const rollout = { progressDeadlineSeconds: 120 };
        await edit(cluster, { image: environment().images.otherNode, rollout });
        await saysOfRollout(new RegExp(`no path from ${pair} on Raft port ${fixed.raftPort}`));
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
  },
);

describe("at the end of all this", () => {
  it("the chain is one, and no block that was served is gone", async () => {
    const { observer } = observed();
    await observer.goesOn();
    await observer.hasReadAll();
    expect(observer.record.problems()).toEqual([]);
    expect(observer.record.servedTwice()).toEqual([]);
  });
});
