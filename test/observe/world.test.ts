import { beforeEach, describe, expect, test } from "vitest";
import { KubeError } from "../../src/kube/errors.ts";
import { labels, MANAGED_BY } from "../../src/model/annotations.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { ConfigMap, Service } from "../../src/model/objects.ts";
import { World } from "../../src/observe/world.ts";
import { MemoryApi } from "../fake/memory-api.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";

const ref = { namespace: "rollup", name: "seq" };
const watched = { [labels.managedBy]: MANAGED_BY };

let api: MemoryApi;
let clock: VirtualClock;
let world: World;

beforeEach(() => {
  api = new MemoryApi();
  clock = new VirtualClock();
  world = new World(api, api.caches, clock);
});

const service = (type: "ClusterIP" | "NodePort", over: Partial<Service["metadata"]> = {}): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { ...ref, labels: watched, ...over },
  spec: { type },
});

const lock = (holder: string): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: ref,
  data: { holder },
});

/** The type of the Service as the world knows it. */
const typeNow = async () => (await world.watched(kinds.service, ref))?.spec?.type;
const holderNow = async (maxAgeMs: number) =>
  (await world.read(kinds.configMap, ref, maxAgeMs))?.data?.["holder"];

test("what the watches show is what is known, without asking the server", async () => {
  api.put(service("ClusterIP"));
  expect(await typeNow()).toBeUndefined();
  api.deliver();
  expect(await typeNow()).toBe("ClusterIP");
  expect(api.reads).toEqual([]);
});

test("our own write is known at once, before the watches show it", async () => {
  world.wrote(kinds.service, await api.create(kinds.service, service("NodePort")));
  expect(await typeNow()).toBe("NodePort");
});

describe("an object that a mute watch still shows", () => {
  test("is gone once the server has said so, until the watch tells of another one", async () => {
    const first = api.put(service("ClusterIP"));
    api.deliver();
    api.remove(kinds.service, ref);
    await world.askAbout(kinds.service, first);
    expect(await typeNow()).toBeUndefined();
    const { uid: _, ...metadata } = first.metadata;
    api.put({ ...first, metadata: { ...metadata, uid: "another" }, spec: { type: "NodePort" } });
    api.deliver();
    expect(await typeNow()).toBe("NodePort");
    expect(world.size).toBe(0);
  });

  test("is the one that came in its place", async () => {
    const first = api.put(service("ClusterIP"));
    api.deliver();
    api.remove(kinds.service, ref);
    api.put({ ...service("NodePort"), metadata: { ...service("NodePort").metadata, uid: "another" } });
    await world.askAbout(kinds.service, first);
    expect(await typeNow()).toBe("NodePort");
  });

  test("stays what it is where the server has it, too", async () => {
    const first = api.put(service("ClusterIP"));
    api.deliver();
    await world.askAbout(kinds.service, first);
    expect(await typeNow()).toBe("ClusterIP");
  });
});

test("our newer write wins over what the watches still show", async () => {
  const first = api.put(service("ClusterIP"));
  api.deliver();
  const { uid = "" } = first.metadata;
  world.wrote(kinds.service, await api.patch(kinds.service, ref, { spec: { type: "NodePort" } }, { uid }));
  expect(await typeNow()).toBe("NodePort");
});

test("what the watches show later than our write wins, also when it puts it back", async () => {
  api.put(service("ClusterIP"));
  world.wrote(kinds.service, api.put(service("NodePort")));
  api.put(service("ClusterIP"));
  api.deliver();
  expect(await typeNow()).toBe("ClusterIP");
});

test("versions are numbers, not texts: 1000 is newer than 999", async () => {
  const written = { ...service("NodePort"), metadata: { ...ref, uid: "u", resourceVersion: "1000" } };
  const cached = { ...service("ClusterIP"), metadata: { ...ref, uid: "u", resourceVersion: "999" } };
  world.wrote(kinds.service, written);
  api.caches.get("Service")?.put(cached);
  expect(await typeNow()).toBe("NodePort");
});

test("our write to an object that was replaced by another of its name is forgotten", async () => {
  world.wrote(kinds.service, api.put(service("NodePort", { uid: "before" })));
  api.remove(kinds.service, ref);
  api.put(service("ClusterIP", { uid: "after" }));
  api.deliver();
  expect(await typeNow()).toBe("ClusterIP");
});

test("an object that we wrote and that was deleted since is gone when the watches say so", async () => {
  world.wrote(kinds.service, api.put(service("NodePort")));
  api.deliver();
  api.remove(kinds.service, ref);
  api.deliver();
  expect(await typeNow()).toBeUndefined();
});

test("also when the watches never showed our last write", async () => {
  const first = api.put(service("ClusterIP"));
  api.deliver();
  world.wrote(kinds.service, api.put({ ...first, spec: { type: "NodePort" } }));
  api.remove(kinds.service, ref);
  api.deliver();
  expect(await typeNow()).toBeUndefined();
});

test("an object that we made in place of one that went stays known when the watches show the end of that one", async () => {
  api.put(service("ClusterIP", { uid: "before" }));
  api.deliver();
  api.remove(kinds.service, ref);
  world.wrote(kinds.service, api.put(service("NodePort", { uid: "after" })));
  api.caches.get("Service")?.remove("rollup/seq");
  expect(await typeNow()).toBe("NodePort");
});

test("of two objects of one name the one that the watches show is believed", async () => {
  const shown = { ...service("ClusterIP"), metadata: { ...ref, uid: "after", resourceVersion: "100" } };
  const written = { ...service("NodePort"), metadata: { ...ref, uid: "before", resourceVersion: "105" } };
  api.caches.get("Service")?.put(shown);
  world.wrote(kinds.service, written);
  expect(await typeNow()).toBe("ClusterIP");
});

describe("a write that no watch shows within half a minute", () => {
  beforeEach(async () => {
    api.put(service("ClusterIP"));
    api.deliver();
    const shown = await api.get(kinds.service, ref);
    world.wrote(kinds.service, api.put({ ...service("NodePort"), metadata: { ...shown?.metadata, ...ref } }));
    await clock.advance(30_000);
    api.requests.length = 0;
  });

  test("is believed until then", async () => {
    expect(await typeNow()).toBe("NodePort");
    expect(api.reads).toEqual([]);
  });

  test("is read again, as the watch may be mute, and what it shows history", async () => {
    await clock.advance(1);
    expect([await typeNow(), await typeNow()]).toEqual(["NodePort", "NodePort"]);
    expect(api.reads).toEqual(["Service seq"]);
  });

  test("counts no more when the object is gone", async () => {
    await clock.advance(1);
    api.remove(kinds.service, ref);
    api.caches.get("Service")?.remove("rollup/seq");
    expect(await typeNow()).toBeUndefined();
  });
});

test("what we wrote is kept without the bulk of its managed fields", async () => {
  const managedFields = [{ manager: MANAGED_BY }, { manager: "kubectl" }];
  world.wrote(kinds.service, api.put(service("NodePort", { managedFields })));
  expect((await world.watched(kinds.service, ref))?.metadata.managedFields).toEqual([{ manager: "kubectl" }]);
});

test("an object without our label is looked for behind the watches, once somebody ran into it", async () => {
  api.put(service("NodePort", { labels: {} }));
  api.deliver();
  expect(await typeNow()).toBeUndefined();
  expect(api.reads).toEqual([]);
  world.lookBehind(kinds.service, ref);
  expect(await typeNow()).toBe("NodePort");
  expect(await typeNow()).toBe("NodePort");
  expect(api.reads).toEqual(["Service seq", "Service seq"]);
});

test("and no longer when the watches show it again", async () => {
  world.lookBehind(kinds.service, ref);
  api.put(service("NodePort"));
  api.deliver();
  expect(await typeNow()).toBe("NodePort");
  api.remove(kinds.service, ref);
  api.deliver();
  expect(await typeNow()).toBeUndefined();
  expect(api.reads).toEqual([]);
});

test("what is not watched is read again when it is older than it may be", async () => {
  api.put(lock("a"));
  expect(await holderNow(5_000)).toBe("a");
  api.put(lock("b"));
  await clock.advance(5_000);
  expect(await holderNow(5_000)).toBe("a");
  await clock.advance(1);
  expect(await holderNow(5_000)).toBe("b");
  expect(await holderNow(5_000)).toBe("b");
  expect(api.reads).toHaveLength(2);
});

test("that there is nothing is remembered as well", async () => {
  expect(await holderNow(5_000)).toBeUndefined();
  expect(await holderNow(5_000)).toBeUndefined();
  expect(api.reads).toHaveLength(1);
});

test("an age of nothing asks the server, even in the same moment", async () => {
  api.put(lock("a"));
  expect(await holderNow(0)).toBe("a");
  api.put(lock("b"));
  expect(await holderNow(0)).toBe("b");
});

test("our own write of what is not watched is known without a read, until it is forgotten", async () => {
  world.wrote(kinds.configMap, await api.create(kinds.configMap, lock("a")));
  expect(await holderNow(5_000)).toBe("a");
  expect(api.reads).toEqual([]);
  world.forget(kinds.configMap, ref);
  expect(await holderNow(5_000)).toBe("a");
  expect(api.reads).toEqual(["ConfigMap seq"]);
});

describe("a read of what is watched", () => {
  test("asks the server, whatever the watches show, and is not held beside them", async () => {
    api.put(service("ClusterIP"));
    api.deliver();
    api.put(service("NodePort"));
    expect((await world.read(kinds.service, ref, 0))?.spec?.type).toBe("NodePort");
    expect(api.reads).toEqual(["Service seq"]);
    expect(await typeNow()).toBe("ClusterIP");
    expect(world.size).toBe(0);
  });

  test("of what did not change is the object that the watches show", async () => {
    api.put(service("ClusterIP"));
    api.deliver();
    expect(await world.read(kinds.service, ref, 0)).toBe(await world.watched(kinds.service, ref));
    expect(api.reads).toEqual(["Service seq"]);
  });
});

test("a read that failed is not remembered", async () => {
  api.fault = () => new KubeError("Unavailable", "no answer");
  await expect(holderNow(5_000)).rejects.toThrow("no answer");
  api.fault = () => undefined;
  api.put(lock("a"));
  expect(await holderNow(5_000)).toBe("a");
});

test("what belongs to a cluster is found by its label, in its namespace alone", () => {
  const ofCluster = (name: string, cluster: string, namespace = "rollup") => {
    const worn = { [labels.managedBy]: MANAGED_BY, [labels.cluster]: cluster };
    return api.put(service("ClusterIP", { namespace, name, labels: worn }));
  };
  const found = () => world.shownOf(kinds.service, ref).map(({ metadata }) => metadata.name);
  expect(found()).toEqual([]);
  ofCluster("seq-rpc", "seq");
  ofCluster("seq-leader", "seq");
  ofCluster("other-rpc", "other");
  ofCluster("seq-elsewhere", "seq", "elsewhere");
  api.deliver();
  expect(found()).toEqual(["seq-leader", "seq-rpc"]);
});

describe("a cluster that is gone", () => {
  const named = (name: string) => ({ namespace: "rollup", name });
  const readAll = async (...names: readonly string[]) => {
    for (const name of names) await world.read(kinds.secret, named(name), 300_000);
  };

  test("leaves nothing remembered of its own, and what others have stays", async () => {
    world.wrote(kinds.service, api.put(service("NodePort")));
    world.lookBehind(kinds.networkPolicy, ref);
    await readAll("seq-identity", "seq-config", "seq-b-identity");
    await world.read(kinds.secret, { namespace: "other", name: "seq-identity" }, 300_000);
    expect(world.size).toBe(6);
    world.forgetCluster("rollup/seq");
    expect(world.size).toBe(2);
    api.requests.length = 0;
    await readAll("seq-identity", "seq-b-identity");
    expect(api.reads).toEqual(["Secret seq-identity"]);
  });

  test("takes along what is too old for anybody, such as a Secret that it referred to", async () => {
    await readAll("token-of-seq");
    await clock.advance(300_001);
    await readAll("token-of-another");
    world.forgetCluster("rollup/seq");
    expect(world.size).toBe(1);
  });
});
