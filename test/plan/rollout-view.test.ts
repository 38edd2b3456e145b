import { describe, expect, test } from "vitest";
import { rollout } from "../../src/plan/rollout.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { NOW_MS } from "../builders.ts";
import {
  begun,
  behind,
  broken,
  gone,
  leads,
  restarted,
  says,
  type Traits,
  touched,
  unready,
  updated,
} from "../member-traits.ts";
import { claimed, completedRecord, type RollingShape, reverting, rolling, wished } from "../rolling.ts";

function viewIn(seen: Snapshot) {
  const { rollout: view } = rollout(seen);
  if (!view) throw new Error("the cluster is set up");
  return view;
}

const allUpdated: readonly Traits[] = [[updated, leads], updated, updated];
const policy = (mode: "Paused" | "Plan") =>
  ({ change: { log: { level: "debug" }, rollout: { mode } } }) as const;

test.each<[string, Snapshot, string, string]>([
  [
    "all run the spec",
    rolling({ members: allUpdated, record: completedRecord }),
    "UpToDate",
    "Every member runs the spec.",
  ],
  [
    "one is next",
    rolling({ budget: claimed("seq-2") }),
    "RollingOut",
    "A change of image is taken to the members: seq-2 is next, a follower.",
  ],
  [
    "one is waited for",
    rolling({ members: [leads, [], touched()] }),
    "RolloutWaiting",
    "A change of image is taken to the members: seq-2 restarts.",
  ],
  [
    "it is paused",
    rolling(policy("Paused")),
    "RolloutPaused",
    "A change of image is stopped: spec.rollout.mode is Paused.",
  ],
  [
    "a change is paused before it began",
    wished(policy("Paused")),
    "RolloutPaused",
    "A change of log.level is not begun: spec.rollout.mode is Paused.",
  ],
  [
    "an image is tried",
    wished(),
    "Rehearsing",
    "A change of image is not begun: image example.org/testapp:2 on node node-of-seq-0 is tried.",
  ],
  [
    "it was taken back",
    reverting(),
    "RolloutReverted",
    "The change of image was taken back: seq-2 does not run. Edit the spec: set it back, or to something else.",
  ],
  [
    "the template is applied",
    wished({ change: { log: { level: "debug" } } }),
    "RolloutWaiting",
    "A change of log.level is taken to the members: the template is applied.",
  ],
])("when %s, it says so", (_, seen, reason, message) => {
  const { reason: told, message: words } = viewIn(seen);
  expect([told, words]).toEqual([reason, message]);
});

test("a way back that does not get on is told beside why it is gone", () => {
  const seen = reverting({ members: [leads, behind(99), behind(99)], seen: { nowMs: NOW_MS + 400_000 } });
  expect(viewIn(seen).message).toMatch(/^The change of image was taken back.* The rollout does not get on: /);
});

describe("the plan", () => {
  const plan = (shape: RollingShape) =>
    viewIn(rolling(shape)).progress?.plan.map(({ member, way, state }) => `${member} ${way} ${state}`);

  test.each<[string, RollingShape, readonly string[]]>([
    [
      "has the leader last",
      { members: [[], leads, []] },
      ["seq-2 Restart Waiting", "seq-0 Restart Waiting", "seq-1 Restart Waiting"],
    ],
    [
      "tells how far each is",
      { members: [leads, begun(), updated] },
      ["seq-2 Restart Done", "seq-1 Restart UnderWay", "seq-0 Restart Waiting"],
    ],
    [
      "of one that restarts too",
      { members: [leads, [], [touched(), restarted, says({ configRevision: "r0" })]] },
      ["seq-2 Restart UnderWay", "seq-1 Restart Waiting", "seq-0 Restart Waiting"],
    ],
    [
      "tells that a new pod is needed",
      { change: { pod: { nodeSelector: { disk: "fast" } } } },
      ["seq-2 Replace Waiting", "seq-1 Replace Waiting", "seq-0 Replace Waiting"],
    ],
    [
      "and that nothing is restarted",
      { change: { pod: { labels: { team: "a" } } } },
      ["seq-2 Relabel Waiting", "seq-1 Relabel Waiting", "seq-0 Relabel Waiting"],
    ],
    [
      "leaves out who has no pod",
      { members: [leads, [], gone] },
      ["seq-1 Restart Waiting", "seq-0 Restart Waiting"],
    ],
  ])("%s", (_, shape, wanted) => {
    expect(plan(shape)).toEqual(wanted);
  });

  test.each<[string, RollingShape["change"], string]>([
    ["another image", { image: "example.org/testapp:2" }, "Restart"],
    ["another config", { log: { level: "debug" } }, "Restart"],
    ["what takes a new pod", { pod: { nodeSelector: { disk: "fast" } } }, "Replace"],
    ["what restarts nothing", { pod: { labels: { team: "a" } } }, "Relabel"],
  ])("tells the way before it is approved, for %s", (_, change, way) => {
    const seen = wished({ change: { ...change, rollout: { mode: "Plan" } } });
    expect(viewIn(seen).progress?.plan.map((step) => step.way)).toEqual([way, way, way]);
  });
});

test("counted are those that run what the spec asks for, so none while a change waits", () => {
  const counts = [rolling(), rolling({ members: [leads, [], updated] }), wished(), reverting()];
  expect(counts.map((seen) => viewIn(seen).updated)).toEqual([0, 1, 0, 0]);
});

test("what is told fits the status, however much a container says", () => {
  const long = "x".repeat(5_000);
  const seen = rolling({
    members: [
      leads,
      [],
      [touched(), broken, unready(), says({ prepare: { kind: "refused", reason: "Config", message: long } })],
    ],
  });
  expect(viewIn(seen).progress?.waitingFor?.length).toBeLessThanOrEqual(1_024);
});
