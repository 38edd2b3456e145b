import { expect, it } from "vitest";
import { kinds } from "../../src/model/kinds.ts";
import { cluster } from "../builders.ts";
import { boundPod } from "../conformance/objects.ts";
import { namespaceKind } from "../namespace-kind.ts";
import { namespace, newWorld } from "./world.ts";

it("a write of the status of a custom resource takes nothing else along", () => {
  const { registry } = newWorld();
  const created = registry.create(kinds.cluster, cluster());
  const metadata = { ...created.metadata, labels: { a: "b" } };
  const status = { observedGeneration: 1 };
  const wanted = { ...created, metadata, spec: {}, status } as unknown as typeof created;
  const written = registry.replaceStatus(kinds.cluster, wanted);
  const { resourceVersion } = written.metadata;
  expect(written).toEqual({ ...created, metadata: { ...created.metadata, resourceVersion }, status });
});

it("what was given to the server or came from it is not shared with it", () => {
  const { registry, store } = newWorld();
  const labels = { a: "b" };
  const metadata = { namespace, name: "a", labels };
  registry.create(kinds.configMap, { apiVersion: "v1", kind: "ConfigMap", metadata });
  labels.a = "c";
  expect(store.get(kinds.configMap, metadata)?.metadata.labels).toEqual({ a: "b" });
});

it("the uids are those of random objects, and differ", () => {
  const { registry } = newWorld();
  const uids = ["a", "b"].map((name) => {
    const metadata = { namespace, name };
    return registry.create(kinds.configMap, { apiVersion: "v1", kind: "ConfigMap", metadata }).metadata.uid;
  });
  for (const uid of uids) expect(uid).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-8[\da-f]{3}-[\da-f]{12}$/);
  expect(new Set(uids).size).toBe(2);
});

it("a pod on a node stays, marked, until its kubelet says that it has stopped", async () => {
  const { registry, store, clock } = newWorld();
  const { metadata } = registry.create(kinds.pod, boundPod(namespace, "a"));
  registry.delete(kinds.pod, metadata);
  await clock.advance(600_000);
  expect(store.get(kinds.pod, metadata)?.metadata.deletionTimestamp).toBe("2030-01-01T00:00:30Z");
  registry.delete(kinds.pod, metadata, { gracePeriodSeconds: 0 });
  expect(store.get(kinds.pod, metadata)).toBeUndefined();
});

it("a namespace cannot be deleted, as nothing here would end what is in it", () => {
  const { registry } = newWorld();
  expect(() => registry.delete(namespaceKind, { name: namespace })).toThrow(
    "the deletion of namespaces is not simulated",
  );
});
