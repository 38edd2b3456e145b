import { beforeEach, expect, test } from "vitest";
import { chainLockName } from "../../src/model/names.ts";
import { readChainLock } from "../../src/observe/chain-lock.ts";
import { World } from "../../src/observe/world.ts";
import type { ChainLock } from "../../src/plan/snapshot.ts";
import { cluster, identity, UID } from "../builders.ts";
import { MemoryApi } from "../fake/memory-api.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";

const name = chainLockName("rollup-1", identity().proposer);

let api: MemoryApi;
let clock: VirtualClock;
let world: World;

beforeEach(() => {
  api = new MemoryApi();
  clock = new VirtualClock();
  world = new World(api, api.caches, clock);
});

const look = () => readChainLock(world, "operators", cluster(), identity());

function holds(data: Record<string, string>): void {
  api.put({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: "operators", name },
    data,
  });
}

const ours = { namespace: "rollup", name: "seq", uid: UID, clusterId: "c1" };

test.each<[string, Record<string, string>, ChainLock]>([
  ["our uid", ours, { kind: "ours" }],
  [
    "an earlier life of this cluster, with the same identity",
    { ...ours, uid: "before" },
    { kind: "leftBehind" },
  ],
  [
    "a cluster of this name with another identity",
    { ...ours, uid: "before", clusterId: "c0" },
    { kind: "held", by: "EvNodeCluster rollup/seq" },
  ],
  [
    "a cluster of this name in another namespace",
    { ...ours, uid: "x", namespace: "other" },
    { kind: "held", by: "EvNodeCluster other/seq" },
  ],
  [
    "another cluster with a copy of our identity",
    { ...ours, uid: "x", name: "copy" },
    { kind: "held", by: "EvNodeCluster rollup/copy" },
  ],
  ["something unreadable", {}, { kind: "held", by: "EvNodeCluster ?/?" }],
])("a lock that names %s", async (_, data, lock) => {
  holds(data);
  expect(await look()).toEqual(lock);
});

test("no lock is free, for one read", async () => {
  expect(await look()).toEqual({ kind: "free" });
  expect(api.reads).toEqual([`ConfigMap ${name}`]);
});

test("our own lock is believed for five minutes, another's is read at every look", async () => {
  holds(ours);
  await look();
  await clock.advance(300_000);
  await look();
  expect(api.reads).toHaveLength(1);
  await clock.advance(1);
  holds({ ...ours, uid: "x", name: "copy" });
  expect(await look()).toEqual({ kind: "held", by: "EvNodeCluster rollup/copy" });
  await clock.advance(1_000);
  holds(ours);
  expect(await look()).toEqual({ kind: "ours" });
  expect(api.reads).toHaveLength(3);
});
