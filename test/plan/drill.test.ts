import { describe, expect, test } from "vitest";
import type { Blocker } from "../../src/api/conditions.ts";
import type { Status } from "../../src/api/evnodecluster.ts";
import type { Handover } from "../../src/model/agent-protocol.ts";
import { annotations } from "../../src/model/annotations.ts";
import type { DrillRecord } from "../../src/model/drill-record.ts";
import { drill } from "../../src/plan/drill.ts";
import { drillStatus } from "../../src/plan/drill-state.ts";
import { makePlan } from "../../src/plan/plan.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { actionsOf } from "../../src/plan/step.ts";
import { briefAction } from "../brief.ts";
import { justApplied, NOW_MS } from "../builders.ts";
import {
  behind,
  closed,
  cutFrom,
  gone,
  leaderless,
  leads,
  noted as notedOnPod,
  OLD,
  restarted,
  says,
  silent,
  type Trait,
  type Traits,
  timeAgo,
  touched,
  unready,
  updated,
} from "../member-traits.ts";
import { claimed, completedRecord, type RollingShape, rolling, unprovenRecord, wished } from "../rolling.ts";

/** What the whole plan does, and whether it wants to look again, in short. */
function brief(seen: Snapshot): readonly string[] {
  const plan = makePlan(seen);
  const acts = plan.decided.flatMap(({ stages }) => stages.map((stage) => stage.map(briefAction).join(", ")));
  return [...acts, ...(plan.needsCertainty ? ["look again"] : [])];
}

const allWell: readonly Traits[] = [[updated, leads], updated, updated];
const well: RollingShape = { record: completedRecord, members: allWell };
const noted = (notes: Readonly<Record<string, string>>, shape: RollingShape = {}): Snapshot =>
  rolling({ ...well, ...shape, annotations: { ...notes, ...shape.annotations } });

const asked = (shape: RollingShape = {}) => noted({ [annotations.drill]: "monday" }, shape);
const certain = (shape: RollingShape = {}) => asked({ isCertain: true, ...shape });
const ready = { budget: claimed("seq-0") } as const;

const refusals: readonly (readonly [name: string, seen: Snapshot, why: string])[] = [
  [
    "a member is silent",
    certain({ ...ready, members: [[updated, leads], updated, [updated, silent]] }),
    "the agent of seq-2 does not answer",
  ],
  [
    "a member has no pod",
    certain({ ...ready, members: [[updated, leads], updated, gone] }),
    "seq-2 has no pod",
  ],
  [
    "a member is not ready",
    certain({
      ...ready,
      members: [
        [updated, leads],
        updated,
        [updated, unready(), says({ ready: { ok: false, message: "behind" } })],
      ],
    }),
    "seq-2 is not ready: behind",
  ],
  [
    "a member is behind",
    certain({ ...ready, members: [[updated, leads], updated, [updated, behind(40)]] }),
    "seq-2 is more than 15 blocks behind",
  ],
  [
    "a member is cut off on the Raft port",
    certain({ ...ready, members: [[updated, leads], updated, [updated, cutFrom("seq-0")]] }),
    "there is no path from seq-2 to seq-0 on Raft port 5001: no answer, as behind a firewall",
  ],
  [
    "no follower is level with the leader",
    certain({
      ...ready,
      members: [
        [updated, leads],
        [updated, behind(9)],
        [updated, behind(9)],
      ],
    }),
    "no follower is level with seq-0, the leader",
  ],
  ["nobody leads", certain({ ...ready, members: [updated, updated, updated] }), "no member leads"],
  [
    "the leader was just lost",
    certain({ ...ready, members: [[updated, leaderless()], updated, updated] }),
    "seq-0 is not ready: it knows no leader",
  ],
  [
    "two lead",
    certain({ ...ready, members: [[updated, leads], [updated, leads], updated] }),
    "more than one member says that it leads",
  ],
  [
    "somebody else has the budget",
    certain({ budget: claimed("seq-1") }),
    "the disruption budget was used for seq-1",
  ],
  [
    "the budget has no room",
    certain({ budget: { disruptionsAllowed: 0, currentHealthy: 2 } }),
    "the disruption budget allows no disruption: 2 pods are healthy, 2 have to be",
  ],
  [
    "a rollout is under way",
    certain({ ...ready, record: "none", members: [leads, [], []] }),
    "another member has to be restarted first",
  ],
  [
    "a change of the spec waits",
    { ...certain(ready), parsed: wished({ change: { image: "example.org/testapp:3" } }).parsed },
    "a change of the spec comes first: A change of image is not begun",
  ],
  [
    "a rollout has not ended",
    certain({ ...ready, record: unprovenRecord }),
    "a change of the spec comes first",
  ],
  [
    "rollouts are paused",
    certain({ ...ready, change: { image: "example.org/testapp:2", rollout: { mode: "Paused" } } }),
    "spec.rollout.mode is Paused",
  ],
  [
    "the restart of a member was asked for",
    certain({ ...ready, annotations: { [annotations.restartMember]: "seq-1" } }),
    "the restart of a member was asked for, too",
  ],
  [
    "the chain has forked",
    certain({
      ...ready,
      members: [[updated, leads, heads("a")], [updated, heads("b")], updated],
    }),
    "nothing is restarted while ChainSafe is not true",
  ],
  [
    "the spec is not valid",
    certain({ ...ready, seen: { parsed: { kind: "invalid", problems: ["spec.image: Required"] } } }),
    "nothing is restarted while ConfigValid is not true",
  ],
  [
    "nothing was started yet",
    { ...justApplied({ cluster: asked().cluster }), isCertain: true },
    "the cluster is not set up yet",
  ],
];

/** Ready, and not for long enough. */
const backSince = (forMs: number): Trait => says({ ready: { ok: true, message: "in sync", forMs } });

function heads(id: string): Trait {
  const checkpoints = [{ height: 96, id }];
  return (draft) => {
    if (draft.says === "nothing" || draft.says.node.kind === "closed") return draft;
    return { ...draft, says: { ...draft.says, node: { ...draft.says.node, checkpoints } } };
  };
}

describe("a request", () => {
  test.each<[string, Snapshot, readonly string[]]>([
    ["is decided on certain evidence only", asked(), ["look again"]],
    ["claims the budget for the leader first", certain(), ["budget for seq-0"]],
    ["is noted before the leader is restarted", certain(ready), ["drill underWay", "restart seq-0"]],
    [
      "waits while a member only has to take part for some time",
      certain({
        ...ready,
        change: { rollout: { minReadySeconds: 5 } },
        members: [[updated, leads], updated, [updated, backSince(1_000)]],
      }),
      [],
    ],
    ["needs no budget where there is none", certain({ budget: "off" }), ["drill underWay", "restart seq-0"]],
    [
      "that was carried out before is taken away",
      asked({ annotations: { [annotations.lastDrill]: JSON.stringify(record()) } }),
      ["end drill: the drill monday was at 2025-12-31T23:59:50.000Z: ask for another one with another text"],
    ],
    [
      "that was refused before may be made again",
      certain({
        ...ready,
        annotations: { [annotations.lastDrill]: JSON.stringify({ ...refusedBefore, request: "monday" }) },
      }),
      ["drill underWay", "restart seq-0"],
    ],
    [
      "does not disturb one that is under way",
      asked({
        members: [[updated, touched({ onDemand: true }), leads], updated, updated],
        annotations: { [annotations.lastDrill]: JSON.stringify(underWay()) },
      }),
      [],
    ],
    ["is nobody's where there is none", rolling(well), []],
  ])("%s", (_, seen, does) => {
    expect(brief(seen).filter((act) => !act.startsWith("label"))).toEqual(does);
  });

  test.each(refusals)("is refused when %s", (_, seen, why) => {
    const acts = actionsOf(makePlan(seen));
    const [refused] = acts.flatMap((action) => (action.kind === "turnDrill" ? [action.record] : []));
    expect(refused).toMatchObject({
      kind: "refused",
      request: "monday",
      message: expect.stringContaining(why),
    });
    expect(acts.filter((action) => action.kind === "updatePod" && action.member.name === "seq-0")).toEqual(
      [],
    );
  });

  test("is nobody's business once the cluster is deleted", () => {
    const { cluster, ...rest } = certain(ready);
    const metadata = { ...cluster.metadata, deletionTimestamp: timeAgo(1) };
    const seen = { ...rest, cluster: { ...cluster, metadata } };
    expect(drill(seen, { blockers: [], rollout: undefined })).toEqual({});
  });

  test("is refused by whatever blocks the deciders before", () => {
    const blocker: Blocker = { type: "VolumesReady", reason: "VolumeLost", message: "" };
    const { stages } = drill(certain(ready), { blockers: [blocker], rollout: undefined });
    expect(stages?.flat().map(briefAction)).toEqual([
      "drill refused: nothing is restarted while VolumesReady is not true",
    ]);
  });
});

const AT = timeAgo(10_000);

function record(over: Partial<Extract<DrillRecord, { kind: "succeeded" }>> = {}): DrillRecord {
  return {
    version: 1,
    kind: "succeeded",
    request: "monday",
    at: AT,
    from: "seq-0",
    to: "seq-1",
    message: "",
    ...over,
  };
}

const refusedBefore = { version: 1, kind: "refused", request: "sunday", at: AT, message: "why" } as const;

const underWay = (at = AT): DrillRecord => ({
  version: 1,
  kind: "underWay",
  request: "monday",
  at,
  from: "seq-0",
  container: "container-of-seq-0",
});

const tookLead = (ageMs = 9_000): readonly Trait[] => [
  leads,
  says({ handover: { ...blocks, gapMs: 3_000, ageMs } }),
];
const blocks: Omit<Handover, "gapMs" | "ageMs"> = {
  lastHeight: 90,
  lastHash: "aa",
  parentHash: "aa",
  firstHash: "bb",
};

const begun = (shape: RollingShape, at = AT) =>
  noted({ [annotations.lastDrill]: JSON.stringify(underWay(at)) }, shape);
const back: Traits = [updated, restarted];
const newLeader: Traits = [updated, ...tookLead()];

describe("a drill under way", () => {
  test.each<[string, Snapshot, readonly string[]]>([
    [
      "waits for the process that was asked to end",
      begun({ members: [[updated, touched({ onDemand: true }), leads], updated, updated] }),
      [],
    ],
    [
      "waits until somebody leads",
      begun({ members: [[updated, restarted, leaderless()], [updated, leaderless()], updated] }),
      [],
    ],
    [
      "waits until the old leader takes part",
      begun({ members: [[updated, restarted, closed], newLeader, updated] }),
      [],
    ],
    [
      "gives the budget back",
      begun({ members: [back, newLeader, updated], budget: claimed("seq-0", 5_000) }),
      ["budget for nobody"],
    ],
    [
      "waits until the budget is free again",
      begun({ members: [back, newLeader, updated], budget: claimed("seq-0") }),
      [],
    ],
    [
      "keeps the budget until the restart is written",
      begun({ isCertain: true, budget: claimed("seq-0", 5_000) }),
      ["restart seq-0"],
    ],
    [
      "waits until the new leader tells how it came to lead",
      begun({ members: [back, [updated, leads], updated] }),
      [],
    ],
    [
      "does not take an earlier handover for its own",
      begun({ members: [back, [updated, ...tookLead(60_000)], updated] }),
      [],
    ],
    [
      "is over when all of that was seen",
      begun({ members: [back, newLeader, updated] }),
      ["drill succeeded: seq-0 stepped down and seq-1 leads."],
    ],
    [
      "is over, too, when the old leader leads again",
      begun({ members: [[updated, restarted, ...tookLead()], updated, updated] }),
      ["drill succeeded: seq-0 stepped down and leads again."],
    ],
    [
      "is over without a figure when the leader cannot tell it",
      begun({ members: [back, [updated, leads], updated] }, timeAgo(31_000)),
      ["drill succeeded: seq-0 stepped down and seq-1 leads. It cannot tell for how long no block was made."],
    ],
    [
      "failed when nobody leads for too long",
      begun(
        { members: [[updated, restarted, leaderless()], [updated, leaderless()], updated] },
        timeAgo(301_000),
      ),
      ["drill failed: no member is known to lead since"],
    ],
    [
      "failed when the process does not end",
      begun({ members: [[updated, touched({ onDemand: true }), leads], updated, updated] }, timeAgo(301_000)),
      ["drill failed: ev-node of seq-0 did not end"],
    ],
  ])("%s", (_, seen, does) => {
    expect(brief(seen).filter((act) => !act.startsWith("label"))).toEqual(does);
  });

  test("tells the gap and the blocks that would have fitted into it", () => {
    const [action] = actionsOf(makePlan(begun({ members: [back, newLeader, updated] }))).filter(
      ({ kind }) => kind === "turnDrill",
    );
    expect(action).toMatchObject({ record: { from: "seq-0", to: "seq-1", gapMs: 3_000, blocksMissed: 2 } });
  });

  describe("whose restart was not written, because the operator ended before", () => {
    test.each<[string, Snapshot, readonly string[]]>([
      ["looks again", begun({ ...ready }), ["look again"]],
      ["is begun again", begun({ ...ready, isCertain: true }), ["restart seq-0"]],
      [
        "is not begun when something speaks against it by now",
        begun({ ...ready, isCertain: true, members: [[updated, leads], updated, [updated, silent]] }),
        ["drill failed: no member was touched: the agent of seq-2 does not answer"],
      ],
      [
        "is not begun with another leader",
        begun({ budget: claimed("seq-1"), isCertain: true, members: [updated, [updated, leads], updated] }),
        ["drill failed: no member was touched: seq-1 leads by now"],
      ],
      [
        "is not begun when that is long ago",
        begun({ ...ready, isCertain: true }, timeAgo(31_000)),
        ["drill failed: it was not begun in time, and no member was touched"],
      ],
    ])("%s", (_name, seen, does) => {
      expect(brief(seen).filter((act) => !act.startsWith("label"))).toEqual(does);
    });
  });
});

describe("the status", () => {
  const told = (text: string, before: Status = {}) => {
    const seen = noted({ [annotations.lastDrill]: text });
    return drillStatus({ ...seen, cluster: { ...seen.cluster, status: before } }).lastDrill;
  };

  test.each<[DrillRecord, object]>([
    [underWay(), { request: "monday", at: AT, result: "UnderWay", from: "seq-0" }],
    [
      { ...refusedBefore, request: "monday" },
      { request: "monday", at: AT, result: "Refused", message: "why" },
    ],
    [
      record({ gapMs: 600, blocksMissed: 2, message: "m" }),
      {
        request: "monday",
        at: AT,
        result: "Succeeded",
        from: "seq-0",
        to: "seq-1",
        gapMs: 600,
        blocksMissed: 2,
        message: "m",
      },
    ],
    [
      { version: 1, kind: "failed", request: "monday", at: AT, from: "seq-0", message: "why" },
      { request: "monday", at: AT, result: "Failed", from: "seq-0", message: "why" },
    ],
  ])("tells $kind", (written, expected) => {
    expect(told(JSON.stringify(written))).toEqual(expected);
  });

  test.each(["", "{", '{"kind":"underWay"}', JSON.stringify({ ...underWay(), request: "x".repeat(64) })])(
    "keeps what it told when the record is %j",
    (text) => {
      expect(told(text)).toBeUndefined();
      expect(told(text, { lastDrill: { request: "sunday" } })).toEqual({ request: "sunday" });
    },
  );
});

test("a text of any length asks for a drill, and as much of it as has room is kept", () => {
  const seen = noted({ [annotations.drill]: "x".repeat(1_000) }, { ...ready, isCertain: true });
  const [action] = actionsOf(makePlan(seen));
  expect(action).toMatchObject({ record: { request: "x".repeat(63), at: new Date(NOW_MS).toISOString() } });
});

const memberNoted = (update: object) => notedOnPod({ [annotations.update]: JSON.stringify(update) });

describe("a change of the spec while the leader was told to restart, and has not yet", () => {
  const told: Trait = (draft, templates) =>
    memberNoted({
      revision: OLD,
      at: timeAgo(4_000),
      container: "container-of-seq-0",
      given: true,
      onDemand: true,
    })(draft, templates);

  test("touches no follower: two would be away at once", () => {
    expect(brief(rolling({ members: [[leads, told], [], []], isCertain: true }))).toEqual([]);
    expect(
      brief(rolling({ members: [[leads, told], [], []], isCertain: true, budget: claimed("seq-2") })),
    ).toEqual([]);
  });

  test("begins with a follower that was told so", () => {
    const follower = memberNoted({
      revision: OLD,
      at: timeAgo(4_000),
      container: "container-of-seq-1",
      given: true,
    });
    const seen = rolling({ members: [leads, follower, []], isCertain: true, budget: claimed("seq-1") });
    expect(brief(seen)).toEqual(["restart seq-1"]);
  });

  test("goes on when its process is another one", () => {
    const gone: Trait = memberNoted({ revision: OLD, at: timeAgo(4_000), container: "another", given: true });
    const seen = rolling({ members: [[leads, gone], [], []], isCertain: true, budget: claimed("seq-2") });
    expect(brief(seen)).toEqual(["restart seq-2"]);
  });
});
