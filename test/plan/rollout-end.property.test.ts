import * as fc from "fast-check";
import { expect, test } from "vitest";
import { annotations } from "../../src/model/annotations.ts";
import { makePlan } from "../../src/plan/plan.ts";
import { rollout } from "../../src/plan/rollout.ts";
import { isPresent, isUpdated } from "../../src/plan/rollout-scene.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { leads, type Traits, touched } from "../member-traits.ts";
import { NaiveCluster } from "../naive-cluster.ts";
import { NEW_IMAGE, type RollingShape, rolling, sceneIn, wished } from "../rolling.ts";

/** In a world without any trouble every rollout ends, whatever is changed and wherever it was begun. */

const MOST_STEPS = 100;

type Change = NonNullable<RollingShape["change"]>;
const changes: readonly Change[] = [
  { image: NEW_IMAGE },
  { log: { level: "debug" } },
  { image: NEW_IMAGE, log: { level: "debug" } },
  { pod: { nodeSelector: { disk: "fast" } } },
  { pod: { labels: { team: "a" } } },
  { image: NEW_IMAGE, pod: { annotations: { team: "a" } } },
];

/** Looks and acts until there is nothing to do; how many steps that took. */
function run(cluster: NaiveCluster): number {
  for (let steps = 0; steps < MOST_STEPS; steps += 1) {
    const plan = makePlan(cluster.look(false));
    const { decided } = plan.needsCertainty ? makePlan(cluster.look(true)) : plan;
    const actions = decided.flatMap(({ by, stages }) => (by === "labels" ? [] : stages.flat()));
    if (actions.length === 0 && plan.rollout?.reason === "UpToDate") return steps;
    cluster.step(actions);
  }
  const { reason, message } = rollout(cluster.look(false)).rollout ?? {};
  throw new Error(`the rollout does not end: ${reason}: ${message}`);
}

function isEveryMemberUpdated(seen: Snapshot): boolean {
  const { target, intents } = sceneIn(seen);
  const all = seen.members.filter(isPresent);
  return (
    intents.wish === undefined && all.every((one) => isUpdated(one, target) && one.pod.update === undefined)
  );
}

const order = (taken: readonly string[]) => taken.map((one) => one.replace(/ for .*/, ""));

const start = fc.record({
  change: fc.constantFrom(...changes),
  leader: fc.constantFrom(0, 1, 2),
  isBegun: fc.boolean(),
  agent: fc.constantFrom("example.org/operator:1", "example.org/operator:2"),
  budget: fc.constantFrom(undefined, "off" as const),
});
type Start = typeof start extends fc.Arbitrary<infer T> ? T : never;

function clusterOf({ change, leader, isBegun, agent, budget }: Start, more: Partial<RollingShape> = {}) {
  const members: Traits[] = [0, 1, 2].map((ordinal) => (ordinal === leader ? [leads] : []));
  const settings = { ...wished().settings, agentImage: agent };
  const make = isBegun ? rolling : wished;
  const seen = make({ change, members, ...(budget && { budget }), seen: { settings }, ...more });
  return new NaiveCluster({ ...seen, settings }, `seq-${leader}`);
}

test("every member is updated, each taken away once, the leader last", () => {
  fc.assert(
    fc.property(start, (one) => {
      const cluster = clusterOf(one);
      run(cluster);
      expect(isEveryMemberUpdated(cluster.look(false))).toBe(true);
      expect(new Set(cluster.taken).size).toBe(cluster.taken.length);
      const isRestarted = JSON.stringify(one.change) !== JSON.stringify({ pod: { labels: { team: "a" } } });
      const followers = [2, 1, 0].filter((ordinal) => ordinal !== one.leader);
      expect(order(cluster.taken)).toEqual(
        isRestarted ? [...followers, one.leader].map((ordinal) => `seq-${ordinal}`) : [],
      );
    }),
    { numRuns: 40 },
  );
});

test("a spec that is edited in the middle is another target, and nobody is taken away twice for one", () => {
  fc.assert(
    fc.property(start, fc.constantFrom(...changes, {}), fc.nat(25), (one, second, after) => {
      const cluster = clusterOf(one);
      for (let steps = 0; steps < after; steps += 1) {
        const plan = makePlan(cluster.look(false));
        const { decided } = plan.needsCertainty ? makePlan(cluster.look(true)) : plan;
        cluster.step(decided.flatMap(({ by, stages }) => (by === "labels" ? [] : stages.flat())));
      }
      const change = { image: "example.org/testapp:1", ...second };
      const { budget } = one;
      const { cluster: wanted, parsed } = wished({ change, ...(budget && { budget }) });
      cluster.ask({ cluster: wanted, parsed });
      run(cluster);
      expect(isEveryMemberUpdated(cluster.look(false))).toBe(true);
      expect(new Set(cluster.taken).size).toBe(cluster.taken.length);
    }),
    { numRuns: 60 },
  );
});

test("a member that is asked to restart does so once, and the request ends", () => {
  for (const asked of ["seq-0", "seq-1", "seq-2"]) {
    const notes = { [annotations.restartMember]: asked };
    const cluster = clusterOf(
      { change: {}, leader: 0, isBegun: false, agent: "example.org/operator:1", budget: undefined },
      { annotations: notes, record: "none" },
    );
    run(cluster);
    expect(order(cluster.taken)).toEqual([asked]);
    expect(cluster.look(false).cluster.metadata.annotations).toEqual({});
  }
});

test("what a stranger notes on a pod restarts nobody twice", () => {
  const members = [[leads], [], [touched({ revision: "seq-of-nobody" })]];
  const seen = rolling({ members });
  const cluster = new NaiveCluster(seen, "seq-0");
  run(cluster);
  expect(order(cluster.taken)).toEqual(["seq-2", "seq-1", "seq-0"]);
});
