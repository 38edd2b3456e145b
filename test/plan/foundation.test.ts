import { expect, test } from "vitest";
import { foundation } from "../../src/plan/foundation.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import type { Step } from "../../src/plan/step.ts";
import { cluster, justApplied, snapshot } from "../builders.ts";

const only = (action: NonNullable<Step["stages"]>[number][number]): Step => ({
  stop: true,
  stages: [[action]],
  recheckAfterMs: 0,
});

test.each<[string, Snapshot, Step]>([
  [
    "the finalizer comes before anything that it guards",
    justApplied({ cluster: cluster({ metadata: { finalizers: [] } }) }),
    only({ kind: "addFinalizer" }),
  ],
  [
    "a finalizer of somebody else is not ours",
    snapshot({ cluster: cluster({ metadata: { finalizers: ["somebody/else"] } }) }),
    only({ kind: "addFinalizer" }),
  ],
  ["then the identity", justApplied(), only({ kind: "createIdentity" })],
  [
    "then the chain lock, which nobody holds",
    snapshot({ chainLock: { kind: "free" } }),
    only({ kind: "takeChainLock", takeOver: false }),
  ],
  [
    "a lock that an earlier life of the cluster left is taken over",
    snapshot({ chainLock: { kind: "leftBehind" } }),
    only({ kind: "takeChainLock", takeOver: true }),
  ],
  ["with our lock, all stands", snapshot(), {}],
  [
    "a lock that another cluster holds is left alone; the guard has said so",
    snapshot({ chainLock: { kind: "held", by: "EvNodeCluster other/seq" } }),
    {},
  ],
  [
    "an identity that cannot be read takes no lock",
    snapshot({ identity: { kind: "unusable", message: "damaged" }, chainLock: { kind: "unknown" } }),
    { stop: true },
  ],
])("%s", (_, seen, step) => {
  expect(foundation(seen)).toEqual(step);
});
