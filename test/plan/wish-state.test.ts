import { describe, expect, test } from "vitest";
import type { Blocker } from "../../src/api/conditions.ts";
import { annotations } from "../../src/model/annotations.ts";
import { type Scene, sceneOf } from "../../src/plan/rollout-scene.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { planHash, type WishState, wishBlockers, wishState } from "../../src/plan/wish-state.ts";
import { briefAction } from "../brief.ts";
import { digestOf, type RollingShape, revertedRecord, reverting, rolling, wished } from "../rolling.ts";

function sceneWith(seen: Snapshot, blockers: readonly Blocker[] = []): Scene {
  const scene = sceneOf(seen, blockers);
  if (!scene) throw new Error("the cluster is set up");
  return scene;
}

function brief(state: WishState): string {
  switch (state.kind) {
    case "none":
      return "none";
    case "refused":
      return `refused: ${state.why}`;
    case "held":
      return `${state.reason}: ${[state.why, ...state.actions.map(briefAction)].join("; ")}`;
    case "apply":
      return state.stages.map((stage) => stage.map(briefAction).join(", ")).join("; ");
  }
}

const config = { log: { level: "debug" } } as const;
const secretMissing: Blocker = { type: "ConfigValid", reason: "SecretMissing", message: "there is no token" };
const forked: Blocker = { type: "ChainSafe", reason: "HashesDiffer", message: "at height 7" };
const hashIn = (seen: Snapshot) => {
  const scene = sceneWith(seen);
  if (!scene.intents.wish) throw new Error("a change waits");
  return planHash(scene, scene.intents.wish);
};
const inMode = (mode: "Plan" | "Paused", more: RollingShape = {}): RollingShape => ({
  ...more,
  change: { ...config, rollout: { mode } },
});
const approved = (hash: string) => inMode("Plan", { annotations: { [annotations.approveRollout]: hash } });
const somethingWrong = "nothing is changed while something is wrong with the spec or the chain";
const trials = [0, 1, 2].map((node) => `rehearse on node-of-seq-${node}`).join("; ");
const applied = "replace Secret seq-config; turn to rolling";

interface Case {
  readonly name: string;
  readonly seen: Snapshot;
  readonly blockers?: readonly Blocker[];
  readonly is: string;
}

const cases: readonly Case[] = [
  { name: "nothing is wanted where all is applied", seen: rolling(), is: "none" },
  {
    name: "another image is tried first",
    seen: wished(),
    is: `Rehearsing: image example.org/testapp:2 on node node-of-seq-0 is tried; ${trials}`,
  },
  {
    name: "unless its owner wants no trial",
    seen: wished({ change: { image: "example.org/testapp:2", rollout: { rehearsal: { enabled: false } } } }),
    is: applied,
  },
  {
    name: "a change of anything else is applied: configs before the template",
    seen: wished({ change: config }),
    is: applied,
  },
  {
    name: "so is one that needs no other config",
    seen: wished({ change: { pod: { labels: { team: "a" } } } }),
    is: applied,
  },
  {
    name: "what was taken back is refused",
    seen: reverting(),
    is: "refused: seq-2 does not run",
  },
  {
    name: "another change than that is not",
    seen: reverting({ change: config, record: revertedRecord({ wish: "of another change" }) }),
    is: applied,
  },
  {
    name: "what was taken back is refused also while something is wrong",
    seen: reverting(),
    blockers: [secretMissing],
    is: "refused: seq-2 does not run",
  },
  {
    name: "while a Secret is missing it waits",
    seen: wished({ change: config }),
    blockers: [secretMissing],
    is: `RolloutWaiting: ${somethingWrong}`,
  },
  {
    name: "after a fork too",
    seen: wished({ change: config }),
    blockers: [forked],
    is: `RolloutWaiting: ${somethingWrong}`,
  },
  {
    name: "a lost volume does not hold it",
    seen: wished({ change: config }),
    blockers: [{ type: "VolumesReady", reason: "VolumeLost", message: "" }],
    is: applied,
  },
  {
    name: "in mode Paused it waits",
    seen: wished(inMode("Paused")),
    is: "RolloutPaused: spec.rollout.mode is Paused",
  },
  {
    name: "in mode Plan it waits for its approval",
    seen: wished(inMode("Plan")),
    is: `PlanAwaitsApproval: the plan in status.rollout waits for its approval: kubectl annotate --overwrite -n rollup evnodeclusters/seq evnode.dev/approve-rollout=${hashIn(wished(inMode("Plan")))}`,
  },
  {
    name: "the approval of another plan is none",
    seen: wished(approved("0123456789")),
    is: `PlanAwaitsApproval: the plan in status.rollout waits for its approval: kubectl annotate --overwrite -n rollup evnodeclusters/seq evnode.dev/approve-rollout=${hashIn(wished(inMode("Plan")))}`,
  },
  {
    name: "an approved one is applied, and its approval is used up after that",
    seen: wished(approved(hashIn(wished(inMode("Plan"))))),
    is: `${applied}; end approveRollout: the plan is carried out`,
  },
  {
    name: "so is an approval that nobody had to give",
    seen: wished({ change: config, annotations: { [annotations.approveRollout]: "early" } }),
    is: `${applied}; end approveRollout: the plan is carried out`,
  },
];

test.each(cases)("$name", ({ seen, blockers, is }) => {
  expect(brief(wishState(sceneWith(seen, blockers)))).toBe(is);
});

describe("the hash of a plan", () => {
  const paused = (
    change: NonNullable<RollingShape["change"]>,
    spec: NonNullable<RollingShape["spec"]> = {},
  ) => hashIn(wished({ change: { ...change, rollout: { mode: "Plan" } }, spec }));

  test("is of what is wanted", () => {
    expect(paused(config)).not.toBe(paused({ log: { level: "warn" } }));
    expect(paused(config)).toMatch(/^[0-9a-f]{10}$/);
  });

  test("and of what runs", () => {
    expect(paused(config)).not.toBe(paused(config, { chain: { id: "rollup-1", blockTime: "2s" } }));
  });

  test("and not of how many looks were taken, nor of who leads", () => {
    const one = wished(inMode("Plan"));
    expect(hashIn({ ...one, nowMs: one.nowMs + 60_000, members: one.members.toReversed() })).toBe(
      hashIn(one),
    );
  });
});

describe("what a person has to do something about", () => {
  test("is a change that was taken back", () => {
    expect(wishBlockers(wishState(sceneWith(reverting())))).toEqual([
      {
        type: "RolloutComplete",
        reason: "RolloutReverted",
        message:
          "The change of image was taken back: seq-2 does not run. Edit the spec: set it back, or to something else.",
      },
    ]);
  });

  test("is none of what waits for the operator, or was meant to wait", () => {
    for (const seen of [rolling(), wished(), wished({ change: config }), wished(inMode("Paused"))])
      expect(wishBlockers(wishState(sceneWith(seen)))).toEqual([]);
  });
});

test("a change that was taken back stays refused when its owner takes the request for a restart off", () => {
  const asked = { annotations: { [annotations.restart]: "1" } };
  const digest = digestOf(wished(asked));
  const record = revertedRecord({ wish: digest });
  expect(brief(wishState(sceneWith(wished({ ...asked, record }))))).toMatch(/^refused/);
});

test("while its config Secret is missing the template is not applied", () => {
  const seen = wished({ change: config });
  const objects = new Map([...seen.objects].filter(([key]) => key !== "Secret/seq-config"));
  expect(brief(wishState(sceneWith({ ...seen, objects })))).not.toMatch(/turn to rolling/);
});
