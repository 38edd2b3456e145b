import { describe, expect, test } from "vitest";
import type { ConditionType } from "../../src/api/conditions.ts";
import type { AgentAnswer } from "../../src/model/agent-protocol.ts";
import { annotations } from "../../src/model/annotations.ts";
import type { Member } from "../../src/model/member.ts";
import { bootstrap } from "../../src/plan/bootstrap.ts";
import { findingsOf } from "../../src/plan/findings.ts";
import { type Next, nextMember } from "../../src/plan/next-member.ts";
import { makePlan } from "../../src/plan/plan.ts";
import { repair } from "../../src/plan/repair.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { statusOf } from "../../src/plan/status.ts";
import { updateStep } from "../../src/plan/update-step.ts";
import { briefAction } from "../brief.ts";
import { cluster, converged, has, type MemberShape, member, present, snapshot } from "../builders.ts";
import * as as from "../member-traits.ts";
import { completedRecord, NEW_IMAGE, type RollingShape, rolling, sceneIn } from "../rolling.ts";

/** What the deciders make of a cluster of one member, which runs without Raft. */

const one = { replicas: 1 } as const;
const single = { mode: { kind: "single" } } as const;
const identity = present({ membership: { replicas: 1, raftPort: 5001 } });
const leading = { kind: "open", isLeader: true, height: 100 } as const;
const open = { kind: "open", height: 100 } as const;
const shut = (metricsPortOpen: boolean) =>
  ({ kind: "closed", metricsPortOpen, raftPortOpen: false, sinceMs: 1 }) as const;

const sole = (shape: MemberShape = {}): Member =>
  member(0, {
    ...shape,
    says: shape.says === "nothing" ? "nothing" : { ...single, node: leading, peers: [], ...shape.says },
  });

function of(shape: MemberShape = {}, over: Partial<Snapshot> = {}): Snapshot {
  const applied = cluster({ spec: one });
  const seen = snapshot({ cluster: applied, identity, members: [sole(shape)], ...over });
  return { ...converged(seen, applied), parsed: seen.parsed };
}

const stateOf = (seen: Snapshot) => statusOf(seen, makePlan(seen), []);

function found(type: ConditionType, seen: Snapshot): string | undefined {
  const finding = findingsOf(seen, makePlan(seen), []).list.find((other) => other.type === type);
  return finding && `${finding.reason}: ${finding.message}`;
}

test("a single sequencer that runs is well in every respect, and nothing stays unknown", () => {
  const {
    phase,
    quorum,
    leader,
    readyMembers,
    conditions = [],
    effective,
    leaderChangesLastHour,
  } = stateOf(of());
  expect({ phase, quorum, leader, readyMembers, leaderChangesLastHour }).toEqual({
    phase: "Running",
    quorum: "Healthy",
    leader: "seq-0",
    readyMembers: "1/1",
    leaderChangesLastHour: 0,
  });
  expect(conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`)).toEqual([
    "Ready True AllMembersReady",
    "Reconciling False Converged",
    "Stalled False NotStalled",
    "LeaderElected True LeaderElected",
    "LeadershipStable True LeadershipKept",
    "Quorate True QuorumHealthy",
    "InSync True MembersInSync",
    "ConfigValid True ConfigAccepted",
    "ChainSafe True NoForkSeen",
    "VolumesReady True VolumesIntact",
    "RolloutComplete True UpToDate",
    "MembershipComplete True MembershipAsAsked",
    "Connected True PathsOpen",
    "TimingFits True RoundTripsFit",
  ]);
  expect(effective).toEqual({ defaultsVersion: 1, daNamespace: "rollup-1" });
});

test.each<[string, MemberShape, quorum: string, ready: string]>([
  [
    "that does not run",
    { says: { node: shut(false) } },
    "Lost",
    "QuorumLost: seq-0, the only member, does not run.",
  ],
  ["without a pod", { pod: "none" }, "Lost", "QuorumLost: seq-0, the only member, does not run."],
  [
    "whose API is closed",
    { says: { node: shut(true) } },
    "Unknown",
    "WaitingForLeader: seq-0 makes no blocks.",
  ],
  ["that is silent", { says: "nothing" }, "Unknown", "QuorumUnknown: no answer from seq-0, the only member."],
  [
    "that answers and makes no blocks",
    { says: { node: open } },
    "Healthy",
    "WaitingForLeader: seq-0 makes no blocks.",
  ],
])("a single sequencer %s", (_, shape, quorum, ready) => {
  const seen = of(shape);
  expect([findingsOf(seen, makePlan(seen), []).quorum, found("Ready", seen)]).toEqual([quorum, ready]);
});

test("one that restarts again and again is not said to lose the lead", () => {
  const leadAgesMs = Array.from({ length: 9 }, (_, count) => count * 1_000);
  const seen = of({ says: { leadAgesMs } });
  expect(found("LeadershipStable", seen)).toBe(
    "LeadershipKept: A single member has nobody to lose the lead to.",
  );
});

const taken = { lastHeight: 98, lastHash: "aa", parentHash: "aa", firstHash: "bb", gapMs: 2_345 };

describe("a rollout", () => {
  const makesBlocks = as.says({ ...single, node: leading });
  const makesNone = as.says({ ...single, node: open });
  const settled = as.says({ ready: { ok: true, message: "in sync", forMs: 60_000 } });

  function next(traits: as.Traits, asked?: string, shape: RollingShape = {}): string {
    const scene = sceneIn(rolling({ spec: one, members: [traits], ...shape }));
    return brief(nextMember(scene, scene.target, asked));
  }

  function brief(what: Next): string {
    if (what.kind === "done") return "done";
    if (what.kind === "update") return `${what.rule}: ${what.why}`;
    return `wait${what.isUpdatesFault ? ", the fault of the update" : ""}: ${what.why}`;
  }

  test.each<[string, as.Traits, string]>([
    ["an outdated member is updated", makesBlocks, "R7: the only member"],
    ["also one that makes no blocks", makesNone, "R7: the only member"],
    ["but a silent one is waited for", as.silent, "wait: the agent of seq-0 does not answer"],
    ["an updated one that leads is done", [as.updated, makesBlocks, settled], "done"],
    [
      "one that makes no blocks since is held against the update",
      [as.updated, makesNone, settled],
      "wait, the fault of the update: seq-0 makes no blocks",
    ],
    [
      "so is one whose last block is older than its start",
      [
        as.updated,
        as.restarted,
        as.says({ ...single, node: { ...leading, blockTimeMs: Date.parse(as.timeAgo(5_000)) } }),
        settled,
      ],
      "wait, the fault of the update: seq-0 has stored no block since its start",
    ],
    [
      "a block of its own shows that it goes on",
      [
        as.updated,
        as.restarted,
        as.says({ ...single, node: { ...leading, blockTimeMs: Date.parse(as.timeAgo(500)) } }),
        settled,
      ],
      "done",
    ],
  ])("%s", (_, traits, expected) => {
    expect(next(traits)).toBe(expected);
  });

  test.each<[string, Partial<AgentAnswer>, string]>([
    ["is waited for", { leadAgesMs: [2_000] }, "wait: seq-0 is about to tell for how long no block was made"],
    ["is not waited for for ever", { leadAgesMs: [20_000] }, "done"],
    ["is told", { leadAgesMs: [2_000], handover: { ...taken, ageMs: 2_000 } }, "done"],
    [
      "is of an earlier start",
      { leadAgesMs: [2_000], handover: { ...taken, ageMs: 90_000 } },
      "wait: seq-0 is about to tell for how long no block was made",
    ],
  ])("how long no block was made %s", (_, told, expected) => {
    expect(next([as.updated, makesBlocks, settled, as.says(told)])).toBe(expected);
  });

  test.each<[string, as.Traits]>([
    ["that leads", [as.updated, makesBlocks, settled]],
    ["that makes no blocks", [as.updated, makesNone, settled]],
  ])("restarts a member %s when its owner asks for it", (_, traits) => {
    expect(next(traits, "seq-0")).toBe("R8: asked for by its owner");
  });

  test("takes it in place, without a disruption budget, once all is certain", () => {
    const steps = [false, true].map((isCertain) => {
      const scene = sceneIn(rolling({ spec: one, members: [makesBlocks], isCertain }));
      const chosen = nextMember(scene, scene.target, undefined);
      if (chosen.kind !== "update") throw new Error("the member is to be updated");
      return updateStep(chosen, scene.target, scene);
    });
    expect(steps[0]).toEqual({ kind: "lookAgain" });
    if (steps[1]?.kind !== "act") throw new Error("the member is restarted");
    expect(steps[1].actions.map(({ kind }) => kind)).toEqual(["updatePod"]);
    expect(JSON.stringify(steps[1].actions)).toContain(NEW_IMAGE);
  });

  test("ends with the time for which no block was made", () => {
    const told = as.says({ leadAgesMs: [2_000], handover: { ...taken, ageMs: 2_000 } });
    const seen = rolling({ spec: one, members: [[as.updated, makesBlocks, settled, told]] });
    const all = makePlan(seen).decided.flatMap(({ stages }) => stages.flat());
    expect(all.find(({ kind }) => kind === "turnRollout")).toMatchObject({
      to: { kind: "completed", leaderChanges: 0, longestGapMs: 2_345 },
    });
  });

  test("is told as an update, though nothing runs meanwhile", () => {
    const down = as.says({ ...single, node: shut(false), ready: { ok: false, message: "", forMs: 1 } });
    const seen = rolling({ spec: one, members: [[as.touched(), down, as.unready()]] });
    const { phase, quorum, rollout } = stateOf({
      ...seen,
      cluster: { ...seen.cluster, status: { phase: "Running", height: 100 } },
    });
    expect([phase, quorum]).toEqual(["Updating", "Lost"]);
    expect(rollout?.plan).toEqual([
      {
        member: "seq-0",
        way: "Restart",
        reason: "It is the only member: no block is made while it restarts.",
        state: "UnderWay",
      },
    ]);
  });

  test("a drill is refused, and says why", () => {
    const seen = rolling({
      spec: one,
      members: [[as.updated, makesBlocks, settled]],
      annotations: { [annotations.drill]: "monday" },
      record: completedRecord,
      isCertain: true,
    });
    const all = makePlan(seen).decided.flatMap(({ stages }) => stages.flat());
    const turned = all.find((action) => action.kind === "turnDrill");
    expect(turned).toMatchObject({
      record: { kind: "refused", message: "it takes 3 members, and there are 1" },
    });
  });
});

describe("a lost volume", () => {
  const lost =
    "It is not started, and nothing is rebuilt: as the only member it had the only copy of the chain. Bring volume claim data-seq-0 back from a snapshot or a backup. Started without, it would begin the chain again at block 1, in place of blocks that were already served.";
  const unmarked = { epoch: undefined, started: undefined };
  const approving = {
    cluster: cluster({ spec: one, metadata: { annotations: { [annotations.approveRejoin]: "seq-0" } } }),
  };
  const inShort = (seen: Snapshot) => {
    const { stages = [], blockers = [] } = bootstrap({ ...seen, isCertain: true });
    return { does: stages.flat().map(briefAction), says: blockers.map(({ message }) => message) };
  };

  test.each<[string, MemberShape, string]>([
    [
      "empty",
      has({ kind: "empty" }),
      `seq-0 has lost its data: the volume of claim data-seq-0 is empty. ${lost}`,
    ],
    [
      "new and empty",
      { ...has({ kind: "empty" }), claim: unmarked },
      `seq-0 has lost its volume: claim data-seq-0 is a new one. ${lost}`,
    ],
    [
      "without its blocks",
      has({ kind: "damaged", message: "the block data is missing" }),
      `seq-0 has lost data: the block data is missing. ${lost}`,
    ],
  ])("that is %s is never rebuilt, whoever allows it", (_, shape, message) => {
    const members = [member(0, shape)];
    for (const over of [{}, approving])
      expect(inShort(of({}, { members, ...over }))).toEqual({ does: [], says: [message] });
  });

  test("that came back as a copy runs, and is accepted by its owner alone", () => {
    const copy = { claim: unmarked };
    const { does, says } = inShort(of(copy));
    expect(does).toEqual([]);
    expect(says.join()).toContain("other blocks come in its place");
    expect(says.join()).toContain("evnode.dev/approve-rejoin=seq-0");
    expect(inShort(of(copy, approving)).does).toEqual(["mark data-seq-0"]);
  });
});

test.each<[string, code: number, cured: readonly string[]]>([
  ["ended as it was asked to", 0, ["deletion of seq-0"]],
  ["failed", 1, []],
])("a single sequencer that %s and is held back", (_, code, cured) => {
  const evnode = {
    kind: "waiting",
    reason: "CrashLoopBackOff",
    message: "back-off 40s",
    lastExit: { code, lastLine: "", at: "2025-12-31T23:59:00Z" },
  } as const;
  const { stages = [] } = repair(of({ pod: { evnode }, says: { node: shut(false) } }, { isCertain: true }));
  expect(stages.flat().map(briefAction)).toEqual(cured);
});
