import { expect, test } from "vitest";
import { kinds } from "../../src/model/kinds.ts";
import { boundPod } from "../conformance/objects.ts";
import { endingOf } from "./deletion.ts";
import { rulesOf } from "./kind-rules.ts";
import { timestamp } from "./wire.ts";

const START_MS = Date.UTC(2030, 0, 1);
const after = (seconds: number) => timestamp(START_MS + seconds * 1000);

/** A pod that was given 30 seconds at the start, and is deleted once more. */
function deletedAgain(afterSeconds: number, gracePeriodSeconds: number | undefined) {
  const pod = boundPod("a", "a");
  const metadata = {
    ...pod.metadata,
    deletionTimestamp: after(30),
    deletionGracePeriodSeconds: 30,
    generation: 2,
  };
  const nowMs = START_MS + afterSeconds * 1000;
  const deletion = { propagation: undefined, gracePeriodSeconds, nowMs };
  const ending = endingOf({ ...pod, metadata }, rulesOf(kinds.pod) ?? {}, deletion);
  return ending.kind === "pending" || ending.kind === "gone"
    ? { kind: ending.kind }
    : { kind: ending.kind, ...ending.object.metadata };
}

test.each<[string, Parameters<typeof deletedAgain>, object]>([
  ["without a word about its period, keeps it", [5, undefined], { kind: "pending" }],
  ["for longer, keeps its period", [5, 60], { kind: "pending" }],
  [
    "for less, has that since the first deletion",
    [5, 10],
    { kind: "marked", deletionTimestamp: after(10), deletionGracePeriodSeconds: 10, generation: 2 },
  ],
  [
    "for less than has passed, has a second",
    [20, 10],
    { kind: "marked", deletionTimestamp: after(20), deletionGracePeriodSeconds: 1 },
  ],
  ["for no time, is gone", [20, 0], { kind: "markedAndGone", deletionTimestamp: after(20) }],
])("a pod that is deleted again %s", (_, given, expected) => {
  expect(deletedAgain(...given)).toMatchObject(expected);
});
