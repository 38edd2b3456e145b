import { describe, expect, test } from "vitest";
import type { Status } from "../../src/api/evnodecluster.ts";
import { status as statusSchema } from "../../src/api/schema/status.ts";
import type { Handover } from "../../src/model/agent-protocol.ts";
import { annotations } from "../../src/model/annotations.ts";
import { makePlan } from "../../src/plan/plan.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { statusOf } from "../../src/plan/status.ts";
import {
  behind,
  broken,
  closed,
  gone,
  leads,
  says,
  silent,
  type Traits,
  timeAgo,
  touched,
  unready,
  updated,
} from "../member-traits.ts";
import {
  completedRecord,
  digestOf,
  type RollingShape,
  revertedRecord,
  reverting,
  rolling,
  wished,
} from "../rolling.ts";

const statusIn = (seen: Snapshot): Status => statusOf(seen, makePlan(seen), []);
/** As it is looked at next, when that was written. */
const told = (seen: Snapshot, status: Status = statusIn(seen)): Snapshot => ({
  ...seen,
  cluster: { ...seen.cluster, status },
});

const allUpdated: readonly Traits[] = [[updated, leads], updated, updated];
const paused = { change: { image: "example.org/testapp:2", rollout: { mode: "Paused" } } } as const;
const handover: Handover = {
  lastHeight: 90,
  lastHash: "aa",
  parentHash: "aa",
  firstHash: "bb",
  gapMs: 2_400.4,
  ageMs: 5_000,
};
const tookLead = [leads, says({ handover })];
const reverted = () => revertedRecord({ wish: digestOf(reverting()), finishedAt: timeAgo(1_000) });

const phases: readonly (readonly [string, Snapshot])[] = [
  ["a change that is tried", wished()],
  ["one that waits", wished(paused)],
  ["a rollout", rolling({ members: [tookLead, [], updated] })],
  ["a member on its way up", rolling({ members: [leads, [], [touched(), closed, unready()]] })],
  ["a member that is away", rolling({ members: [leads, gone, behind(40)] })],
  [
    "one that does not get on",
    rolling({ members: [leads, [], [touched({ at: timeAgo(301_000) }), broken]] }),
  ],
  ["a rollout that nobody leads", rolling({ members: [silent, closed, closed] })],
  ["one that goes back", reverting()],
  ["one that went back", reverting({ record: reverted() })],
  ["one that is over", rolling({ members: allUpdated, record: completedRecord })],
];

describe("what is told of a rollout", () => {
  test.each(phases)("fits the stored status: %s", (_, seen) => {
    expect(statusSchema.safeParse(statusIn(seen)).error).toBeUndefined();
  });

  test.each(phases)("is the same when nothing happened since: %s", (_, seen) => {
    const once = told(seen);
    expect(statusIn(once)).toEqual(once.cluster.status);
  });

  test.each(phases)("does not move with time, heights aside: %s", (_, seen) => {
    const once = told(seen);
    const later = { ...once, nowMs: once.nowMs + 2_000, monotonicMs: 2_000 };
    expect(statusIn(later).rollout).toEqual(once.cluster.status?.rollout);
    expect(statusIn(later).lastHandover).toEqual(once.cluster.status?.lastHandover);
  });
});

test("a rollout under way, in full", () => {
  const seen = rolling({ members: [tookLead, [], updated] });
  const { rollout, updatedMembers, updatePending, lastHandover, lastRollout } = statusIn(seen);
  const step = (member: string, state: "Waiting" | "Done", reason = "It follows.") => {
    return { member, way: "Restart", reason, state };
  };
  expect(rollout).toEqual({
    target: "of-the-change",
    changes: ["image"],
    plan: [
      step("seq-2", "Done"),
      step("seq-1", "Waiting"),
      step("seq-0", "Waiting", "It leads, so it comes last."),
    ],
    startedAt: timeAgo(60_000),
    next: "seq-1",
    leaderChanges: 0,
    longestGapMs: 2_400,
  });
  expect([updatedMembers, updatePending, lastRollout]).toEqual(["1/3", undefined, undefined]);
  expect(lastHandover).toEqual({
    leader: "seq-0",
    at: timeAgo(5_000),
    height: 90,
    hash: "aa",
    nextHash: "bb",
    parentHash: "aa",
    gapMs: 2_400,
    blocksMissed: 1,
  });
});

test("a lazy chain has no blocks to miss", () => {
  const spec = { chain: { id: "rollup-1", lazy: { interval: "1m" } } };
  const { lastHandover } = statusIn(rolling({ spec, members: [tookLead, [], updated] }));
  expect(lastHandover).toMatchObject({ gapMs: 2_400 });
  expect(lastHandover?.blocksMissed).toBeUndefined();
});

test("a change that waits is pending, and the plan has its hash", () => {
  const { rollout, updatePending, updatedMembers } = statusIn(wished(paused));
  expect([updatePending, updatedMembers]).toEqual([["image"], "0/3"]);
  expect(rollout?.planHash).toMatch(/^[0-9a-f]{10}$/);
  expect(rollout?.startedAt).toBeUndefined();
});

describe("changes of the leader are counted", () => {
  const count = (before: Partial<Status>, shape: RollingShape = {}) =>
    statusIn(told(rolling(shape), before)).rollout?.leaderChanges;
  const startedAt = timeAgo(60_000);

  test.each<[string, Partial<Status>, number]>([
    ["none where none was", { lastLeader: "seq-0", rollout: { startedAt } }, 0],
    ["one more when another one leads", { lastLeader: "seq-1", rollout: { startedAt, leaderChanges: 1 } }, 2],
    [
      "anew in another rollout",
      { lastLeader: "seq-0", rollout: { startedAt: timeAgo(9e6), leaderChanges: 7 } },
      0,
    ],
    ["none while it was not told who led before", { rollout: { startedAt } }, 0],
  ])("%s", (_, before, changes) => {
    expect(count(before)).toBe(changes);
  });

  test("none while nobody is known to lead", () => {
    const before = { lastLeader: "seq-0", rollout: { startedAt, leaderChanges: 1 } };
    expect(count(before, { members: [silent, [], []] })).toBe(1);
  });
});

test("the last rollout is told with its result, and stays when nothing tells of it any more", () => {
  const { lastRollout } = statusIn(rolling({ members: allUpdated, record: completedRecord }));
  expect(lastRollout).toMatchObject({ target: "of-the-change", result: "Completed", leaderChanges: 1 });
  const later = statusIn(told(rolling({ record: "none", members: allUpdated }), { lastRollout }));
  expect(later.lastRollout).toEqual(lastRollout);
  expect(statusIn(reverting({ record: reverted() })).lastRollout).toMatchObject({ result: "Reverted" });
});

describe("what was a fault once", () => {
  test("what was counted of a rollout that was taken back is told for longer than one look", () => {
    const once = told(reverting({ record: { ...reverted(), leaderChanges: 2 } }));
    expect(once.cluster.status?.lastRollout?.leaderChanges).toBe(2);
    expect(statusIn(once).lastRollout?.leaderChanges).toBe(2);
  });

  test("a restart of one member is no pending change of the last rollout", () => {
    const asked = { [annotations.restartMember]: "seq-1" };
    const seen = rolling({ members: allUpdated, record: completedRecord, annotations: asked });
    expect(statusIn(seen).updatePending).toBeUndefined();
  });

  test("a record that a stranger wrote does not keep the status from being stored", () => {
    const record = { ...completedRecord, wish: "x".repeat(64), finishedAt: "soon" };
    const { error } = statusSchema.safeParse(statusIn(rolling({ members: allUpdated, record })));
    expect(error).toBeUndefined();
  });
});
