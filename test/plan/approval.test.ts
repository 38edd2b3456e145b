import { expect, test } from "vitest";
import { annotations } from "../../src/model/annotations.ts";
import type { Member } from "../../src/model/member.ts";
import { endApproval } from "../../src/plan/approval.ts";
import { makePlan } from "../../src/plan/plan.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { briefAction } from "../brief.ts";
import {
  briefPlan,
  cluster,
  has,
  identity,
  isEmpty,
  isPrepared,
  leader,
  type MemberShape,
  member,
  snapshot,
} from "../builders.ts";

/** Three of which the last is like this, and whose owner approved the repair of `name`. */
function approving(name: string, shape: MemberShape = {}): Snapshot {
  const notes = { [annotations.approveRejoin]: name };
  return snapshot({
    cluster: cluster({ metadata: { annotations: notes } }),
    members: [leader(0), member(1), member(2, shape)],
  });
}

const ends = (seen: Snapshot) => endApproval(seen, identity()).map(briefAction);

const executedOrder = "rejoin-uid-of-seq-2";
const rejoined: MemberShape = { says: { executedOrder } };
const lostNothing = ["end approval of seq-2: nothingLost"];

test.each<[string, MemberShape, readonly string[]]>([
  ["the member was rebuilt: the approval is used up", rejoined, ["end approval of seq-2: used"]],
  ["the member runs as ever: it must not lie in wait for a loss to come", {}, lostNothing],
  ["a pod before this one was rebuilt", { says: { executedOrder: "rejoin-uid-of-another" } }, lostNothing],
  ["the volume is empty", isEmpty, []],
  ["the volume is empty again, after a rejoin", { ...isEmpty, says: { ...isEmpty.says, executedOrder } }, []],
  ["the volume is damaged", has({ kind: "damaged", message: "raft-1 is missing" }), []],
  ["the volume is another's", has({ kind: "foreign", message: "of seq-1" }), []],
  ["the volume is of another epoch", has({ kind: "intact", epoch: 2, started: true }), []],
  ["the volume was not looked at yet", has({ kind: "unchecked" }), []],
  ["the member was not started yet", isPrepared, []],
  ["the claim is a new one", { claim: { started: undefined } }, []],
  ["the claim is gone", { claim: "none" }, []],
  ["the claim is about to go, and the volume with it", { claim: { terminating: true } }, []],
  ["the pod is about to go", { pod: { terminating: true } }, []],
  ["there is no pod", { pod: "none" }, []],
  ["the agent is silent, which says nothing", { says: "nothing" }, []],
  ["the agent speaks of the pod before", { says: { podUid: "uid-of-another" } }, []],
  ["the agent speaks for another identity", { says: { clusterId: "c0" } }, []],
])("%s", (_, shape, actions) => {
  expect(ends(approving("seq-2", shape))).toEqual(actions);
});

test.each(["seq-3", "seq", "", " seq-2"])("an approval of %o, which is no member, is taken away", (name) => {
  expect(ends(approving(name))).toEqual([`end approval of ${name}: unknownMember`]);
});

test("however long what was written into it", () => {
  expect(ends(approving("x".repeat(9_999)))).toEqual([`end approval of ${"x".repeat(63)}: unknownMember`]);
});

test("while it is not known who the members are, nobody is called unknown", () => {
  const seen = approving("seq-2");
  const invalid = { kind: "invalid", problems: ["spec.image: Required"] } as const;
  expect(ends({ ...seen, parsed: invalid, statefulSet: undefined })).toEqual([]);
});

test("without an approval there is none to end", () => {
  expect(ends(snapshot())).toEqual([]);
});

test.each<[string, readonly Member[], readonly string[]]>([
  [
    "a rebuilt member",
    [leader(0), member(1), member(2, rejoined)],
    ["bootstrap: end approval of seq-2: used"],
  ],
  ["a lost one", [leader(0), member(1), member(2, isEmpty)], ["bootstrap: order seq-2 rejoin"]],
])("it is part of the plan: %s", (_, members, plan) => {
  expect(briefPlan({ ...approving("seq-2"), members, isCertain: true })).toEqual(plan);
  // A watch may show the claim of before, which was marked.
  expect(makePlan({ ...approving("seq-2"), members })).toMatchObject({ decided: [], needsCertainty: true });
});

test("it stays while the chain belongs to another cluster: then nothing is known for certain", () => {
  expect(briefPlan({ ...approving("seq-2"), chainLock: { kind: "held", by: "EvNodeCluster a/b" } })).toEqual(
    [],
  );
});
