import { expect, test } from "vitest";
import { makePlan } from "../../src/plan/plan.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import {
  brief,
  cluster,
  isEmpty,
  isPrepared,
  justApplied,
  leads,
  member,
  members,
  present,
  snapshot,
} from "../builders.ts";

const invalid = { kind: "invalid", problems: ["spec.image: Required"] } as const;
const noPods = members(3, { pod: "none", claim: "none" });

/** From nothing to a cluster that runs: what is decided at every look, when all that was decided before was done. */
const story: readonly (readonly [string, Snapshot, readonly string[]])[] = [
  [
    "a finalizer",
    justApplied({ cluster: cluster({ metadata: { finalizers: [] } }) }),
    ["foundation: addFinalizer"],
  ],
  ["an identity", justApplied(), ["foundation: createIdentity"]],
  [
    "the lock",
    justApplied({ identity: present({ bootstrapped: undefined }), chainLock: { kind: "free" } }),
    ["foundation: take the chain lock"],
  ],
  [
    "all objects, the StatefulSet last",
    justApplied({ identity: present({ bootstrapped: undefined }), chainLock: { kind: "ours" } }),
    [
      "converge: create ServiceAccount seq-member, create Secret seq-config, create Service seq, create Service seq-leader, create Service seq-rpc, create NetworkPolicy seq, create PodDisruptionBudget seq",
      "converge: create StatefulSet seq",
    ],
  ],
  ["patience", snapshot({ identity: present({ bootstrapped: undefined }), members: noPods }), []],
  [
    "a leader that is found",
    snapshot({ members: [member(0, { says: leads }), member(1), member(2)] }),
    ["labels: label seq-0 leader"],
  ],
  ["nothing", snapshot(), []],
];

test.each(story)("from nothing to a running cluster it takes: %s", (_, seen, decided) => {
  expect(brief(makePlan(seen))).toEqual(decided);
});

test("whatever is wrong with a cluster, its transactions find the leader", () => {
  const moved = [member(0, { pod: { role: "leader" } }), member(1, { says: leads }), member(2)];
  const wrong = { ...snapshot({ members: moved }), identity: { kind: "absent" }, parsed: invalid } as const;
  expect(brief(makePlan(wrong))).toEqual(["labels: label seq-0 follower", "labels: label seq-1 leader"]);
});

test("an invalid spec of a running cluster stops neither repairs nor starts", () => {
  const seen = snapshot({ members: [member(0), member(1), member(2, isPrepared)] });
  expect(brief(makePlan({ ...seen, parsed: invalid }))).toEqual(["bootstrap: order seq-2 start"]);
});

test("all problems are told, and the world is looked at again when the first of them may be gone", () => {
  const seen = snapshot({ members: [member(0), member(1), member(2, isEmpty)] });
  const plan = makePlan({ ...seen, parsed: invalid });
  expect(plan.blockers.map(({ reason }) => reason)).toEqual(["SpecInvalid", "VolumeLost"]);
  expect(plan.recheckAfterMs).toBe(15_000);
  expect(makePlan(snapshot()).recheckAfterMs).toBeUndefined();
});
