import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isRetryable, KubeError } from "../../src/kube/errors.ts";
import { kinds } from "../../src/model/kinds.ts";
import { budgetConformance } from "./budget.e2e-suite.ts";
import type { Environment, NewEnvironment } from "./environment.ts";
import { evictionConformance } from "./eviction.e2e-suite.ts";
import { leaseConformance } from "./lease.e2e-suite.ts";
import { listConformance } from "./list.e2e-suite.ts";
import { metadataConformance } from "./metadata.e2e-suite.ts";
import { configMap, frozenSecret, gatedPod, identityOf, strangeUid } from "./objects.ts";
import { podUpdateConformance } from "./pod-update.e2e-suite.ts";
import { removalConformance } from "./removal.e2e-suite.ts";
import { revisionConformance } from "./revision.e2e-suite.ts";
import { watchConformance } from "./watch.e2e-suite.ts";

/**
 * What every implementation of `KubeApi` has to do. It runs against a real API server and against whatever stands
 * in for one, so that the rest of the tests may rely on the stand-in.
 */
export function kubeApiConformance(newEnvironment: NewEnvironment): void {
  let environment: Environment;
  beforeAll(async () => {
    environment = await newEnvironment();
  });
  afterAll(() => environment.close());

  describe("reads", () => {
    readConformance(() => environment);
  });
  describe("lists", () => {
    listConformance(() => environment);
  });
  describe("the server", () => {
    metadataConformance(() => environment);
  });
  describe("whole writes", () => {
    replaceConformance(() => environment);
  });
  describe("patches", () => {
    patchConformance(() => environment);
  });
  describe("writes of the status", () => {
    statusConformance(() => environment);
  });
  describe("deletes", () => {
    deleteConformance(() => environment);
  });
  describe("a deletion", () => {
    removalConformance(() => environment);
  });
  describe("an eviction", () => {
    evictionConformance(() => environment);
  });
  describe("a pod", () => {
    podUpdateConformance(() => environment);
  });
  describe("a claim of a budget, written into its status,", () => {
    budgetConformance(() => environment);
  });
  describe("a StatefulSet", () => {
    revisionConformance(() => environment);
  });
  describe("watches", () => {
    watchConformance(() => environment);
  });
  describe("leases", () => {
    leaseConformance(() => environment);
  });
}

function readConformance(env: () => Environment): void {
  it("give an object with what the server added, and undefined for one that is not there", async () => {
    const { api, namespace } = env();
    const ref = { namespace, name: "read-one" };
    expect(await api.get(kinds.configMap, ref)).toBeUndefined();
    const created = await api.create(kinds.configMap, configMap(namespace, ref.name, { data: { a: "1" } }));
    expect(created).toMatchObject({ apiVersion: "v1", kind: "ConfigMap", metadata: ref, data: { a: "1" } });
    expect(created.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    identityOf(created);
    expect(await api.get(kinds.configMap, ref)).toEqual(created);
  });

  it("refuse to create what is there, or where there is no namespace", async () => {
    const { api, namespace } = env();
    await api.create(kinds.configMap, configMap(namespace, "twice"));
    await expect(api.create(kinds.configMap, configMap(namespace, "twice"))).rejects.toMatchObject({
      kind: "AlreadyExists",
    });
    await expect(api.create(kinds.configMap, configMap(`${namespace}-not`, "a"))).rejects.toMatchObject({
      kind: "NotFound",
    });
  });
}

function replaceConformance(env: () => Environment): void {
  it("make the object what was sent, with a new version", async () => {
    const { api, namespace } = env();
    const first = await api.create(
      kinds.configMap,
      configMap(namespace, "whole", { data: { a: "1", b: "2" } }),
    );
    const second = await api.replace(kinds.configMap, { ...first, data: { b: "3" } });
    expect(second.data).toEqual({ b: "3" });
    expect(identityOf(second).uid).toBe(identityOf(first).uid);
    expect(identityOf(second).resourceVersion).not.toBe(identityOf(first).resourceVersion);
    expect(await api.get(kinds.configMap, second.metadata)).toEqual(second);
  });

  it("change nothing, not even the version, when nothing differs", async () => {
    const { api, namespace } = env();
    const first = await api.create(kinds.configMap, configMap(namespace, "same", { data: { a: "1" } }));
    const second = await api.replace(kinds.configMap, first);
    const { managedFields: _, ...without } = second.metadata;
    const third = await api.replace(kinds.configMap, { ...second, metadata: without });
    const { uid } = identityOf(first);
    const fourth = await api.patch(kinds.configMap, first.metadata, { data: { a: "1" } }, { uid });
    expect([third, fourth].map(identityOf)).toEqual([identityOf(second), identityOf(second)]);
  });

  it("are refused on an old version, on another object of the name, and on none", async () => {
    const { api, namespace } = env();
    const first = await api.create(kinds.configMap, configMap(namespace, "stale"));
    const second = await api.replace(kinds.configMap, { ...first, data: { a: "1" } });
    const conflict = { kind: "Conflict" };
    await expect(api.replace(kinds.configMap, { ...first, data: { a: "2" } })).rejects.toMatchObject(
      conflict,
    );
    const strange = { ...second, metadata: { ...second.metadata, uid: strangeUid } };
    await expect(api.replace(kinds.configMap, strange)).rejects.toMatchObject(conflict);
    const missing = { ...second, metadata: { ...second.metadata, name: "not-there" } };
    await expect(api.replace(kinds.configMap, missing)).rejects.toMatchObject({ kind: "NotFound" });
    expect(await api.get(kinds.configMap, second.metadata)).toEqual(second);
  });

  it("are refused without a version", async () => {
    const { api, namespace } = env();
    await api.create(kinds.configMap, configMap(namespace, "unversioned"));
    const object = configMap(namespace, "unversioned", { data: { a: "1" } });
    await expect(api.replace(kinds.configMap, object)).rejects.toMatchObject({ kind: "BadRequest" });
  });
}

function patchConformance(env: () => Environment): void {
  it("merge objects, replace lists and remove what is null", async () => {
    const { api, namespace } = env();
    const object = configMap(namespace, "merge", { data: { keep: "1", change: "1", drop: "1" } });
    const { uid } = identityOf(await api.create(kinds.configMap, object));
    const patch = {
      metadata: { labels: { new: "label" }, finalizers: ["example.com/a"] },
      data: { change: "2", drop: null },
    };
    const patched = await api.patch(kinds.configMap, object.metadata, patch, { uid });
    expect(patched.data).toEqual({ keep: "1", change: "2" });
    expect(patched.metadata).toMatchObject({ uid, labels: { new: "label" }, finalizers: ["example.com/a"] });
    const end = { metadata: { finalizers: null } };
    expect(
      (await api.patch(kinds.configMap, object.metadata, end, { uid })).metadata.finalizers,
    ).toBeUndefined();
  });

  it("are refused as Invalid on another object of the name, which a fresh look cures", async () => {
    const { api, namespace } = env();
    const created = await api.create(kinds.configMap, configMap(namespace, "other-uid"));
    const failure = await api
      .patch(kinds.configMap, created.metadata, { data: { a: "1" } }, { uid: strangeUid })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ kind: "Invalid" });
    expect(failure instanceof KubeError && isRetryable(failure)).toBe(true);
    expect(await api.get(kinds.configMap, created.metadata)).toEqual(created);
  });

  it("are refused on an old version and on a missing object", async () => {
    const { api, namespace } = env();
    const created = await api.create(kinds.configMap, configMap(namespace, "old-version"));
    const wanted = identityOf(created);
    const patch = { data: { a: "1" } };
    await api.patch(kinds.configMap, created.metadata, patch, wanted);
    await expect(api.patch(kinds.configMap, created.metadata, patch, wanted)).rejects.toMatchObject({
      kind: "Conflict",
    });
    // The version is looked at first.
    const both = { ...wanted, uid: strangeUid };
    await expect(api.patch(kinds.configMap, created.metadata, patch, both)).rejects.toMatchObject({
      kind: "Conflict",
    });
    const missing = { namespace, name: "not-there" };
    const { uid } = wanted;
    await expect(api.patch(kinds.configMap, missing, patch, { uid })).rejects.toMatchObject({
      kind: "NotFound",
    });
  });

  it("cannot change the data of an immutable Secret, but its annotations", async () => {
    const { api, namespace } = env();
    const secret = frozenSecret(namespace, "frozen");
    const { uid } = identityOf(await api.create(kinds.secret, secret));
    const failure = await api
      .patch(kinds.secret, secret.metadata, { data: { key: "dHdv" } }, { uid })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ kind: "Invalid" });
    expect(String(failure)).not.toMatch(/dHdv|b25l/);
    const patch = { metadata: { annotations: { "example.com/epoch": "1" } } };
    const patched = await api.patch(kinds.secret, secret.metadata, patch, { uid });
    expect(patched.metadata.annotations).toEqual({ "example.com/epoch": "1" });
  });
}

function statusConformance(env: () => Environment): void {
  const condition = { type: "example.com/Tried", status: "True" as const };

  it("change the status and leave the spec, as other writes leave the status", async () => {
    const { api, namespace } = env();
    const created = await api.create(kinds.pod, gatedPod(namespace, "status"));
    const spec = { containers: [], ...created.spec, terminationGracePeriodSeconds: 7 };
    const wanted = { ...created, spec, status: { conditions: [condition] } };
    const updated = await api.replaceStatus(kinds.pod, wanted);
    expect(updated.status?.conditions).toEqual([expect.objectContaining(condition)]);
    expect(updated.spec).toEqual(created.spec);
    const replaced = await api.replace(kinds.pod, {
      ...updated,
      metadata: { ...updated.metadata, labels: { a: "b" } },
      status: { conditions: [] },
    });
    expect(replaced.metadata.labels).toEqual({ a: "b" });
    expect(replaced.status?.conditions).toEqual(updated.status?.conditions);
  });

  it("are refused on an old version and on a missing object", async () => {
    const { api, namespace } = env();
    const created = await api.create(kinds.pod, gatedPod(namespace, "old-status"));
    const wanted = { ...created, status: { conditions: [condition] } };
    await api.replaceStatus(kinds.pod, wanted);
    const again = { ...wanted, status: { conditions: [{ ...condition, status: "False" as const }] } };
    await expect(api.replaceStatus(kinds.pod, again)).rejects.toMatchObject({ kind: "Conflict" });
    const missing = { ...again, metadata: { ...again.metadata, name: "not-there" } };
    await expect(api.replaceStatus(kinds.pod, missing)).rejects.toMatchObject({ kind: "NotFound" });
  });

  it("take labels along", async () => {
    const { api, namespace } = env();
    const created = await api.create(kinds.pod, gatedPod(namespace, "status-labels"));
    const metadata = { ...created.metadata, labels: { a: "b" } };
    const updated = await api.replaceStatus(kinds.pod, { ...created, metadata });
    expect(updated.metadata.labels).toEqual({ a: "b" });
  });

  it("do not exist for a kind without a status", async () => {
    const { api, namespace } = env();
    const created = await api.create(kinds.configMap, configMap(namespace, "no-status"));
    await expect(api.replaceStatus(kinds.configMap, created)).rejects.toMatchObject({ kind: "NotFound" });
  });
}

function deleteConformance(env: () => Environment): void {
  it("remove the object that is meant, and are content when it is gone", async () => {
    const { api, namespace } = env();
    const created = await api.create(kinds.configMap, configMap(namespace, "deleted"));
    const options = { preconditions: identityOf(created), propagation: "Background" } as const;
    await api.delete(kinds.configMap, created.metadata, options);
    expect(await api.get(kinds.configMap, created.metadata)).toBeUndefined();
    await expect(api.delete(kinds.configMap, created.metadata, options)).resolves.toBeUndefined();
  });

  it("are refused for another uid and for an old version", async () => {
    const { api, namespace } = env();
    const created = await api.create(kinds.configMap, configMap(namespace, "spared"));
    const wanted = identityOf(created);
    const changed = await api.patch(
      kinds.configMap,
      created.metadata,
      { data: { a: "1" } },
      { uid: wanted.uid },
    );
    for (const preconditions of [{ uid: strangeUid }, wanted]) {
      await expect(
        api.delete(kinds.configMap, created.metadata, { preconditions, propagation: "Background" }),
      ).rejects.toMatchObject({ kind: "Conflict" });
    }
    expect(await api.get(kinds.configMap, created.metadata)).toEqual(changed);
  });

  it("wait for finalizers, and a new object of the name is another one", async () => {
    const { api, namespace } = env();
    const ref = { namespace, name: "finalized" };
    const metadata = { ...ref, finalizers: ["example.com/first"] };
    const { uid } = identityOf(
      await api.create(kinds.configMap, configMap(namespace, ref.name, { metadata })),
    );
    await api.delete(kinds.configMap, ref, { preconditions: { uid }, propagation: "Background" });
    const dying = await api.get(kinds.configMap, ref);
    expect(dying?.metadata.deletionTimestamp).toMatch(/^\d{4}-/);
    await env().pass(1_100);
    await api.delete(kinds.configMap, ref, { preconditions: { uid }, propagation: "Background" });
    expect(await api.get(kinds.configMap, ref)).toEqual(dying);
    await api.patch(kinds.configMap, ref, { metadata: { finalizers: null } }, { uid });
    expect(await api.get(kinds.configMap, ref)).toBeUndefined();
    const next = await api.create(kinds.configMap, configMap(namespace, ref.name));
    expect(identityOf(next).uid).not.toBe(uid);
  });
}
