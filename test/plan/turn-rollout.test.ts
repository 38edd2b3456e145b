import { describe, expect, test } from "vitest";
import { annotations } from "../../src/model/annotations.ts";
import type { StatefulSet } from "../../src/model/objects.ts";
import { readRolloutRecord } from "../../src/model/rollout-record.ts";
import type { Action } from "../../src/plan/actions.ts";
import { type Scene, sceneOf } from "../../src/plan/rollout-scene.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { applyWish, completeRollout, revertWish } from "../../src/plan/turn-rollout.ts";
import { cluster } from "../builders.ts";
import { closed, gone, leads, silent, timeAgo } from "../member-traits.ts";
import {
  completedRecord,
  digestOf,
  intentText,
  NEW_IMAGE,
  revertedRecord,
  reverting,
  rolling,
  unprovenRecord,
  wished,
} from "../rolling.ts";

function sceneWith(seen: Snapshot): Scene {
  const scene = sceneOf(seen, []);
  if (!scene) throw new Error("the cluster is set up");
  return scene;
}

const now = timeAgo(0);

function turned(actions: readonly (Action | undefined)[]): Extract<Action, { kind: "turnRollout" }> {
  const [action, ...more] = actions;
  if (action?.kind !== "turnRollout" || more.length > 0) throw new Error("expected one turn");
  return action;
}

const imageIn = ({ spec }: StatefulSet) => spec?.template.spec?.containers.map((one) => one.image);

function apply(seen: Snapshot) {
  const scene = sceneWith(seen);
  if (!scene.intents.wish) throw new Error("a change waits");
  const stages = applyWish(scene, scene.intents.wish);
  return { stages, turn: turned(stages.at(-1) ?? []) };
}

describe("a change that is applied", () => {
  const seen = wished();

  test("is the whole template, over the version that was read, with the record beside it", () => {
    const { turn } = apply(seen);
    expect(turn.why).toBe("image changed");
    expect(imageIn(turn.statefulSet)).toEqual([NEW_IMAGE]);
    expect(turn.statefulSet.metadata).toMatchObject({ uid: "uid-of-StatefulSet-seq", resourceVersion: "1" });
    expect(turn.to).toEqual({
      version: 1,
      kind: "rolling",
      wish: digestOf(seen),
      changes: ["image"],
      startedAt: now,
      proven: intentText(seen),
    });
    const { annotations: notes } = turn.statefulSet.metadata;
    expect(readRolloutRecord(notes?.[annotations.rollout])).toEqual(turn.to);
    expect(notes?.[annotations.intent]).toBe(intentText(rolling()));
  });

  test("has its configs beside those that pods still run, one stage before", () => {
    const change = { log: { level: "debug" } } as const;
    const [first, second, ...more] = apply(wished({ change })).stages;
    expect(more).toEqual([]);
    expect(second).toHaveLength(1);
    const [configs] = first ?? [];
    if (configs?.kind !== "replace") throw new Error("the configs are replaced");
    const revisions = [wished(), rolling({ change })].map(
      ({ statefulSet }) => statefulSet?.spec?.template.metadata?.annotations?.[annotations.configRevision],
    );
    const entries = ["seq-0", "seq-1", "seq-2"].flatMap((name) =>
      revisions.map((revision) => `${name}.${revision}.yaml`),
    );
    expect(Object.keys((configs.object as { data?: object }).data ?? {})).toEqual(entries.toSorted());
  });

  test("names no more fields than the status may tell", () => {
    const labels = Object.fromEntries(Array.from({ length: 80 }, (_, at) => [`label-${at}`, "x"]));
    const { to } = apply(wished({ change: { pod: { labels } } })).turn;
    expect(to.changes).toHaveLength(64);
    const long = { [`example.org/${"x".repeat(60)}`]: "a" };
    const path = apply(wished({ change: { pod: { annotations: long } } })).turn.to.changes;
    expect(path.every((one) => one.length <= 256)).toBe(true);
  });
});

describe("the way back", () => {
  const provenAfter = (seen: Snapshot) => {
    const { to } = apply(seen).turn;
    return to.kind === "rolling" ? to.proven : "no rollout";
  };
  const never = [gone, gone, gone];

  test("is what runs, when a rollout of it was completed", () => {
    const seen = wished({ record: completedRecord, members: never });
    expect(provenAfter(seen)).toBe(intentText(seen));
  });

  test("is what was gone back to", () => {
    const seen = reverting({ record: revertedRecord({ wish: "of another" }), members: never });
    expect(provenAfter(seen)).toBe(intentText(seen));
  });

  test("stays what it was when the spec changes in the middle", () => {
    const before = rolling();
    const seen = { ...before, ...other(before) };
    expect(provenAfter(seen)).toBe(intentText(wished()));
  });

  test("is none where nothing ever made a block", () => {
    expect(provenAfter(wished({ members: never }))).toBeUndefined();
    expect(provenAfter(wished({ members: [[leads, closed], closed, silent] }))).toBeUndefined();
  });

  test("is what runs, when blocks were made before", () => {
    const seen = wished({ members: never });
    const told = { ...seen.cluster, status: { members: [{ name: "seq-0", height: 7 }] } };
    expect(provenAfter({ ...seen, cluster: told })).toBe(intentText(seen));
    // A height that nobody tells any more may be that of another template.
    const past = { ...seen.cluster, status: { height: 7 } };
    expect(provenAfter({ ...seen, cluster: past })).toBeUndefined();
  });
});

/** What its owner asks for meanwhile. */
function other(seen: Snapshot): Pick<Snapshot, "cluster" | "parsed"> {
  const again = wished({ change: { image: "example.org/testapp:3" } });
  return { cluster: { ...seen.cluster, spec: again.cluster.spec }, parsed: again.parsed };
}

describe("a rollout that is taken back", () => {
  const why = "seq-2 does not run";

  test("gives the StatefulSet what all members ran, and notes why", () => {
    const turn = turned([revertWish(sceneWith(rolling()), why)]);
    expect(imageIn(turn.statefulSet)).toEqual(imageIn(wished().statefulSet as StatefulSet));
    const { wish, changes, startedAt } = unprovenRecord;
    expect(turn.to).toEqual({ version: 1, kind: "reverted", wish, changes, startedAt, why });
    expect(turn.statefulSet.metadata.annotations?.[annotations.intent]).toBe(intentText(wished()));
  });

  test.each<[string, Snapshot]>([
    ["without a way back", rolling({ record: unprovenRecord })],
    [
      "with one that cannot be read",
      rolling({ record: { ...unprovenRecord, kind: "rolling", proven: "{}" } }),
    ],
    [
      "with one that is what they are to run now",
      rolling({ record: { ...unprovenRecord, kind: "rolling", proven: intentText(rolling()) } }),
    ],
    ["twice", reverting()],
    ["after it was completed", rolling({ record: completedRecord })],
    ["when there is none", rolling({ record: "none" })],
  ])("is not taken back %s", (_, seen) => {
    expect(revertWish(sceneWith(seen), why)).toBeUndefined();
  });
});

describe("the end of a rollout", () => {
  const withStatus = (seen: Snapshot, rollout: object): Snapshot => ({
    ...seen,
    cluster: { ...cluster({ status: { rollout } }), spec: seen.cluster.spec },
  });

  test("is noted with what was counted", () => {
    const seen = withStatus(rolling(), { leaderChanges: 2, longestGapMs: 1_234 });
    const turn = turned(completeRollout(sceneWith(seen)));
    const { wish, changes, startedAt } = unprovenRecord;
    expect(turn.to).toEqual({
      version: 1,
      kind: "completed",
      wish,
      changes,
      startedAt,
      finishedAt: now,
      leaderChanges: 2,
      longestGapMs: 1_234,
    });
    expect(imageIn(turn.statefulSet)).toEqual([NEW_IMAGE]);
  });

  test("is noted without what was not counted", () => {
    expect(turned(completeRollout(sceneWith(rolling()))).to).toMatchObject({ leaderChanges: 0 });
  });

  test("of one that was taken back keeps what was refused, and why", () => {
    const turn = turned(completeRollout(sceneWith(reverting())));
    expect(turn.to).toEqual({
      leaderChanges: 0,
      ...revertedRecord({ wish: digestOf(reverting()) }),
      finishedAt: now,
    });
  });

  test.each<[string, Snapshot]>([
    ["is noted once", rolling({ record: completedRecord })],
    ["also of one that was taken back", reverting({ record: revertedRecord({ finishedAt: now }) })],
    ["and of none not at all", rolling({ record: "none" })],
  ])("%s", (_, seen) => {
    expect(completeRollout(sceneWith(seen))).toEqual([]);
  });
});
