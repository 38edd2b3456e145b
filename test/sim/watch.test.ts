import { describe, expect, it } from "vitest";
import { kinds } from "../../src/model/kinds.ts";
import { configMap } from "../conformance/objects.ts";
import { settle } from "../runtime/virtual-clock.ts";
import type { SimulatedClient } from "./simulated-client.ts";
import { namespace, newWorld } from "./world.ts";

/** A watch of ConfigMaps with what it said so far and how it ended. */
function follow(api: SimulatedClient, resourceVersion: string, timeoutSeconds = 300) {
  const said: string[] = [];
  const stop = new AbortController();
  const options = { namespace, resourceVersion, timeoutSeconds, signal: stop.signal };
  const read = async () => {
    for await (const event of api.watch(kinds.configMap, options)) {
      said.push(event.type === "BOOKMARK" ? "BOOKMARK" : `${event.type} ${event.object.metadata.name}`);
    }
    said.push("ended");
  };
  void read().catch((error: unknown) => said.push(String(error)));
  return { said, stop };
}

const versionOf = ({ version }: { readonly version: number }) => String(version);

describe("a watch that lags", () => {
  it("shows a change late, and never before an earlier one", async () => {
    const lags = [1_000, 0];
    const { server, registry, store, clock } = newWorld({ watchLagMs: () => lags.shift() ?? 0 });
    await clock.advance(1_000);
    const { said } = follow(server.client({ name: "operator" }), versionOf(store));
    lags.splice(0, 2, 500, 0);
    registry.create(kinds.configMap, configMap(namespace, "first"));
    registry.create(kinds.configMap, configMap(namespace, "second"));
    await clock.advance(499);
    expect(said).toEqual([]);
    await clock.advance(1);
    expect(said).toEqual(["ADDED first", "ADDED second"]);
  });

  it("lags by itself: other kinds, and reads from the server, are up to date", async () => {
    const watchLagMs = (kind: string) => (kind === "ConfigMap" ? 5_000 : 0);
    const { server, registry, clock } = newWorld({ watchLagMs });
    const api = server.client({ name: "operator" });
    registry.create(kinds.configMap, configMap(namespace, "a"));
    registry.create(kinds.lease, {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { namespace, name: "a" },
    });
    const counts = async () => {
      const lists = [
        await api.list(kinds.configMap, { resourceVersion: "0" }),
        await api.list(kinds.configMap, {}),
        await api.list(kinds.lease, { resourceVersion: "0" }),
      ];
      return lists.map(({ items }) => items.length);
    };
    expect(await counts()).toEqual([0, 1, 1]);
    await clock.advance(5_000);
    expect(await counts()).toEqual([1, 1, 1]);
  });
});

it("a list from a cache that lags is of the oldest version that is not forgotten, and never refused", async () => {
  const { server, registry, store } = newWorld({ watchLagMs: () => 5_000 });
  const api = server.client({ name: "operator" });
  for (const name of ["a", "b"]) registry.create(kinds.configMap, configMap(namespace, name));
  store.compact(store.version - 1);
  const { items } = await api.list(kinds.configMap, { resourceVersion: "0" });
  expect(items.map(({ metadata }) => metadata.name)).toEqual(["a"]);
});

describe("an open watch", () => {
  it("is told the version every minute and before it ends, and leaves no timer behind", async () => {
    const { server, store, clock } = newWorld();
    const { said } = follow(server.client({ name: "operator" }), versionOf(store), 150);
    await clock.advance(60_000);
    expect(said).toEqual(["BOOKMARK"]);
    await clock.advance(88_000);
    expect(said).toEqual(["BOOKMARK", "BOOKMARK", "BOOKMARK"]);
    await clock.advance(2_000);
    expect(said.at(-1)).toBe("ended");
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    ["closed", ["ADDED a", "ended"]],
    ["broken", ["KubeError: ECONNRESET the connection broke"]],
    ["mute", []],
  ] as const)("that is %s tells %j", async (end, expected) => {
    const { server, registry, store, clock } = newWorld();
    const api = server.client({ name: "operator" });
    const { said, stop } = follow(api, versionOf(store));
    await settle();
    registry.create(kinds.configMap, configMap(namespace, "a"));
    api.endWatches(end, kinds.configMap);
    registry.create(kinds.configMap, configMap(namespace, "b"));
    await clock.advance(600_000);
    expect(said).toEqual(expected);
    stop.abort();
    await settle();
    expect(said.at(-1)).toBe(end === "mute" ? "ended" : expected.at(-1));
    expect(clock.pendingTimers).toBe(0);
  });

  it("of another kind or another client goes on", async () => {
    const { server, registry, store } = newWorld();
    const [api, other] = ["a", "b"].map((name) => server.client({ name }));
    if (api === undefined || other === undefined) throw new Error("two clients were made");
    const { said } = follow(api, versionOf(store));
    await settle();
    api.endWatches("broken", kinds.pod);
    other.endWatches("broken");
    registry.create(kinds.configMap, configMap(namespace, "a"));
    await settle();
    expect(said).toEqual(["ADDED a"]);
  });

  it("from a version to come is silent until then", async () => {
    const { server, registry, store } = newWorld();
    const { said } = follow(server.client({ name: "operator" }), String(store.version + 1));
    for (const name of ["a", "b"]) registry.create(kinds.configMap, configMap(namespace, name));
    await settle();
    expect(said).toEqual(["ADDED b"]);
  });

  it("does not miss what is forgotten after it began", async () => {
    const { server, registry, store, clock } = newWorld({ watchLagMs: () => 1_000 });
    await clock.advance(1_000);
    const { said } = follow(server.client({ name: "operator" }), versionOf(store));
    await settle();
    registry.create(kinds.configMap, configMap(namespace, "a"));
    store.compact();
    await clock.advance(1_000);
    expect(said).toEqual(["ADDED a"]);
  });
});

it("what is older than five minutes is forgotten by itself, with the next write", async () => {
  const { server, registry, store, clock } = newWorld();
  const version = versionOf(store);
  registry.create(kinds.configMap, configMap(namespace, "a"));
  await clock.advance(300_001);
  registry.create(kinds.configMap, configMap(namespace, "b"));
  const { said } = follow(server.client({ name: "operator" }), version);
  await settle();
  expect(said).toEqual([
    `KubeError: cannot watch ConfigMap rollup: 410 Expired: too old resource version: ${version} (1002)`,
  ]);
});
