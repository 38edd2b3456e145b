import { describe, expect, test } from "vitest";
import type { Blocker } from "../../src/api/conditions.ts";
import { annotations } from "../../src/model/annotations.ts";
import { makePlan } from "../../src/plan/plan.ts";
import { rollout } from "../../src/plan/rollout.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { briefAction } from "../brief.ts";
import { briefPlan, justApplied, NOW_MS, snapshot } from "../builders.ts";
import {
  behind,
  broken,
  closed,
  gone,
  leads,
  restarted,
  says,
  silent,
  type Traits,
  timeAgo,
  touched,
  unready,
  updated,
  waits,
} from "../member-traits.ts";
import {
  claimed,
  completedRecord,
  type RollingShape,
  revertedRecord,
  reverting,
  rolling,
  unprovenRecord,
  wished,
} from "../rolling.ts";

/** What it does, what it blocks, and whether it wants to look again, in short. */
function brief(seen: Snapshot, blockers: readonly Blocker[] = []): readonly string[] {
  const step = rollout(seen, blockers);
  return [
    ...(step.stages ?? []).map((stage) => stage.map(briefAction).join(", ")),
    ...(step.blockers ?? []).map(({ reason }) => reason),
    ...(step.needsCertainty ? ["look again"] : []),
  ];
}

const secretMissing: Blocker = { type: "ConfigValid", reason: "SecretMissing", message: "" };
const allUpdated: readonly Traits[] = [[updated, leads], updated, updated];
const goesNowhere = [
  unready(301_000),
  closed,
  says({ ready: { ok: false, message: "ev-node does not run", forMs: 301_000 } }),
];
const certain = { isCertain: true, budget: claimed("seq-2") } as const;
const policy = (fields: NonNullable<NonNullable<RollingShape["change"]>["rollout"]>) => ({
  change: { image: "example.org/testapp:2", rollout: fields },
});

interface Case {
  readonly name: string;
  readonly seen: Snapshot;
  readonly blockers?: readonly Blocker[];
  readonly does: readonly string[];
}

const held: readonly Case[] = [
  {
    name: "in mode Paused no member is touched",
    seen: rolling({ ...certain, ...policy({ mode: "Paused" }) }),
    does: [],
  },
  { name: "nor while a Secret is missing", seen: rolling(certain), blockers: [secretMissing], does: [] },
  {
    name: "nor while the spec is not valid",
    seen: rolling({ ...certain, seen: { parsed: { kind: "invalid", problems: ["spec.image: Required"] } } }),
    does: [],
  },
  {
    name: "nor while a newer change waits",
    seen: {
      ...rolling(certain),
      parsed: wished({ change: { image: "example.org/testapp:3", rollout: { mode: "Plan" } } }).parsed,
    },
    does: [],
  },
  {
    name: "also one that cannot run is not",
    seen: rolling({ ...certain, ...policy({ mode: "Paused" }), members: [leads, broken, []] }),
    does: [],
  },
  {
    name: "in mode Plan one that was begun goes on",
    seen: rolling({ ...certain, ...policy({ mode: "Plan" }) }),
    does: ["restart seq-2"],
  },
];

const steps: readonly Case[] = [
  {
    name: "a change that may go is applied",
    seen: wished({ change: { log: { level: "debug" } } }),
    does: ["replace Secret seq-config", "turn to rolling"],
  },
  { name: "the budget is claimed for the first member", seen: rolling(), does: ["budget for seq-2"] },
  {
    name: "then all is looked at once more",
    seen: rolling({ budget: claimed("seq-2") }),
    does: ["look again"],
  },
  { name: "then it is restarted", seen: rolling(certain), does: ["restart seq-2"] },
  {
    name: "then it is seen to be through",
    seen: rolling({ ...certain, members: [leads, [], [touched(), restarted]] }),
    does: ["finish seq-2"],
  },
  {
    name: "also while nobody may be touched",
    seen: rolling({ ...policy({ mode: "Paused" }), members: [leads, [], [touched(), restarted]] }),
    does: ["finish seq-2"],
  },
  {
    name: "while the controller has not looked at the template, it waits",
    seen: withObserved(rolling(certain), 1),
    does: [],
  },
  {
    name: "when all take part, the end is noted, and the budget given back",
    seen: rolling({ members: allUpdated, budget: claimed("seq-0", 5_000) }),
    does: ["turn to completed, finished, budget for nobody"],
  },
  {
    name: "what nobody waits for is taken away after the end too",
    seen: rolling({ members: allUpdated, record: completedRecord, budget: claimed("seq-0", 5_000) }),
    does: ["budget for nobody"],
  },
  {
    name: "one that was taken back ends as well",
    seen: reverting(),
    does: ["turn to reverted, finished", "RolloutReverted"],
  },
  {
    name: "and is told until the spec is edited",
    seen: reverting({ record: revertedRecord({ wish: reverted(), finishedAt: timeAgo(1_000) }) }),
    does: ["RolloutReverted"],
  },
  {
    name: "members that are outdated without a record are updated",
    seen: rolling({ ...certain, record: "none" }),
    does: ["restart seq-2"],
  },
];

function withObserved(seen: Snapshot, observedGeneration: number): Snapshot {
  const { statefulSet } = seen;
  if (!statefulSet?.status) throw new Error("it has a status");
  return { ...seen, statefulSet: { ...statefulSet, status: { ...statefulSet.status, observedGeneration } } };
}

function reverted(): string {
  const { statefulSet } = reverting();
  return (JSON.parse(statefulSet?.metadata.annotations?.[annotations.rollout] ?? "") as { wish: string })
    .wish;
}

const at = timeAgo(301_000);
/** Members of another revision, without a rollout that would have brought it. */
function madeAnew(at: string): Snapshot {
  const seen = rolling({ record: "none", members: [leads, behind(40), behind(40)] });
  const { statefulSet } = seen;
  if (!statefulSet) throw new Error("a cluster that rolls has a StatefulSet");
  const metadata = { ...statefulSet.metadata, creationTimestamp: at };
  const members = seen.members.map((member) => {
    const pod = member.pod && { ...member.pod, createdAt: timeAgo(900_000), startedAt: timeAgo(900_000) };
    return { ...member, pod };
  });
  return { ...seen, members, statefulSet: { ...statefulSet, metadata } };
}

const stalls: readonly Case[] = [
  {
    name: "a touched member that does not come up is waited for",
    seen: rolling({ members: [leads, [], [touched({ at: timeAgo(300_000) }), broken, unready(1_000)]] }),
    does: [],
  },
  {
    name: "but not for ever: all go back",
    seen: rolling({ members: [leads, [], [touched({ at }), broken, unready(301_000)]] }),
    does: ["turn to reverted"],
  },
  {
    name: "or stay, as their owner wants it",
    seen: rolling({
      ...policy({ onStall: "Hold" }),
      members: [leads, [], [touched({ at }), broken, unready(301_000)]],
    }),
    does: ["RolloutStalled"],
  },
  {
    name: "and stay where there is no way back",
    seen: rolling({
      record: unprovenRecord,
      members: [leads, [], [touched({ at }), broken, unready(301_000)]],
    }),
    does: ["RolloutStalled"],
  },
  {
    name: "an updated member that is not ready for too long is to blame too",
    seen: rolling({ members: [leads, [], [updated, ...goesNowhere]] }),
    does: ["turn to reverted"],
  },
  {
    name: "a member that nobody touched is nobody's fault",
    seen: rolling({ members: [leads, silent, []], seen: { nowMs: NOW_MS + 301_000 } }),
    does: ["RolloutStalled"],
  },
  {
    name: "nor is it said before the time is over",
    seen: rolling({ members: [leads, silent, []], seen: { nowMs: NOW_MS + 239_000 } }),
    does: [],
  },
  {
    name: "nor where the StatefulSet was made anew beside its pods",
    seen: madeAnew(timeAgo(301_000)),
    does: ["RolloutStalled"],
  },
  {
    name: "and not before the time is over there, either",
    seen: madeAnew(timeAgo(299_000)),
    does: [],
  },
  {
    name: "a member that does not come back from going back is told",
    seen: reverting({ members: [leads, [], goesNowhere] }),
    does: ["RolloutReverted", "RolloutStalled"],
  },
];

const asked = (name: string): RollingShape => ({
  annotations: { [annotations.restartMember]: name },
  record: completedRecord,
  members: allUpdated,
});
const onDemand = [updated, touched({ onDemand: true })];

const requests: readonly Case[] = [
  {
    name: "a member is restarted when its owner asks for it",
    seen: rolling({ ...asked("seq-2"), ...certain }),
    does: ["restart seq-2"],
  },
  {
    name: "the request ends when that is seen",
    seen: rolling({ ...asked("seq-2"), members: [[updated, leads], updated, [...onDemand, restarted]] }),
    does: ["end restartMember: seq-2 was restarted", "finish seq-2"],
  },
  {
    name: "not with another update of that member",
    seen: rolling({ ...asked("seq-2"), members: [leads, [], [touched(), restarted]] }),
    does: ["finish seq-2"],
  },
  {
    name: "a request for nobody is taken away",
    seen: rolling(asked("seq-9")),
    does: ["end restartMember: it names no member"],
  },
  {
    name: "in mode Paused it waits",
    seen: rolling({ ...asked("seq-2"), ...certain, ...policy({ mode: "Paused" }) }),
    does: [],
  },
];

describe.each<[string, readonly Case[]]>([
  ["R0: nobody is touched", held],
  ["the way of a change", steps],
  ["a rollout that does not get on", stalls],
  ["requests", requests],
])("%s", (_, cases) => {
  test.each(cases)("$name", ({ seen, blockers, does }) => {
    expect(brief(seen, blockers)).toEqual(does);
  });
});

test.each<[string, Snapshot]>([
  ["before anything was made", justApplied()],
  ["without a chain lock", rolling({ seen: { chainLock: { kind: "held", by: "EvNodeCluster other/seq" } } })],
  ["without a StatefulSet", rolling({ seen: { statefulSet: undefined } })],
])("nothing is decided %s", (_, seen) => {
  expect(rollout(seen)).toEqual({});
});

describe("a change that was taken back", () => {
  const over = (more: Partial<Snapshot>) => {
    const record = revertedRecord({ wish: reverted(), finishedAt: timeAgo(1_000) });
    return brief({ ...reverting({ record }), ...more });
  };

  test("may be asked for again once its owner set the spec back", () => {
    const { cluster, parsed } = wished({ change: {} });
    expect(over({ cluster, parsed })).toEqual(["turn to reverted, finished"]);
  });

  test("may not because the spec was invalid for a moment", () => {
    expect(over({ parsed: { kind: "invalid", problems: ["spec.image: Required"] } })).toEqual([]);
  });
});

test("while a cluster is deleted no member is restarted", () => {
  const seen = rolling(certain);
  const metadata = { ...seen.cluster.metadata, deletionTimestamp: timeAgo(0) };
  expect(briefPlan({ ...seen, cluster: { ...seen.cluster, metadata } }).join()).not.toMatch(/restart/);
});

test("a cluster whose members all run the spec gets no writes, and is not looked at sooner", () => {
  for (const seen of [snapshot(), rolling({ record: completedRecord, members: allUpdated })]) {
    expect(briefPlan(seen)).toEqual([]);
    expect(makePlan(seen).recheckAfterMs).toBeUndefined();
  }
});

describe("faults of a rollout that are known", () => {
  test("one lost answer of a member that was updated takes nothing back", () => {
    expect(brief(rolling({ members: [leads, [], [updated, silent]] }))).toEqual([]);
  });

  test("a member whose new pod the server refuses is the rollout's fault", () => {
    const seen = { nowMs: NOW_MS + 301_000 };
    expect(brief(rolling({ members: [leads, [], gone], seen }))).toEqual(["turn to reverted"]);
  });

  test("in mode Paused nothing is taken back either", () => {
    const members = [leads, [], [touched({ at }), broken, unready(301_000)]];
    expect(brief(rolling({ ...policy({ mode: "Paused" }), members }))).not.toContain("turn to reverted");
  });

  test("an updated member that has to take part for long does not stall the rollout", () => {
    const fresh = [updated, says({ ready: { ok: true, message: "", forMs: 300_000 } })];
    const seen = { nowMs: NOW_MS + 301_000 };
    expect(
      brief(rolling({ ...policy({ minReadySeconds: 600 }), members: [leads, [], fresh], seen })),
    ).toEqual([]);
  });

  test("a request that has to wait for a moment is not stalled at once", () => {
    const members = [[updated, leads], [updated, silent], updated];
    expect(brief(rolling({ ...asked("seq-2"), members }))).toEqual([]);
  });

  test("a member whose agent fails is not deleted while its ev-node runs and others are away", () => {
    const members = [leads, [], [waits("agent", "ImagePullBackOff"), silent]];
    expect(brief(rolling({ ...certain, change: { log: { level: "debug" } }, members }))).toEqual([]);
  });

  test("answers that are seconds old are no evidence", () => {
    expect(brief(rolling({ ...certain, seen: { monotonicMs: 10_000 } }))).not.toContain("restart seq-2");
  });

  test("a rollout that is paused is not looked at twice a second", () => {
    const step = rollout(rolling(policy({ mode: "Paused" })));
    expect(step.recheckAfterMs ?? 60_000).toBeGreaterThan(5_000);
  });
});

test("a member is not taken away while the disruption budget is missing", () => {
  const seen = rolling(certain);
  const objects = new Map([...seen.objects].filter(([key]) => !key.startsWith("PodDisruptionBudget/")));
  expect(brief(seen)).toEqual(["restart seq-2"]);
  expect(brief({ ...seen, objects })).toEqual([]);
});

test("what was begun goes on when a newer change failed its trial", () => {
  const { parsed } = wished({ change: { image: "example.org/testapp:3" } });
  const seen: Snapshot = { ...rolling(certain), parsed };
  const trials = (rollout(seen).stages ?? []).flat().flatMap((action) => {
    const about = { name: "evnode", restartCount: 0, ready: false, image: "", imageID: "" };
    const containerStatuses = [{ ...about, state: { terminated: { exitCode: 1 } } }];
    const status = { phase: "Failed" as const, containerStatuses };
    return action.kind === "rehearse" ? [{ ...action.pod, status }] : [];
  });
  expect(trials).toHaveLength(3);
  expect(brief({ ...seen, rehearsals: trials })).toEqual(["restart seq-2", "RehearsalFailed"]);
});
