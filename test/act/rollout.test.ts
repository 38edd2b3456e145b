import { beforeEach, describe, expect, test } from "vitest";
import { actAll } from "../../src/act/act.ts";
import { annotations, labels } from "../../src/model/annotations.ts";
import { kinds } from "../../src/model/kinds.ts";
import { podOf } from "../../src/model/member.ts";
import type { Pod, PodDisruptionBudget, StatefulSet } from "../../src/model/objects.ts";
import type { Action } from "../../src/plan/actions.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { briefAction } from "../brief.ts";
import { member, snapshot } from "../builders.ts";
import { namespace, podObject, RunningCluster } from "../fake/running-cluster.ts";
import { unprovenRecord } from "../rolling.ts";
import { seededRandom } from "../runtime/seeded-random.ts";

const ref = { namespace, name: "seq-2" };
const why = "a follower";

let running: RunningCluster;
let seen: Snapshot;

beforeEach(() => {
  running = new RunningCluster();
  seen = { ...snapshot(), monotonicMs: running.clock.monotonicMs(), isCertain: true };
});

/** What was done, and what was refused, in short. */
async function act(action: Action, over: Partial<Snapshot> = {}): Promise<string[]> {
  const { api, world, clock } = running;
  const deps = { api, world, clock, random: seededRandom(1), mayWrite: () => true };
  const plan = { decided: [{ by: "rollout", stages: [[action]] }], blockers: [], recheckAfterMs: undefined };
  const outcome = await actAll(deps, { ...seen, ...over }, plan);
  expect(outcome.bugs).toEqual([]);
  return [
    ...outcome.done.map((one) => briefAction(one.action)),
    ...outcome.failures.map((one) => `${briefAction(one.action)}: ${one.error.kind}`),
  ];
}

function lastMember(pod: Pod) {
  const found = podOf(pod);
  return { found, last: { ...member(2), pod: found } };
}

/** Each write of a pod that was seen in one version, and is there in that or in a later one. */
const writes: readonly (readonly [string, (pod: Pod) => Action])[] = [
  [
    "a restart",
    (pod) => ({ kind: "updatePod", member: lastMember(pod).last, object: pod, takesAway: true, why }),
  ],
  [
    "an end",
    (pod) => {
      const { last, found } = lastMember(pod);
      return { kind: "finishUpdate", member: last, pod: found, revision: "seq-2" };
    },
  ],
  ["a deletion", (pod) => removal(pod, "deletion")],
  ["an eviction", (pod) => removal(pod, "eviction")],
];

function removal(pod: Pod, by: "deletion" | "eviction"): Action {
  const { last, found } = lastMember(pod);
  return { kind: "removePod", member: last, pod: found, by, why };
}

describe("the pod that was looked at, and no other version of it, gets", () => {
  test.each(writes)("%s", async (_, actionFor) => {
    const pod = running.api.put(podObject("seq-2"));
    const action = actionFor(pod);
    running.api.put(podObject("seq-2", { annotations: { [annotations.configRevision]: "r2" } }));
    const before = running.api.held(kinds.pod, ref);
    expect(await act(action)).toEqual([`${briefAction(action)}: Conflict`]);
    expect(running.api.held(kinds.pod, ref)).toEqual(before);
  });

  test.each(writes)("%s, when it is still the same", async (_, actionFor) => {
    const action = actionFor(running.api.put(podObject("seq-2")));
    expect(await act(action)).toEqual([briefAction(action)]);
  });
});

test("the end of an update is the revision on the pod, and its note is taken off", async () => {
  const update = JSON.stringify({ revision: "seq-2", at: "2026-01-01T00:00:00Z" });
  const notes = { [annotations.configRevision]: "r1", [annotations.update]: update };
  const pod = running.api.put(podObject("seq-2", { annotations: notes }));
  const { last, found } = lastMember(pod);
  await act({ kind: "finishUpdate", member: last, pod: found, revision: "seq-2" });
  const held = running.api.held(kinds.pod, ref);
  expect(held?.metadata.labels?.[labels.revision]).toBe("seq-2");
  expect(held?.metadata.annotations).toEqual({ [annotations.configRevision]: "r1" });
  expect(await running.world.watched(kinds.pod, ref)).toMatchObject({ metadata: held?.metadata });
});

describe("nobody is taken away", () => {
  test.each<[string, Partial<Snapshot>, number]>([
    ["on what was remembered", { isCertain: false }, 0],
    ["on what was seen more than two seconds ago", {}, 2_001],
  ])("%s", async (_, over, laterMs) => {
    const pod = running.api.put(podObject("seq-2"));
    await running.clock.advance(laterMs);
    for (const action of [removal(pod, "deletion"), writes[0]?.[1](pod)]) {
      if (!action) throw new Error("a restart is written");
      expect(await act(action, over)).toEqual([`${briefAction(action)}: Conflict`]);
    }
    expect(running.api.requests).toEqual([]);
  });

  test("what takes nobody away may be written all the same", async () => {
    const object = running.api.put(podObject("seq-2"));
    await running.clock.advance(60_000);
    const action: Action = { kind: "updatePod", member: member(2), object, takesAway: false, why };
    expect(await act(action, { isCertain: false })).toEqual(["write seq-2"]);
  });
});

test("a pod that was taken away is no longer remembered", async () => {
  const pod = running.api.put(podObject("seq-2"));
  running.world.wrote(kinds.pod, pod);
  await act(removal(pod, "deletion"));
  expect(await running.world.watched(kinds.pod, ref)).toBeUndefined();
});

test("a claim of the budget is written to its status, over the version that was read", async () => {
  const budget: PodDisruptionBudget = {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { namespace, name: "seq" },
    spec: { maxUnavailable: 1 },
  };
  const held = running.api.put(budget);
  const disruptedPods = { "seq-2": "2026-01-01T00:00:00Z" };
  const status = {
    currentHealthy: 3,
    desiredHealthy: 2,
    expectedPods: 3,
    disruptionsAllowed: 0,
    disruptedPods,
  };
  const claim: Action = { kind: "claimBudget", budget: { ...held, status }, why };
  expect(await act(claim)).toEqual(["budget for seq-2"]);
  expect(running.api.held(kinds.disruptionBudget, { namespace, name: "seq" })?.status).toMatchObject({
    disruptedPods,
  });
  expect(await act(claim)).toEqual(["budget for seq-2: Conflict"]);
});

test("a turn is written over the StatefulSet that was read", async () => {
  const statefulSet = running.api.put(seen.statefulSet as StatefulSet);
  const turn: Action = { kind: "turnRollout", statefulSet, to: unprovenRecord, why };
  expect(await act(turn)).toEqual(["turn to rolling"]);
  running.api.put({ ...statefulSet, metadata: { ...statefulSet.metadata, labels: {} } });
  expect(await act(turn)).toEqual(["turn to rolling: Conflict"]);
});

test("a trial is made, and ended if it still is the same", async () => {
  const trial = podObject("seq-rehearsal-1", { labels: {} });
  expect(await act({ kind: "rehearse", pod: trial })).toEqual(["rehearse on node-of-seq-rehearsal-1"]);
  const held = running.api.held(kinds.pod, { namespace, name: "seq-rehearsal-1" });
  if (!held) throw new Error("the trial was made");
  const other = { ...held, metadata: { ...held.metadata, uid: "another" } };
  expect(await act({ kind: "endRehearsal", pod: other })).toEqual([
    "endRehearsal on node-of-seq-rehearsal-1: Conflict",
  ]);
  expect(await act({ kind: "endRehearsal", pod: held })).toEqual(["endRehearsal on node-of-seq-rehearsal-1"]);
});
