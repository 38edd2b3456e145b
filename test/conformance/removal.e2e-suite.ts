import { expect, it } from "vitest";
import { type Kind, kinds } from "../../src/model/kinds.ts";
import type { KubeObject, ObjectRef } from "../../src/model/kube-object.ts";
import { type Environment, eventually } from "./environment.ts";
import { changesOf, described, versionNow } from "./follow.ts";
import { boundPod, configMap, gatedPod, identityOf, ownedBy, strangeUid } from "./objects.ts";

export function removalConformance(env: () => Environment): void {
  gracefulConformance(env);
  dependentConformance(env);
  ownerlessConformance(env);
}

async function untilGone(env: Environment, kind: Kind<KubeObject>, ref: ObjectRef): Promise<void> {
  await eventually(env, `${ref.name} is gone`, async () => (await env.api.get(kind, ref)) === undefined);
}

function gracefulConformance(env: () => Environment): void {
  it("marks a pod that a node has, and leaves its end to the node", async () => {
    const { api, namespace } = env();
    const created = await api.create(kinds.pod, boundPod(namespace, "bound"));
    const preconditions = { uid: identityOf(created).uid };
    const ref = created.metadata;
    await api.delete(kinds.pod, ref, { preconditions, propagation: "Background" });
    const dying = await api.get(kinds.pod, ref);
    expect(dying?.metadata).toMatchObject({
      deletionTimestamp: expect.stringMatching(/^\d{4}-/),
      deletionGracePeriodSeconds: 30,
    });
    await api.delete(kinds.pod, ref, { preconditions, propagation: "Background" });
    expect(await api.get(kinds.pod, ref)).toEqual(dying);
    // What kubelet does at the end: a period of zero ends it at once.
    await api.evict(ref, { preconditions, gracePeriodSeconds: 0 });
    expect(await api.get(kinds.pod, ref)).toBeUndefined();
  });

  it("removes a pod that no node has at once, marked all the same", async () => {
    const { api, namespace } = env();
    const pod = gatedPod(namespace, "unbound", { set: "unbound" });
    const followed = {
      kind: kinds.pod,
      resourceVersion: await versionNow(env()),
      labelSelector: "set=unbound",
    };
    const isOver = (changes: readonly { readonly type: string }[]) => changes.at(-1)?.type === "DELETED";
    const changes = await changesOf(env(), followed, isOver, async () => {
      const { uid } = identityOf(await api.create(kinds.pod, pod));
      await api.delete(kinds.pod, pod.metadata, { preconditions: { uid }, propagation: "Background" });
      expect(await api.get(kinds.pod, pod.metadata)).toBeUndefined();
    });
    const [marked, gone] = changes.slice(-2);
    expect([marked, gone].map((change) => change && described(change))).toEqual([
      "MODIFIED unbound",
      "DELETED unbound",
    ]);
    expect(marked?.object.metadata.deletionTimestamp).toMatch(/^\d{4}-/);
  });
}

/** An owner, and one object that it owns, with a finalizer if it has to take its time. */
async function family({ api, namespace }: Environment, name: string, finalizers: readonly string[] = []) {
  const owner = await api.create(kinds.configMap, configMap(namespace, name));
  const metadata = { namespace, name: `${name}-owned`, ownerReferences: [ownedBy(owner)], finalizers };
  const dependent = await api.create(kinds.configMap, configMap(namespace, metadata.name, { metadata }));
  return { owner: owner.metadata, dependent: dependent.metadata, ...uids(owner, dependent) };
}

function uids(owner: KubeObject, dependent: KubeObject) {
  return { ownerUid: identityOf(owner).uid, dependentUid: identityOf(dependent).uid };
}

function dependentConformance(env: () => Environment): void {
  it("takes dependents along in the background, after their owner", async () => {
    const { api } = env();
    const { owner, dependent, ownerUid: uid } = await family(env(), "background");
    await api.delete(kinds.configMap, owner, { preconditions: { uid }, propagation: "Background" });
    expect(await api.get(kinds.configMap, owner)).toBeUndefined();
    await untilGone(env(), kinds.configMap, dependent);
  });

  it("keeps the owner in the foreground until its dependents are gone", async () => {
    const { api } = env();
    const finalizers = ["example.com/slow"];
    const { owner, dependent, ownerUid: uid, dependentUid } = await family(env(), "foreground", finalizers);
    await api.delete(kinds.configMap, owner, { preconditions: { uid }, propagation: "Foreground" });
    await eventually(env(), "the dependent is being deleted", async () => {
      return (await api.get(kinds.configMap, dependent))?.metadata.deletionTimestamp !== undefined;
    });
    expect((await api.get(kinds.configMap, owner))?.metadata).toMatchObject({
      deletionTimestamp: expect.stringMatching(/^\d{4}-/),
      finalizers: ["foregroundDeletion"],
    });
    const released = { metadata: { finalizers: null } };
    await api.patch(kinds.configMap, dependent, released, { uid: dependentUid });
    await untilGone(env(), kinds.configMap, owner);
    expect(await api.get(kinds.configMap, dependent)).toBeUndefined();
  });

  it("leaves orphans without the reference to their owner", async () => {
    const { api } = env();
    const { owner, dependent, ownerUid: uid } = await family(env(), "orphan");
    await api.delete(kinds.configMap, owner, { preconditions: { uid }, propagation: "Orphan" });
    await untilGone(env(), kinds.configMap, owner);
    const { metadata } = (await api.get(kinds.configMap, dependent)) ?? {};
    expect(metadata?.uid).toBe(dependent.uid);
    expect(metadata).not.toHaveProperty("ownerReferences");
    expect(metadata).not.toHaveProperty("deletionTimestamp");
  });
}

function ownerlessConformance(env: () => Environment): void {
  it("takes away what names an owner that there never was", async () => {
    const { api, namespace } = env();
    const owner = configMap(namespace, "nobody", {
      metadata: { namespace, name: "nobody", uid: strangeUid },
    });
    const metadata = { namespace, name: "nobodys", ownerReferences: [ownedBy(owner)] };
    await api.create(kinds.configMap, configMap(namespace, "nobodys", { metadata }));
    await untilGone(env(), kinds.configMap, metadata);
    expect(await api.get(kinds.configMap, metadata)).toBeUndefined();
  });

  it("keeps what another owner still has, without the one that is gone", async () => {
    const { api, namespace } = env();
    const [first, second] = [
      await api.create(kinds.configMap, configMap(namespace, "first-owner")),
      await api.create(kinds.configMap, configMap(namespace, "second-owner")),
    ];
    const metadata = { namespace, name: "shared", ownerReferences: [ownedBy(first), ownedBy(second)] };
    await api.create(kinds.configMap, configMap(namespace, "shared", { metadata }));
    const preconditions = { uid: identityOf(first).uid };
    await api.delete(kinds.configMap, first.metadata, { preconditions, propagation: "Background" });
    await eventually(env(), "the reference is gone", async () => {
      return (await api.get(kinds.configMap, metadata))?.metadata.ownerReferences?.length === 1;
    });
    expect((await api.get(kinds.configMap, metadata))?.metadata.ownerReferences).toEqual([ownedBy(second)]);
  });
}
