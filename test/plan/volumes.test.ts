import { describe, expect, test } from "vitest";
import type { Blocker } from "../../src/api/conditions.ts";
import { annotations } from "../../src/model/annotations.ts";
import { bootstrap } from "../../src/plan/bootstrap.ts";
import {
  cluster,
  has,
  isClosed,
  isEmpty,
  leader,
  type MemberShape,
  member,
  members,
  snapshot,
  unstarted,
} from "../builders.ts";

const unmarked = { epoch: undefined, started: undefined };
const isForeign = has({ kind: "foreign", message: "the volume is of member x-1, expected seq-1" });
const isDamaged = has({ kind: "damaged", message: "the folder raft-1 is missing" });

/** Whose owner wants to be asked. */
const asking = cluster({ spec: { repair: { mode: "Approve" } } });

const rebuild = (name: string) =>
  `It will not start on it. To rebuild it from the other members: kubectl annotate --overwrite -n rollup evnodeclusters/seq evnode.dev/approve-rejoin=${name}`;

interface Case {
  readonly name: string;
  /** How member 1 is, beside two that run well. */
  readonly shape: MemberShape;
  readonly reason: Extract<Blocker, { type: "VolumesReady" }>["reason"];
  readonly message: string;
}

const cases: readonly Case[] = [
  {
    name: "a claim that is gone took the volume with it",
    shape: { pod: "none", claim: "none" },
    reason: "VolumeLost",
    message: `seq-1 has lost its volume: claim data-seq-1 is gone. ${rebuild("seq-1")}`,
  },
  {
    name: "an empty volume behind a marked claim has lost its data",
    shape: isEmpty,
    reason: "VolumeLost",
    message: `seq-1 has lost its data: the volume of claim data-seq-1 is empty. ${rebuild("seq-1")}`,
  },
  {
    name: "an empty volume behind an unmarked claim is a new one",
    shape: { ...isEmpty, claim: unmarked },
    reason: "VolumeLost",
    message: `seq-1 has lost its volume: claim data-seq-1 is a new one. ${rebuild("seq-1")}`,
  },
  {
    name: "a damaged volume has lost data",
    shape: isDamaged,
    reason: "VolumeLost",
    message: `seq-1 has lost data: the folder raft-1 is missing. ${rebuild("seq-1")}`,
  },
  {
    name: "a claim that was marked in another epoch is another volume, also while its agent is silent",
    shape: { says: "nothing", claim: { started: 2 } },
    reason: "VolumeLost",
    message: `seq-1 has another volume than it was started on: claim data-seq-1 is a new one. ${rebuild("seq-1")}`,
  },
  {
    name: "a copy of its volume behind a new claim runs, and what it lacked came from the others",
    shape: { claim: unmarked },
    reason: "VolumeLost",
    message:
      "seq-1 has another volume than it was started on: claim data-seq-1 is a new one. It runs on it, because the volume is its own and intact; what came after the copy was made, it has from the others. To accept that: kubectl annotate --overwrite -n rollup evnodeclusters/seq evnode.dev/approve-rejoin=seq-1",
  },
  {
    name: "a foreign volume is named with what it belongs to",
    shape: isForeign,
    reason: "VolumeForeign",
    message:
      "seq-1 does not start: the volume of claim data-seq-1 is not its own: the volume is of member x-1, expected seq-1. Give it back its own volume, or delete claim data-seq-1 and pod seq-1 to have the member rebuilt.",
  },
];

test.each(cases)("$name", ({ shape, reason, message }) => {
  const step = bootstrap(snapshot({ cluster: asking, members: [member(0), member(1, shape), member(2)] }));
  expect(step).toEqual({
    stages: [],
    blockers: [{ type: "VolumesReady", reason, message }],
    recheckAfterMs: 15_000,
  });
});

test.each<[string, MemberShape]>([
  ["a silent member with its own claim may be well", { says: "nothing" }],
  [
    "a member whose agent speaks for another identity tells nothing of this one's volume",
    {
      says: { ...isEmpty.says, clusterId: "c0" },
    },
  ],
  ["a volume that is not checked yet may be well", has({ kind: "unchecked" })],
  ["a started volume is well", {}],
])("%s", (_, shape) => {
  expect(bootstrap(snapshot({ members: [member(0), member(1, shape), member(2)] })).blockers).toEqual([]);
});

test("every lost member is named with its own remedy while the others are a majority", () => {
  const five = members(5).map((well) => (well.ordinal < 2 ? member(well.ordinal, isEmpty) : well));
  const { blockers = [] } = bootstrap(snapshot({ members: five }));
  expect(blockers.map(({ message }) => message)).toEqual([
    `seq-0 has lost its data: the volume of claim data-seq-0 is empty. ${rebuild("seq-0")}`,
    `seq-1 has lost its data: the volume of claim data-seq-1 is empty. ${rebuild("seq-1")}`,
  ]);
});

test("without a majority nothing may be rebuilt, and the message says what would be lost", () => {
  const two = [member(0), member(1, isEmpty), member(2, { pod: "none", claim: "none" })];
  const remedy =
    "It will not start on it, and 2 of 3 members are lost, so the rest is no majority: bring the volumes back from a snapshot or a backup. Starting again without them could replace blocks that were already served.";
  expect(bootstrap(snapshot({ members: two })).blockers?.map(({ message }) => message)).toEqual([
    `seq-1 has lost its data: the volume of claim data-seq-1 is empty. ${remedy}`,
    `seq-2 has lost its volume: claim data-seq-2 is gone. ${remedy}`,
  ]);
});

/** Behind a claim that nobody marked. */
const onCopy: MemberShape = { claim: unmarked };
const told = (...all: readonly ReturnType<typeof member>[]) =>
  bootstrap(snapshot({ members: all })).blockers?.map(({ message }) => message);

describe("a majority that runs on copies", () => {
  const isNew = (name: string) =>
    `${name} has another volume than it was started on: claim data-${name} is a new one.`;
  const mark = (name: string) =>
    `It runs on it, because the volume is its own and intact. But 2 of 3 members have another volume than they were started on or none, so the rest is no majority: blocks that came after the copies were made are lost where no volume has them. To accept that, say on the claim that the member was started on it: kubectl annotate --overwrite -n rollup persistentvolumeclaims/data-${name} evnode.dev/started=1`;

  test("is accepted on the claims, as an approval would wait for ever", () => {
    expect(told(leader(0), member(1, onCopy), member(2, onCopy))).toEqual([
      `${isNew("seq-1")} ${mark("seq-1")}`,
      `${isNew("seq-2")} ${mark("seq-2")}`,
    ]);
  });

  test("is accepted as the text says: with one claim marked, an approval does for the other", () => {
    const [only, ...more] = told(leader(0), member(1), member(2, onCopy)) ?? [];
    expect([only, more]).toEqual([
      expect.stringMatching(/To accept that: kubectl .*approve-rejoin=seq-2$/),
      [],
    ]);
  });

  test("comes before a member that is empty", () => {
    expect(told(leader(0), member(1, onCopy), member(2, isEmpty))).toEqual([
      `${isNew("seq-1")} ${mark("seq-1")}`,
      "seq-2 has lost its data: the volume of claim data-seq-2 is empty. It will not start on it, and 2 of 3 members are lost, so the rest is no majority: accept first the copies on which others run. Then it can be rebuilt from the other members.",
    ]);
  });
});

test("the approval of a copy says what it waits for", () => {
  const approved = cluster({ metadata: { annotations: { [annotations.approveRejoin]: "seq-1" } } });
  const all = [leader(0), member(1, onCopy), member(2, { says: isClosed })];
  const { blockers = [] } = bootstrap(snapshot({ cluster: approved, members: all }));
  expect(blockers[0]?.message).toMatch(/It is approved to stay on it, and waits: ev-node of seq-2 runs, but/);
});

test("before the first start a damaged volume costs nothing", () => {
  const [blocker] = bootstrap(unstarted(isDamaged)).blockers ?? [];
  expect(blocker).toEqual({
    type: "VolumesReady",
    reason: "VolumeLost",
    message:
      "seq-0 does not start: the folder raft-1 is missing. No member has started yet: delete claim data-seq-0 and pod seq-0 to have its volume prepared anew.",
  });
});

test("before the first start an empty volume is as it should be", () => {
  expect(bootstrap(unstarted(isEmpty)).blockers).toBeUndefined();
});

test("a single loss that the policy allows to be rebuilt needs no person", () => {
  const step = bootstrap(snapshot({ members: [leader(0), member(1, isEmpty), member(2)] }));
  expect(step.blockers).toEqual([]);
  expect(step.rebuilding).toBe(
    "seq-1 has lost its data: the volume of claim data-seq-1 is empty. It is rebuilt from the other members.",
  );
});

test("it is told what the rebuilding waits for", () => {
  const { rebuilding } = bootstrap(
    snapshot({ members: [leader(0), member(1, isEmpty), member(2, { says: isClosed })] }),
  );
  expect(rebuilding).toMatch(/It is rebuilt from the other members\. That waits: ev-node of seq-2 runs, but/);
});
