import { expect, test } from "vitest";
import { FINALIZER } from "../../src/model/annotations.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { Member } from "../../src/model/member.ts";
import { deletion } from "../../src/plan/deletion.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import type { Step } from "../../src/plan/step.ts";
import { briefPlan, cluster, leads, member, members, snapshot } from "../builders.ts";

const deletionTimestamp = "2026-01-01T00:00:00Z";
const gone = members(3, { pod: "none" });

const deleted = (over: Partial<Snapshot> = {}, finalizers: readonly string[] = [FINALIZER]) =>
  snapshot({ cluster: cluster({ metadata: { deletionTimestamp, finalizers } }), ...over });

/** As the garbage collector leaves a StatefulSet that it orphaned. */
function orphaned(): Snapshot {
  const seen = deleted();
  if (!seen.statefulSet) throw new Error("a running cluster has a StatefulSet");
  const { ownerReferences: _, ...metadata } = seen.statefulSet.metadata;
  return { ...seen, statefulSet: { ...seen.statefulSet, metadata } };
}

function beingDeleted(): Snapshot {
  const seen = deleted({ members: gone });
  if (!seen.statefulSet) throw new Error("a running cluster has a StatefulSet");
  const metadata = { ...seen.statefulSet.metadata, deletionTimestamp };
  return { ...seen, statefulSet: { ...seen.statefulSet, metadata } };
}

function ownerless(objects: Snapshot["objects"]): Snapshot["objects"] {
  const all = [...objects].map(([key, object]) => {
    const { ownerReferences: _, ...metadata } = object.metadata;
    return [key, { ...object, metadata }] as const;
  });
  return new Map(all);
}

/** A pod that a StatefulSet has made. */
function owned({ pod, ...one }: Member): Member {
  if (!pod) throw new Error("it has a pod");
  const owner = { apiVersion: "apps/v1", kind: "StatefulSet", name: "seq", uid: "uid-of-set" };
  const metadata = { ...pod.object.metadata, ownerReferences: [owner] };
  return { ...one, pod: { ...pod, object: { ...pod.object, metadata } } };
}

const letGo: Step = { stop: true, stages: [[{ kind: "removeFinalizer" }]] };
const wait: Step = { stop: true, recheckAfterMs: 10_000 };

interface Case {
  readonly name: string;
  readonly seen: Snapshot;
  readonly step: Step;
}

const cases: readonly Case[] = [
  { name: "a cluster that is not being deleted is none of its business", seen: snapshot(), step: {} },
  {
    name: "without our finalizer nothing is done any more",
    seen: deleted({}, ["somebody/else"]),
    step: { stop: true },
  },
  {
    name: "an orphaning deletion keeps the members and the lock, and lets go of the cluster",
    seen: deleted({}, [FINALIZER, "orphan"]),
    step: letGo,
  },
  {
    name: "an orphaning deletion that the garbage collector finished first is still one",
    seen: orphaned(),
    step: letGo,
  },
  {
    name: "a StatefulSet that is going away already is waited for",
    seen: beingDeleted(),
    step: wait,
  },
  {
    name: "so is one whose StatefulSet is gone, and that is told by the other objects",
    seen: { ...orphaned(), statefulSet: undefined, objects: ownerless(deleted().objects) },
    step: letGo,
  },
  {
    name: "pods that are left are waited for while the garbage collector has them to stop",
    seen: deleted({ statefulSet: undefined, members: [owned(member(0)), ...gone.slice(1)] }),
    step: wait,
  },
  {
    name: "a pod that is stopping still runs",
    seen: deleted({
      statefulSet: undefined,
      members: [member(0, { pod: { terminating: true } }), ...gone.slice(1)],
    }),
    step: wait,
  },
  {
    name: "when no pod is left the lock is released, and only then the cluster let go",
    seen: deleted({ statefulSet: undefined, members: gone }),
    step: { stop: true, stages: [[{ kind: "releaseChainLock" }], [{ kind: "removeFinalizer" }]] },
  },
];

test.each(cases)("$name", ({ seen, step }) => {
  expect(deletion(seen)).toEqual(step);
});

test("pods that belong to nobody are stopped, as no StatefulSet and no garbage collector does it", () => {
  const members = [member(0), owned(member(1)), member(2, { pod: { terminating: true } })];
  const seen = deleted({ statefulSet: undefined, members });
  expect(deletion(seen)).toMatchObject({ stop: true, needsCertainty: true });
  expect(briefPlan({ ...seen, isCertain: true })).toEqual(["deletion: deletion of seq-0"]);
});

test("the StatefulSet is deleted, with the version that was looked at", () => {
  const seen = deleted();
  const why = "the EvNodeCluster is being deleted";
  const object = seen.statefulSet;
  expect(deletion(seen)).toEqual({
    stop: true,
    stages: [[{ kind: "delete", resource: kinds.statefulSet, object, why }]],
  });
});

test("while a cluster goes away nothing is made, and the leader keeps being found", () => {
  const moved = deleted({
    objects: new Map(),
    members: [member(0), member(1, { says: leads })],
  });
  expect(briefPlan(moved)).toEqual(["deletion: delete StatefulSet seq", "labels: label seq-1 leader"]);
});
