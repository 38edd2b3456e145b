import { expect, it } from "vitest";
import type { Kind } from "../../src/model/kinds.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import type { Environment } from "./environment.ts";
import { budget, claim, configMap, gatedPod, gatedSet, identityOf } from "./objects.ts";

export function metadataConformance(env: () => Environment): void {
  ownershipConformance(env);
  immutabilityConformance(env);
}

function ownershipConformance(env: () => Environment): void {
  it("has one version that grows over all objects of all kinds", async () => {
    const { api, namespace } = env();
    const first = await api.create(kinds.configMap, configMap(namespace, "growth"));
    const second = await api.create(kinds.pod, gatedPod(namespace, "growth"));
    const { uid } = identityOf(first);
    const third = await api.patch(kinds.configMap, first.metadata, { data: { a: "1" } }, { uid });
    const versions = [first, second, third].map((object) => BigInt(identityOf(object).resourceVersion));
    expect(versions.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(versions);
    expect(new Set(versions).size).toBe(3);
  });

  it("counts changes of the spec, and a deletion, in the generation, and nothing else", async () => {
    const { api, namespace } = env();
    const metadata = { namespace, name: "generations", finalizers: ["example.com/a"] };
    const created = await api.create(kinds.disruptionBudget, {
      ...budget(namespace, "generations"),
      metadata,
    });
    const { uid } = identityOf(created);
    const generationAfter = async (patch: object) =>
      (await api.patch(kinds.disruptionBudget, metadata, { ...patch }, { uid })).metadata.generation;
    expect(created.metadata.generation).toBe(1);
    expect(await generationAfter({ metadata: { labels: { a: "b" } } })).toBe(1);
    expect(await generationAfter({ spec: { maxUnavailable: 2 } })).toBe(2);
    await api.delete(kinds.disruptionBudget, metadata, { preconditions: { uid }, propagation: "Background" });
    expect((await api.get(kinds.disruptionBudget, metadata))?.metadata.generation).toBe(3);
    await api.patch(kinds.disruptionBudget, metadata, { metadata: { finalizers: null } }, { uid });
  });

  it("keeps the uid and the time of creation, whatever is sent", async () => {
    const { api, namespace } = env();
    const created = await api.create(kinds.configMap, configMap(namespace, "kept"));
    const sent = { ...created.metadata, creationTimestamp: "2001-01-01T00:00:00Z", labels: { a: "b" } };
    const { creationTimestamp, uid } = created.metadata;
    const replaced = await api.replace(kinds.configMap, { ...created, metadata: sent });
    expect(replaced.metadata).toMatchObject({ creationTimestamp, uid, labels: { a: "b" } });
  });

  it("leaves out lists and maps that are empty", async () => {
    const { api, namespace } = env();
    const metadata = { namespace, name: "empty", labels: {}, annotations: {}, finalizers: [] };
    const created = await api.create(kinds.configMap, configMap(namespace, "empty", { metadata }));
    for (const field of ["labels", "annotations", "finalizers"]) {
      expect(created.metadata).not.toHaveProperty(field);
    }
  });

  it("takes no status from a new object", async () => {
    const { api, namespace } = env();
    const pod = { ...gatedPod(namespace, "born-running"), status: { phase: "Running" as const } };
    expect((await api.create(kinds.pod, pod)).status?.phase).toBe("Pending");
  });
}

function immutabilityConformance(env: () => Environment): void {
  it.each<[string, (namespace: string) => KubeObject, Kind<KubeObject>, object]>([
    [
      "the grace period of a pod",
      (namespace) => gatedPod(namespace, "fixed"),
      kinds.pod,
      { terminationGracePeriodSeconds: 7 },
    ],
    [
      "the Service of a StatefulSet",
      (namespace) => gatedSet(namespace, "fixed", 0),
      kinds.statefulSet,
      { serviceName: "other" },
    ],
    [
      "the class of a claim",
      (namespace) => claim(namespace, "fixed"),
      kinds.claim,
      { storageClassName: "other" },
    ],
  ])("lets nobody change %s", async (_, make, kind, spec) => {
    const { api, namespace } = env();
    const created = await api.create(kind, make(namespace));
    const { uid } = identityOf(created);
    await expect(api.patch(kind, created.metadata, { spec }, { uid })).rejects.toMatchObject({
      kind: "Invalid",
    });
  });

  it("lets the image of a pod change", async () => {
    const { api, namespace } = env();
    const created = await api.create(kinds.pod, gatedPod(namespace, "image"));
    const { uid } = identityOf(created);
    const containers = (created.spec?.containers ?? []).map((one) => ({
      ...one,
      image: "other.example.com/b:2",
    }));
    const patched = await api.patch(kinds.pod, created.metadata, { spec: { containers } }, { uid });
    expect(patched.spec?.containers.map(({ image }) => image)).toEqual(["other.example.com/b:2"]);
  });

  it("takes no new finalizer for an object that is being deleted", async () => {
    const { api, namespace } = env();
    const metadata = { namespace, name: "too-late", finalizers: ["example.com/a"] };
    const { uid } = identityOf(
      await api.create(kinds.configMap, configMap(namespace, "too-late", { metadata })),
    );
    await api.delete(kinds.configMap, metadata, { preconditions: { uid }, propagation: "Background" });
    const more = { metadata: { finalizers: ["example.com/a", "example.com/b"] } };
    await expect(api.patch(kinds.configMap, metadata, more, { uid })).rejects.toMatchObject({
      kind: "Invalid",
    });
    const end = { metadata: { finalizers: [] } };
    await api.patch(kinds.configMap, metadata, end, { uid });
    expect(await api.get(kinds.configMap, metadata)).toBeUndefined();
  });
}
