import { expect, test } from "vitest";
import { readPodUpdate } from "../../src/model/pod-update.ts";

const begun = { revision: "seq-2", at: "2026-01-01T00:00:00Z" };

test.each<[string, string | undefined, unknown]>([
  ["none where nothing was begun", undefined, undefined],
  ["what was begun, and when", JSON.stringify(begun), begun],
  [
    "which containers are to go, and that all was given on demand",
    JSON.stringify({ ...begun, container: "c1", agent: "a1", given: true, onDemand: true }),
    { ...begun, container: "c1", agent: "a1", given: true, onDemand: true },
  ],
  ["not what a later version added", JSON.stringify({ ...begun, later: 1 }), begun],
  ["none in what is no JSON", "done", undefined],
  ["none in what is no object", '"seq-2"', undefined],
  ["none without its revision", JSON.stringify({ at: begun.at }), undefined],
  ["none without its time", JSON.stringify({ revision: "seq-2" }), undefined],
  ["none with a word for yes", JSON.stringify({ ...begun, onDemand: "yes" }), undefined],
])("the note of an update tells %s", (_, text, update) => {
  expect(readPodUpdate(text)).toEqual(update);
});
