import { describe, expect, test } from "vitest";
import type { Spec } from "../../src/api/evnodecluster.ts";
import type { AgentAnswer } from "../../src/model/agent-protocol.ts";
import { annotations } from "../../src/model/annotations.ts";
import type { Member } from "../../src/model/member.ts";
import type { MembershipRecord } from "../../src/model/membership-record.ts";
import type { StatefulSet } from "../../src/model/objects.ts";
import { membership } from "../../src/plan/membership.ts";
import { makePlan } from "../../src/plan/plan.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { statusOf } from "../../src/plan/status.ts";
import { briefAction } from "../brief.ts";
import { cluster, isClosed, leader, member, snapshot } from "../builders.ts";
import {
  type ChangingShape,
  changing,
  frozen,
  growing,
  joining,
  level,
  onItsWay,
  stopped,
} from "../changing.ts";
import { timeAgo } from "../member-traits.ts";

const brief = (seen: Snapshot) => {
  const { stages = [], stop, needsCertainty, blockers = [] } = membership(seen);
  return [
    ...stages.flat().map(briefAction),
    ...blockers.map(({ reason }) => reason),
    ...(needsCertainty ? ["look again"] : []),
    ...(stop ? ["stop"] : []),
  ];
};

const empty = (ordinal: number) =>
  member(ordinal, { claim: { epoch: undefined, started: undefined }, says: { volume: { kind: "empty" } } });
const ofOtherAttempt = member(4, {
  says: {
    volume: { kind: "intact", epoch: 2, started: false, change: { kind: "joining", settled: true } },
    fingerprints: { voters: "of seven" },
  },
});
const ofLaterEpoch = member(4, {
  says: { volume: { kind: "foreign", message: "the volume is of epoch 3, expected 2", epoch: 3 } },
});
const ofEarlierEpoch = member(4, {
  says: { volume: { kind: "foreign", message: "the volume is of epoch 1, expected 2", epoch: 1 } },
});
const takenBack: MembershipRecord = {
  ...growing,
  kind: "takenBack",
  finishedAt: timeAgo(1_000),
  why: "seq-3 did not come",
};
const old = (over = {}): Member[] => [frozen(0, over), frozen(1, over), frozen(2, over)];
const next = (over = {}): Member[] => [joining(3, over), joining(4, over)];
/** The StatefulSet as the next run finds it. */
function writtenIn(seen: Snapshot): StatefulSet {
  const write = (membership(seen).stages ?? []).flat().find(({ kind }) => kind === "turnMembership");
  if (write?.kind !== "turnMembership" || !seen.statefulSet?.status)
    throw new Error("the set is written anew");
  return { ...write.statefulSet, status: seen.statefulSet.status };
}
/** A new member whose ev-node ended, and does not run. */
function heldBack(reason: string, message: string): Member {
  const lastExit = { code: 1, lastLine: "write /data/raft-1/raft-log.db: no space left on device" };
  const pod = { ...joining(4).pod, evnode: { kind: "waiting", reason, message, lastExit } as const };
  return onItsWay(4, { kind: "joining" }, { pod });
}
const WITHDRAWN = `withdraw what began at ${growing.startedAt}`;
const unapproved: Partial<Spec> = { membership: {} };

describe("a change from three to five members", () => {
  test.each<[string, ChangingShape, readonly string[]]>([
    ["waits for its approval", { spec: unapproved }, []],
    ["waits where another attempt is approved", { spec: { membership: { approvedEpoch: 3 } } }, []],
    [
      "waits for a member that does not take part",
      { members: [leader(0), member(1), member(2, { pod: "none" })] },
      [],
    ],
    [
      "waits for a member that is of another template",
      { members: [leader(0), member(1), member(2, { pod: { revision: "seq-0" } })] },
      [],
    ],
    ["begins by pods for the new members", {}, ["membership: changing, 5 replicas"]],
    ["waits for the configurations of the next epoch", { record: growing, lacksConfigs: true }, []],
    [
      "gives new members leave to follow",
      { record: growing, nonMembers: [empty(3), empty(4)] },
      ["move seq-3 with order join", "move seq-4 with order join"],
    ],
    ["waits for pods of new members", { record: growing, nonMembers: [joining(3)] }, []],
    [
      "waits for new members that are far behind",
      {
        record: growing,
        nonMembers: [
          joining(3),
          onItsWay(4, { kind: "joining", settled: true }, { head: { height: 50, hash: "bb", timeMs: 1 } }),
        ],
      },
      ["move seq-4 with order join"],
    ],
    [
      "looks once more before anything stops",
      { record: growing, nonMembers: next(), isCertain: false },
      ["look again"],
    ],
    [
      "is given up where a new member joined others in this epoch",
      { record: growing, nonMembers: [joining(3), ofOtherAttempt] },
      ["membership: takenBack, 3 replicas"],
    ],
    [
      "is given up where a new member joined for a later epoch",
      { record: growing, nonMembers: [joining(3), ofLaterEpoch] },
      ["membership: takenBack, 3 replicas"],
    ],
    [
      "gives leave to one that was a member in an earlier epoch",
      { record: growing, nonMembers: [joining(3), ofEarlierEpoch] },
      ["move seq-4 with order join"],
    ],
    [
      "stops the old members when the new ones follow",
      { record: growing, nonMembers: next() },
      ["membership: changing, 5 replicas", "stop"],
    ],
    [
      "is given up when its owner takes the approval back",
      { record: growing, spec: unapproved, nonMembers: next() },
      ["membership: takenBack, 3 replicas"],
    ],
    [
      "is given up when its owner asks for another number",
      { record: growing, spec: { replicas: 7 } },
      ["membership: takenBack, 3 replicas"],
    ],
    [
      "is given up for a suspension",
      { record: growing, spec: { suspend: true } },
      ["membership: takenBack, 3 replicas"],
    ],
    [
      "freezes every old member",
      { record: stopped, members: [leader(0), member(1), frozen(2)], nonMembers: next() },
      ["order seq-0 freeze", "order seq-1 freeze", "stop"],
    ],
    [
      "is taken back at once where the volume of an old member was lost",
      { record: stopped, members: [frozen(0), frozen(1), empty(2)], nonMembers: next() },
      [WITHDRAWN, "membership: takingBack, 5 replicas", "stop"],
    ],
    [
      "tells a pod of a new member that was made meanwhile to follow",
      { record: stopped, members: old(), nonMembers: [joining(3), empty(4)] },
      ["move seq-4 with order join", "stop"],
    ],
    [
      "waits for processes of before",
      {
        record: stopped,
        members: [frozen(0), frozen(1), onItsWay(2, { kind: "frozen", to: 2 })],
        nonMembers: next(),
      },
      ["stop"],
    ],
    [
      "waits for the same height everywhere",
      {
        record: stopped,
        members: old(),
        nonMembers: [
          joining(3),
          onItsWay(4, { kind: "joining", settled: true }, { head: { height: 99, hash: "99", timeMs: 1 } }),
        ],
      },
      ["stop"],
    ],
    [
      "waits for the same block everywhere",
      {
        record: stopped,
        members: [
          frozen(0),
          frozen(1),
          onItsWay(
            2,
            { kind: "frozen", to: 2, settled: true },
            { head: { height: 100, hash: "other", timeMs: 1 } },
          ),
        ],
        nonMembers: next(),
      },
      ["stop"],
    ],
    [
      "notes the block that all hold",
      { record: stopped, members: old(), nonMembers: next() },
      ["membership: changing, 5 replicas", "stop"],
    ],
    [
      "decides nothing on what was remembered",
      { record: stopped, members: old(), nonMembers: next(), isCertain: false },
      ["look again", "stop"],
    ],
    [
      "has the members of the next epoch prepared",
      { record: level, members: old(), nonMembers: next({ prepared: true }) },
      ["order seq-0 bootstrap", "order seq-1 bootstrap", "order seq-2 bootstrap", "stop"],
    ],
    [
      "is decided when all are",
      { record: level, members: old({ prepared: true }), nonMembers: next({ prepared: true }) },
      ["epoch 2 with 5 members", "stop"],
    ],
    [
      "is not decided where the identity says that it was withdrawn",
      {
        record: level,
        members: old({ prepared: true }),
        nonMembers: next({ prepared: true }),
        identity: { withdrawn: level.startedAt },
      },
      ["membership: takingBack, 5 replicas", "stop"],
    ],
    [
      "is decided where an earlier one was withdrawn",
      {
        record: level,
        members: old({ prepared: true }),
        nonMembers: next({ prepared: true }),
        identity: { withdrawn: timeAgo(900_000) },
      },
      ["epoch 2 with 5 members", "stop"],
    ],
    [
      "is taken back when a block came after all",
      { record: { ...level, level: { height: 99, hash: "99" } }, members: old(), nonMembers: next() },
      [WITHDRAWN, "membership: takingBack, 5 replicas", "stop"],
    ],
    [
      "is taken back when the time is over",
      {
        record: { ...stopped, stoppedAt: timeAgo(121_000) },
        members: [frozen(0), frozen(1), onItsWay(2, { kind: "frozen", to: 2 })],
        nonMembers: next(),
      },
      [WITHDRAWN, "membership: takingBack, 5 replicas", "stop"],
    ],
    [
      "has longer where its owner says so",
      {
        record: { ...stopped, stoppedAt: timeAgo(121_000) },
        spec: { membership: { approvedEpoch: 2, stopWithinSeconds: 300 } },
        members: [frozen(0), frozen(1), onItsWay(2, { kind: "frozen", to: 2 })],
        nonMembers: next(),
      },
      ["stop"],
    ],
    [
      "thaws what is taken back",
      {
        record: { ...stopped, kind: "takingBack", why: "x" },
        members: [frozen(0), frozen(1), member(2)],
        nonMembers: next(),
      },
      ["order seq-0 thaw", "order seq-1 thaw", "order seq-2 thaw"],
    ],
    [
      "thaws none before the identity was read anew",
      {
        record: { ...stopped, kind: "takingBack", why: "x" },
        members: [frozen(0), frozen(1), member(2)],
        nonMembers: next(),
        isCertain: false,
      },
      ["look again"],
    ],
    [
      "is looked at once more where members stand still and its record is gone",
      { members: old(), isCertain: false },
      ["look again", "stop"],
    ],
    [
      "is taken back where its record is gone and it was not decided",
      { members: [frozen(0), member(1), member(2)], spec: unapproved },
      [`withdraw what began at ${timeAgo(0)}`, "membership: takingBack, 5 replicas", "stop"],
    ],
    ["that was taken back needs another approval", { record: takenBack }, ["MembershipTakenBack"]],
    [
      "that was taken back is tried again as another epoch",
      { record: takenBack, spec: { membership: { approvedEpoch: 3 } } },
      ["membership: changing, 5 replicas"],
    ],
  ])("%s", (_, shape, expected) => {
    expect(brief(changing(shape))).toEqual(expected);
  });

  const decided = { epoch: 2, bootstrapped: 2, membership: { replicas: 5, raftPort: 5001 } };
  const prepared = { members: old({ prepared: true }), nonMembers: next({ prepared: true }) };

  test("goes on from the decision, whoever decided it, and never back", () => {
    const late: MembershipRecord = { ...level, stoppedAt: timeAgo(3_600_000) };
    const back: MembershipRecord = { ...late, kind: "takingBack", why: "it was late" };
    for (const record of [level, late, back])
      expect(brief(changing({ record, identity: decided, ...prepared }))).toEqual([
        "mark data-seq-0",
        "mark data-seq-1",
        "mark data-seq-2",
        "mark data-seq-3",
        "mark data-seq-4",
        "membership: changing, 5 replicas",
        "stop",
      ]);
  });

  test.each<[string, number | undefined, string]>([
    ["are of the new template where it differs in nothing else", undefined, "seq-1"],
    ["stay of their own template where it differs in more", 7, "seq-0"],
  ])("members that start in the next epoch %s", (_, graceSeconds, expected) => {
    const begun = changing({ record: level, identity: decided, ...prepared });
    const written = writtenIn(begun);
    const { template } = written.spec ?? {};
    if (!template?.spec) throw new Error("the set has a template");
    const grace = graceSeconds === undefined ? {} : { terminationGracePeriodSeconds: graceSeconds };
    const madeFrom = { ...template, spec: { ...template.spec, ...grace } };
    const members = [...prepared.members, ...prepared.nonMembers].map((one) => ({
      ...one,
      claim: one.claim && { ...one.claim, started: 2 },
      pod: one.pod && { ...one.pod, revision: "seq-0" },
    }));
    const revisions = new Map([["seq-0", madeFrom]]);
    const starts = membership({
      ...begun,
      statefulSet: written,
      members,
      nonMembers: [],
      revisions,
    }).stages?.flat();
    expect(starts?.map((action) => action.kind === "moveMember" && action.revision)).toEqual(
      members.map(() => expected),
    );
  });

  const onTheWay = {
    kind: "intact",
    epoch: 2,
    started: false,
    change: { kind: "joining", prepared: true },
  } as const;

  test.each<[string, number | undefined, AgentAnswer["volume"], string]>([
    ["was rebuilt", 2, { kind: "intact", epoch: 2, started: false }, "order seq-2 start"],
    ["is still on its way", 2, onTheWay, "move seq-2 with order start"],
    [
      "lost what it was prepared with",
      2,
      { ...onTheWay, change: { kind: "joining" } },
      "order seq-2 bootstrap",
    ],
    ["is empty", undefined, { kind: "empty" }, ""],
  ])("a member whose volume %s has one order, once blocks are made", (_, started, volume, expected) => {
    const begun = changing({ record: level, identity: decided, ...prepared });
    const statefulSet = writtenIn(begun);
    const { template } = statefulSet.spec ?? {};
    const configRevision = template?.metadata?.annotations?.[annotations.configRevision];
    const pod = { configRevision, revision: "seq-1" };
    const own = { kind: "intact", epoch: 2, started: true } as const;
    const members = [0, 1, 2, 3, 4].map((ordinal) => {
      const claim = { epoch: started, started: ordinal === 2 ? started : 2 };
      if (ordinal === 2) return member(ordinal, { pod, claim, says: { volume, ...isClosed } });
      const node = { kind: "open", isLeader: ordinal === 0, height: 101 } as const;
      return member(ordinal, { pod, claim, says: { volume: own, node } });
    });
    const { decided: actions } = makePlan({ ...begun, statefulSet, members, nonMembers: [] });
    const orders = actions.flatMap(({ stages }) => stages.flat()).filter((one) => "order" in one);
    expect(orders.map(briefAction).join(", ")).toBe(expected);
  });

  const says = (seen: Snapshot) => membership(seen).membership?.message;

  test.each<[string, Snapshot, RegExp]>([
    [
      "agents of another version",
      { ...changing(), settings: { ...changing().settings, agentImage: "example.org/operator:2" } },
      /agents of another version than the operator: kubectl evnode restart seq/,
    ],
    [
      "a new member without a node",
      changing({
        record: growing,
        nonMembers: [
          joining(3),
          onItsWay(
            4,
            { kind: "joining" },
            { pod: { ...joining(4).pod, scheduling: { unschedulable: "0/3 nodes" } } },
          ),
        ],
      }),
      /seq-4 finds no node: 0\/3 nodes/,
    ],
    [
      "a new member that still fetches blocks",
      changing({
        record: growing,
        nonMembers: [
          joining(3),
          onItsWay(
            4,
            { kind: "joining", settled: true },
            { head: { height: 50, hash: "b", timeMs: 1 }, pod: joining(4).pod ?? {} },
          ),
        ],
      }),
      /seq-4 does not follow the chain closely yet/,
    ],
    [
      "a new member whose volume is full",
      changing({ record: growing, nonMembers: [joining(3), heldBack("CrashLoopBackOff", "back-off 20s")] }),
      /seq-4 cannot follow the chain: CrashLoopBackOff: it ended with exit code 1: .*\(DiskFull: The member's volume is full/,
    ],
    [
      "a new member whose image is not to be had",
      changing({ record: growing, nonMembers: [joining(3), heldBack("ErrImagePull", "not found")] }),
      /seq-4 cannot follow the chain: ErrImagePull: not found/,
    ],
    [
      "an old member that is silent while the others go on",
      changing({
        record: { ...stopped, kind: "takingBack", why: "it was late" },
        members: [leader(0), member(1), member(2, { says: "nothing" })],
      }),
      /The 3 old ones go on\. seq-2 has not told yet that it does\.$/,
    ],
  ])("says that it waits for %s", (_, seen, expected) => {
    expect(says(seen)).toMatch(expected);
  });

  test.each<[string, number, AgentAnswer["volume"][], RegExp]>([
    [
      "that do not run yet",
      3_000,
      [],
      /start, and no word of it came yet from seq-0, seq-1, seq-2, seq-3, seq-4\.$/,
    ],
    [
      "that do not run past the deadline, and where to look",
      121_000,
      [0, 1].map(() => ({ kind: "intact", epoch: 2, started: true })),
      /only the way on\. What keeps them: kubectl describe -n \S+ pods seq-2 seq-3 seq-4\.$/,
    ],
    [
      "that run and make no block",
      121_000,
      [0, 1, 2, 3, 4].map(() => ({ kind: "intact", epoch: 2, started: true })),
      /all members of the next epoch run, and none of them has made a block yet\.$/,
    ],
  ])("names members of a decided epoch %s", (_, sinceMs, started, expected) => {
    const record = { ...level, stoppedAt: timeAgo(sinceMs) };
    const begun = changing({ record, identity: decided, ...prepared });
    const statefulSet = writtenIn(begun);
    const members = [...prepared.members, ...prepared.nonMembers].map((one, ordinal) => {
      const claim = { epoch: 2, started: 2 };
      const volume = started[ordinal];
      return volume
        ? member(ordinal, { claim, says: { volume, ...isClosed } })
        : { ...one, claim: one.claim && { ...one.claim, started: 2 } };
    });
    expect(says({ ...begun, statefulSet, members, nonMembers: [] })).toMatch(expected);
  });

  test("gives the orders of another attempt at the same epoch other ids, as no agent does one twice", () => {
    const idsOf = (startedAt: string) => {
      const members = [leader(0), member(1), frozen(2)];
      const seen = [
        changing({ record: { ...growing, startedAt }, nonMembers: [empty(3), empty(4)] }),
        changing({ record: { ...stopped, startedAt }, members, nonMembers: next() }),
        changing({ record: { ...level, startedAt }, members: old(), nonMembers: next() }),
        changing({ record: { ...stopped, startedAt, kind: "takingBack", why: "x" }, members }),
      ];
      const actions = seen.flatMap((one) => (membership(one).stages ?? []).flat());
      return actions.flatMap((action) => ("order" in action ? [action.order.id] : []));
    };
    const [first, second] = [idsOf(timeAgo(90_000)), idsOf(timeAgo(60_000))];
    expect(first).toHaveLength(12);
    expect(new Set([...first, ...second]).size).toBe(2 * new Set(first).size);
  });

  test("marks no volume that came in place of one that was prepared", () => {
    const replaced = member(1, {
      claim: { epoch: undefined, started: undefined },
      says: { volume: { kind: "empty" } },
    });
    const [one, , three] = prepared.members;
    const members = [one, replaced, three].filter((each) => each !== undefined);
    const does = brief(changing({ record: level, identity: decided, ...prepared, members }));
    expect(does.filter((action) => action.startsWith("mark"))).not.toContain("mark data-seq-1");
    expect(does).toContain("mark data-seq-0");
  });

  test("goes on from the decision where its record is gone", () => {
    const members = [...old({ prepared: true }), ...next({ prepared: true })];
    const seen = changing({ identity: decided, members });
    expect(brief(seen)).toEqual(["membership: changing, 5 replicas", "stop"]);
  });

  test("goes on as it was decided where its record is gone and the StatefulSet is still of before", () => {
    const seen = changing({ identity: decided, ...prepared });
    const [turn] = (membership(seen).stages ?? []).flat();
    expect(turn?.kind === "turnMembership" && turn.to).toMatchObject({
      kind: "changing",
      to: { epoch: 2, replicas: 5 },
    });
  });

  test("touches nothing else meanwhile, and says so", () => {
    const seen = changing({ record: stopped, members: old(), nonMembers: next() });
    const plan = makePlan(seen);
    expect(plan.decided.map(({ by }) => by)).toEqual(["membership"]);
    const { conditions = [], membership: told } = statusOf(seen, plan, []);
    const of = (type: string) => conditions.find((one) => one.type === type);
    expect(of("MembershipComplete")).toMatchObject({ status: "False", reason: "MembersChanging" });
    expect(of("Ready")).toMatchObject({ status: "False", reason: "Levelling" });
    expect(told).toMatchObject({
      epoch: 1,
      nextEpoch: 3,
      lastChange: { result: "UnderWay", from: 3, to: 5 },
    });
  });

  test("is none of a StatefulSet that is made anew: it has the members that the chain was begun with", () => {
    const seen = snapshot({ cluster: cluster({ spec: { replicas: 5 } }), statefulSet: undefined });
    const made = makePlan(seen).decided.flatMap(({ stages }) =>
      stages.flat().flatMap((action) => (action.kind === "create" ? [action.object] : [])),
    );
    const set = made.find(({ kind }) => kind === "StatefulSet") as StatefulSet | undefined;
    expect(set?.spec?.replicas).toBe(3);
  });

  test("tells its owner how to approve it", () => {
    const seen = changing({ spec: unapproved });
    const { conditions = [] } = statusOf(seen, makePlan(seen), []);
    const told = conditions.find(({ type }) => type === "MembershipComplete");
    expect(told).toMatchObject({
      reason: "MembershipAwaitsApproval",
      message:
        "A change from 3 to 5 members waits for its approval. Blocks stop for some seconds while it is made. To have it made, set spec.membership.approvedEpoch to 2.",
    });
  });
});
