import { beforeEach, expect, test } from "vitest";
import { newIdentity } from "../../src/act/identity.ts";
import { annotations } from "../../src/model/annotations.ts";
import { commonLabels } from "../../src/model/names.ts";
import type { Pod } from "../../src/model/objects.ts";
import { Agents } from "../../src/observe/agents.ts";
import { observe } from "../../src/observe/observe.ts";
import { OldSequencers } from "../../src/observe/old-sequencers.ts";
import { Partings } from "../../src/observe/partings.ts";
import { World } from "../../src/observe/world.ts";
import { makePlan } from "../../src/plan/plan.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { brief, cluster, NOW_MS, snapshot } from "../builders.ts";
import { MemoryApi } from "../fake/memory-api.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";

let api: MemoryApi;

beforeEach(() => {
  api = new MemoryApi();
});

/** A cluster that runs, as the server holds it; `bootstrapped` is what stands on its identity. */
async function running(bootstrapped: string | undefined): Promise<void> {
  const { parsed, statefulSet, settings } = snapshot();
  if (parsed.kind !== "valid" || !statefulSet) throw new Error("the builders' cluster must be valid");
  const identity = await newIdentity({
    cluster: "seq",
    namespace: "rollup",
    spec: parsed.spec,
    clusterDomain: settings.clusterDomain,
    given: {},
    random: systemRandom,
    nowMs: NOW_MS,
  });
  const notes = {
    ...identity.metadata.annotations,
    ...(bootstrapped && { [annotations.bootstrapped]: bootstrapped }),
  };
  api.put(cluster());
  api.put(statefulSet);
  api.put({ ...identity, metadata: { ...identity.metadata, annotations: notes } });
}

const pod = (ordinal: number, over: Partial<Pod["metadata"]> = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: `seq-${ordinal}`,
    namespace: "rollup",
    labels: commonLabels("seq"),
    annotations: { [annotations.configRevision]: "r1" },
    ...over,
  },
});

async function look() {
  api.deliver();
  const clock = new VirtualClock();
  const nobody = async () => {
    throw new Error("no agent is followed here");
  };
  const agents = new Agents(nobody, clock, systemRandom, () => undefined);
  const world = new World(api, api.caches, clock);
  const oldSequencers = new OldSequencers(nobody, clock, () => undefined);
  const partings = new Partings(nobody, clock, () => undefined);
  const { settings } = snapshot();
  const given = { world, agents, oldSequencers, partings, settings, clock };
  const seen = await observe(given, "rollup", "seq");
  if (!seen) throw new Error("the cluster must be there");
  return seen;
}

const podReads = () => api.reads.filter((read) => read.includes("Pod"));

test("a member's pod that lost its labels is found, and given them back", async () => {
  await running("1");
  for (const ordinal of [0, 2]) api.put(pod(ordinal));
  const hidden = api.put(pod(1, { labels: {} }));

  const seen = await look();
  expect(seen.members.map(({ pod: found }) => found?.uid)[1]).toBe(hidden.metadata.uid);
  expect(podReads()).toHaveLength(1);
  expect(brief(makePlan(seen)).filter((step) => step.startsWith("labels:"))).toEqual([
    expect.stringMatching(/^labels: .*seq-1/),
  ]);
});

test("so is that of one that is to be a member, once the set says that all pods were made", async () => {
  await running("1");
  for (const ordinal of [0, 1, 2, 3]) api.put(pod(ordinal));
  const hidden = api.put(pod(4, { labels: {} }));
  const { statefulSet } = snapshot();
  const grown = (replicas: number) =>
    statefulSet?.spec && { ...statefulSet, spec: { ...statefulSet.spec, replicas: 5 }, status: { replicas } };
  const [before, after] = [grown(4), grown(5)];
  if (!before || !after) throw new Error("the builders' cluster has a set");

  api.put(before);
  expect((await look()).nonMembers.map(({ pod: found }) => found !== undefined)).toEqual([true, false]);
  api.put(after);
  const seen = await look();
  expect(seen.nonMembers.map(({ pod: found }) => found?.uid)[1]).toBe(hidden.metadata.uid);
  expect(brief(makePlan(seen)).filter((step) => step.startsWith("labels:"))).toEqual([
    expect.stringMatching(/^labels: .*seq-4/),
  ]);
});

test("a stranger's pod under a member's name is none of ours", async () => {
  await running("1");
  for (const ordinal of [0, 2]) api.put(pod(ordinal));
  api.put(pod(1, { labels: {}, annotations: {} }));
  expect((await look()).members[1]?.pod).toBeUndefined();
});

test("pods that are still being made for the first time are not asked for", async () => {
  await running(undefined);
  expect((await look()).members.map(({ pod: found }) => found)).toEqual([undefined, undefined, undefined]);
  expect(podReads()).toEqual([]);
});

test("one that lost its labels before the first start is found once the set says that all were made", async () => {
  await running(undefined);
  const { statefulSet } = snapshot();
  if (statefulSet) api.put({ ...statefulSet, status: { replicas: 3 } });
  for (const ordinal of [0, 2]) api.put(pod(ordinal));
  const hidden = api.put(pod(1, { labels: {} }));
  expect((await look()).members[1]?.pod?.uid).toBe(hidden.metadata.uid);
});

test("pods that the watches show are not asked for", async () => {
  await running("1");
  for (const ordinal of [0, 1, 2]) api.put(pod(ordinal));
  expect((await look()).members.map(({ pod: found }) => found !== undefined)).toEqual([true, true, true]);
  expect(podReads()).toEqual([]);
});
