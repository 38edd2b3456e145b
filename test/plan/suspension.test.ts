import { describe, expect, test } from "vitest";
import type { Spec } from "../../src/api/evnodecluster.ts";
import { parseCluster } from "../../src/api/parse.ts";
import { annotations } from "../../src/model/annotations.ts";
import { readSuspensionRecord, type SuspensionRecord } from "../../src/model/suspension-record.ts";
import { compareBlocks } from "../../src/plan/fork.ts";
import { makePlan } from "../../src/plan/plan.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { statusOf } from "../../src/plan/status.ts";
import { actionsOf } from "../../src/plan/step.ts";
import { suspension } from "../../src/plan/suspension.ts";
import { briefAction } from "../brief.ts";
import { cluster, withNotes } from "../builders.ts";
import { gone, leads, silent, type Trait, type Traits, timeAgo, updated } from "../member-traits.ts";
import { completedRecord, type RollingShape, rolling } from "../rolling.ts";

const AT = timeAgo(60_000);
const suspended: SuspensionRecord = {
  version: 1,
  kind: "suspended",
  suspendedAt: AT,
  heads: [
    { member: "seq-0", height: 100, hash: "aa" },
    { member: "seq-1", height: 99 },
  ],
  checkpoint: { height: 96, id: "c96" },
};
const resumed: SuspensionRecord = { ...suspended, kind: "resumed", resumedAt: timeAgo(5_000) };

const allWell: readonly Traits[] = [[updated, leads], updated, updated];
const noPods: readonly Traits[] = [gone, gone, gone];

/** A cluster whose owner wants this, and whose StatefulSet tells that. */
function seen(suspend: boolean | "invalid", record?: SuspensionRecord, shape: RollingShape = {}): Snapshot {
  const running = rolling({ record: completedRecord, isCertain: true, members: allWell, ...shape });
  const { statefulSet } = running;
  if (!statefulSet) throw new Error("a cluster that rolls has a StatefulSet");
  const wish: Partial<Spec> = suspend === "invalid" ? { image: "" } : { suspend };
  const asked = cluster({ spec: { ...running.cluster.spec, ...wish } });
  const notes = record === undefined ? {} : { [annotations.suspension]: JSON.stringify(record) };
  const replicas = record?.kind === "suspended" ? 0 : 3;
  const set = {
    ...withNotes(statefulSet, notes),
    spec: { ...statefulSet.spec, replicas },
  } as typeof statefulSet;
  return { ...running, cluster: asked, parsed: parseCluster(asked, 1), statefulSet: set };
}

const brief = (snapshot: Snapshot) => {
  const { stages = [], stop, needsCertainty } = suspension(snapshot);
  return [
    ...stages.flat().map(briefAction),
    ...(stop ? ["stop"] : []),
    ...(needsCertainty ? ["look again"] : []),
  ];
};

const down = { members: noPods };
const uncertain = { isCertain: false };

describe("a suspension", () => {
  test.each<[string, Snapshot, readonly string[]]>([
    ["is nobody's wish as a rule", seen(false), []],
    ["is decided on certain evidence only", seen(true, undefined, uncertain), ["stop", "look again"]],
    ["stops all members in one write", seen(true), ["suspension: suspended, 0 replicas", "stop"]],
    [
      "does not wait for a member that is silent",
      seen(true, undefined, { members: [[updated, leads], updated, [updated, silent]] }),
      ["suspension: suspended, 0 replicas", "stop"],
    ],
    ["goes on while members stop", seen(true, suspended), ["stop"]],
    ["goes on while its owner wants it", seen(true, suspended, down), ["stop"]],
    ["goes on while the spec is not valid", seen("invalid", suspended, down), ["stop"]],
    ["is not begun by a spec that is not valid", seen("invalid"), []],
    ["ends when the last pod is gone, and not before", seen(false, suspended), ["stop"]],
    ["ends on certain evidence", seen(false, suspended, { ...down, ...uncertain }), ["stop", "look again"]],
    ["ends in one write", seen(false, suspended, down), ["suspension: resumed, 3 replicas", "stop"]],
    ["that is over is a memory", seen(false, resumed), []],
    ["may come again", seen(true, resumed), ["suspension: suspended, 0 replicas", "stop"]],
  ])("%s", (_, snapshot, does) => {
    expect(brief(snapshot)).toEqual(does);
  });

  test("notes what the members held", () => {
    const members: readonly Traits[] = [
      [updated, leads, told(97, "x")],
      [updated, told(98, "x")],
      [updated, told(97, "y")],
    ];
    const [action] = suspension(seen(true, undefined, { members })).stages?.flat() ?? [];
    expect(action?.kind === "turnSuspension" && action.to).toMatchObject({
      kind: "suspended",
      heads: [
        { member: "seq-0", height: 97 },
        { member: "seq-1", height: 98 },
        { member: "seq-2", height: 97 },
      ],
      checkpoint: { height: 96, id: "x" },
    });
  });

  test("lets nothing else touch the members, and no drift of the StatefulSet is seen in it", () => {
    const writes = actionsOf(makePlan(seen(true, suspended, down))).filter(({ kind }) => kind !== "create");
    expect(writes.map(briefAction)).toEqual([]);
  });

  test("of a cluster that has no members yet begins with the StatefulSet", () => {
    const { statefulSet: _, ...rest } = seen(true, undefined, down);
    const [set] = actionsOf(makePlan({ ...rest, statefulSet: undefined })).flatMap((action) =>
      action.kind === "create" && action.object.kind === "StatefulSet" ? [action.object] : [],
    );
    expect(set).toMatchObject({ spec: { replicas: 0 } });
    expect(readSuspensionRecord(set?.metadata.annotations?.[annotations.suspension])?.kind).toBe("suspended");
  });
});

function told(height: number, id: string): Trait {
  return (draft) => {
    if (draft.says === "nothing" || draft.says.node.kind === "closed") return draft;
    const node = { ...draft.says.node, height, checkpoints: [{ height: 96, id }] };
    return { ...draft, says: { ...draft.says, node } };
  };
}

describe("what stands after it", () => {
  test.each<[string, string, string]>([
    ["the block that a majority held before", "c96", "equal"],
    ["another one in its place, which is a fork", "other", "forked"],
  ])("is %s", (_, id, kind) => {
    const members: readonly Traits[] = [
      [updated, leads, told(100, id)],
      [updated, silent],
      [updated, silent],
    ];
    expect(compareBlocks(seen(false, resumed, { members })).kind).toBe(kind);
  });
});

describe("the status of a suspended cluster", () => {
  const statusFor = (snapshot: Snapshot) => statusOf(snapshot, makePlan(snapshot), []);

  test("says so, needs nobody, and keeps the height", () => {
    const before = seen(true, suspended, down);
    const known = { ...before, cluster: { ...before.cluster, status: { height: 100 } } };
    const { phase, height, suspension: told, conditions = [] } = statusFor(known);
    expect({ phase, height }).toEqual({ phase: "Suspended", height: 100 });
    expect(told).toEqual({ suspendedAt: AT, height: 100, heads: suspended.heads });
    const reasons = Object.fromEntries(conditions.map(({ type, reason }) => [type, reason]));
    expect(reasons).toMatchObject({
      Ready: "Suspended",
      Reconciling: "Converged",
      Stalled: "NotStalled",
      LeaderElected: "Suspended",
      Quorate: "QuorumUnknown",
      RolloutComplete: "UpToDate",
    });
  });

  test("says which members still stop", () => {
    const { conditions = [] } = statusFor(seen(true, suspended));
    const reconciling = conditions.find(({ type }) => type === "Reconciling");
    expect(reconciling).toMatchObject({
      reason: "Converging",
      message: expect.stringContaining("seq-0, seq-1, seq-2"),
    });
  });

  test("tells afterwards when that was", () => {
    expect(statusFor(seen(false, resumed)).suspension).toMatchObject({
      suspendedAt: AT,
      resumedAt: timeAgo(5_000),
    });
  });
});

test.each([undefined, "", "{", '{"kind":"suspended"}'])("a record that says %j is none", (text) => {
  expect(readSuspensionRecord(text)).toBeUndefined();
});
