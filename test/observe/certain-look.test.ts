import { beforeEach, describe, expect, test } from "vitest";
import { annotations, labels, REHEARSAL_NAME } from "../../src/model/annotations.ts";
import { kinds } from "../../src/model/kinds.ts";
import { answerOf } from "../../src/model/member.ts";
import { commonLabels } from "../../src/model/names.ts";
import type { ControllerRevision, StatefulSet } from "../../src/model/objects.ts";
import { observe } from "../../src/observe/observe.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { isClosed } from "../builders.ts";
import { namespace, podObject, type RunningCluster, runningCluster } from "../fake/running-cluster.ts";
import { NEW, OLD } from "../member-traits.ts";
import { unprovenRecord } from "../rolling.ts";

const ref = (name: string) => ({ namespace, name });

let running: RunningCluster;

beforeEach(async () => {
  running = await runningCluster();
});

async function lookCertainly(): Promise<Snapshot> {
  const { world, agents, oldSequencers, partings, clock } = running;
  const { settings } = await running.see();
  running.readsSince();
  running.asked.length = 0;
  const looking = observe({ world, agents, oldSequencers, partings, settings, clock }, namespace, "seq", {
    isCertain: true,
  });
  await running.clock.advance(1_000);
  const seen = await looking;
  if (!seen) throw new Error("the cluster is there");
  return seen;
}

function stored(): StatefulSet {
  const held = running.api.held(kinds.statefulSet, ref("seq"));
  if (!held) throw new Error("it has a StatefulSet");
  return held;
}

describe("a look that is certain", () => {
  test("reads what a restart rests on from the server, and asks every agent", async () => {
    const seen = await lookCertainly();
    expect(seen.isCertain).toBe(true);
    expect(running.readsSince()).toEqual([
      "EvNodeCluster seq",
      "StatefulSet seq",
      "PersistentVolumeClaim data-seq-0",
      "PersistentVolumeClaim data-seq-1",
      "PersistentVolumeClaim data-seq-2",
      "Pod seq-0",
      "Pod seq-1",
      "Pod seq-2",
      "PodDisruptionBudget seq",
    ]);
    expect(running.asked).toEqual(["seq-0 0", "seq-1 0", "seq-2 0"]);
  });

  test("sees what no watch has shown yet", async () => {
    running.api.put(podObject("seq-1", { deletionTimestamp: "2026-01-01T00:00:00Z" }));
    running.api.remove(kinds.pod, ref("seq-2"));
    expect((await running.see()).members.map(({ pod }) => pod?.terminating)).toEqual([false, false, false]);
    const seen = await lookCertainly();
    expect(seen.members.map(({ pod }) => pod?.terminating)).toEqual([false, true, undefined]);
  });

  test("takes no answer in time for silence, whatever was said before", async () => {
    running.says.delete("seq-1");
    expect((await running.see()).members.map(({ report }) => report.kind)).toContain("answered");
    const seen = await lookCertainly();
    expect(seen.members.map(({ report }) => report.kind)).toEqual(["answered", "none", "answered"]);
  });

  test("is dated before its agents were asked: what is read after that makes no answer younger", async () => {
    const before = running.clock.monotonicMs();
    const seen = await lookCertainly();
    expect(seen.monotonicMs).toBe(before);
    const asked = seen.members.flatMap(({ report }) => (report.kind === "answered" ? [report.atMs] : []));
    expect(asked).toHaveLength(3);
    expect(Math.min(...asked)).toBeGreaterThanOrEqual(before);
  });

  test("asks the agents after all else was read: a server that answers late makes no answer old", async () => {
    running.api.fault = ({ kind }) => {
      if (kind === kinds.disruptionBudget.kind) running.says.set("seq-1", isClosed);
      return undefined;
    };
    const seen = await lookCertainly();
    expect(seen.members.map((member) => answerOf(member)?.node.kind)).toEqual(["open", "closed", "open"]);
  });

  test("is no other for what is remembered: the next one reads again", async () => {
    await lookCertainly();
    await lookCertainly();
    expect(running.readsSince()).toHaveLength(9);
  });
});

test("a look that need not be certain reads nothing of that, and says so", async () => {
  const seen = await running.see();
  expect(seen.isCertain).toBe(false);
  expect(running.readsSince().filter((read) => !read.startsWith("Secret"))).toEqual([]);
});

const template = { metadata: { labels: { team: "a" } }, spec: { containers: [] } };

function revision(name: string, data: object): ControllerRevision {
  const metadata = { ...ref(name), labels: commonLabels("seq") };
  return {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata,
    revision: 1,
    data,
  };
}

describe("the revisions of pods", () => {
  const outdate = async () => {
    const held = stored();
    running.api.put({
      ...held,
      status: { replicas: 3, ...held.status, observedGeneration: 1, updateRevision: NEW },
    });
    running.api.put(revision(OLD, { spec: { template: { ...template, $patch: "replace" } } }));
    running.api.put(revision(NEW, { spec: { template: { spec: template.spec, $patch: "replace" } } }));
    await running.deliver();
    running.readsSince();
  };
  const reads = () => running.readsSince().filter((read) => read.startsWith("ControllerRevision"));

  test("are not read while all pods are of the newest one", async () => {
    const seen = await running.see();
    expect(seen.revisions).toEqual(new Map());
    expect(reads()).toEqual([]);
  });

  test("are read when they differ, each once, with the newest one", async () => {
    await outdate();
    const seen = await running.see();
    expect(seen.revisions).toEqual(
      new Map<string, object>([
        [NEW, { spec: template.spec }],
        [OLD, template],
      ]),
    );
    expect(reads()).toEqual([`ControllerRevision ${NEW}`, `ControllerRevision ${OLD}`]);
    await running.see();
    expect(reads()).toEqual([]);
  });

  test("that are gone, or tell no template, are not known", async () => {
    await outdate();
    running.api.put(revision(NEW, {}));
    running.api.put(podObject("seq-2", { labels: { ...commonLabels("seq"), [labels.revision]: "by-hand" } }));
    await running.deliver();
    expect([...(await running.see()).revisions.keys()]).toEqual([OLD]);
  });
});

describe("while a rollout is under way", () => {
  test("answers are asked for again after four tenths of a second", async () => {
    const held = stored();
    const notes = { ...held.metadata.annotations, [annotations.rollout]: JSON.stringify(unprovenRecord) };
    running.api.put({ ...held, metadata: { ...held.metadata, annotations: notes } });
    await running.deliver();
    running.asked.length = 0;
    await running.clock.advance(400);
    await running.see();
    expect(running.asked).toEqual([]);
    await running.clock.advance(1);
    await running.see();
    expect(running.asked).toEqual(["seq-0 0", "seq-1 0", "seq-2 0"]);
  });
});

describe("pods in which an image is tried", () => {
  const trial = (name: string, over: object = {}, place: object = {}) =>
    podObject(name, {
      labels: { ...commonLabels("seq"), [labels.name]: REHEARSAL_NAME, ...over },
      uid: `uid-of-${name}`,
      ...place,
    });

  test("are those of this cluster alone, and no members", async () => {
    running.api.put(trial("seq-rehearsal-1"));
    running.api.put(trial("other-rehearsal-1", { [labels.cluster]: "other" }));
    running.api.put(trial("seq-rehearsal-2", {}, { namespace: "elsewhere" }));
    await running.deliver();
    const seen = await running.see();
    expect(seen.rehearsals.map(({ metadata }) => metadata.name)).toEqual(["seq-rehearsal-1"]);
    expect(seen.members).toHaveLength(3);
  });
});
