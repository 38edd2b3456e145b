import { expect, test } from "vitest";
import { readRolloutRecord } from "../../src/model/rollout-record.ts";

const common = { version: 1, wish: "abc", changes: ["image"], startedAt: "2026-01-01T00:00:00Z" };
const finishedAt = "2026-01-01T00:01:00Z";

test.each<[string, object]>([
  ["one under way", { ...common, kind: "rolling", proven: "{}" }],
  ["one without a way back", { ...common, kind: "rolling" }],
  ["one that is taken back", { ...common, kind: "reverted", why: "seq-2 does not run" }],
  ["one that was taken back", { ...common, kind: "reverted", why: "", finishedAt }],
  ["one that is completed", { ...common, kind: "completed", finishedAt, leaderChanges: 1, longestGapMs: 2 }],
])("a record is read back as it was written: %s", (_, record) => {
  expect(readRolloutRecord(JSON.stringify(record))).toEqual(record);
});

test.each<[string, string | undefined]>([
  ["where there is none", undefined],
  ["in what is no JSON", "rolling"],
  ["of a later version", JSON.stringify({ ...common, version: 2, kind: "rolling" })],
  ["of an unknown kind", JSON.stringify({ ...common, kind: "paused" })],
  ["without what was asked for", JSON.stringify({ ...common, kind: "rolling", wish: undefined })],
  ["that was taken back without a reason", JSON.stringify({ ...common, kind: "reverted" })],
  ["that is completed without an end", JSON.stringify({ ...common, kind: "completed", leaderChanges: 0 })],
  [
    "with half a change of the leader",
    JSON.stringify({ ...common, kind: "completed", finishedAt, leaderChanges: 0.5 }),
  ],
])("no record is read %s", (_, text) => {
  expect(readRolloutRecord(text)).toBeUndefined();
});
