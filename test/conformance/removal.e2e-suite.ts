import { expect, it } from "vitest";
import type { DeleteOptions } from "../../src/kube/api.ts";
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

/** An object that another one owns, with a finalizer if it has to take its time. */
async function child(
  { api, namespace }: Environment,
  name: string,
  owner: KubeObject,
  finalizers: readonly string[] = [],
) {
  const metadata = { namespace, name, ownerReferences: [ownedBy(owner)], finalizers };
  return api.create(kinds.configMap, configMap(namespace, name, { metadata }));
}

async function deleteOwner(
  { api }: Environment,
  owner: KubeObject,
  propagation: DeleteOptions["propagation"],
) {
  const preconditions = { uid: identityOf(owner).uid };
  await api.delete(kinds.configMap, owner.metadata, { preconditions, propagation });
}

function dependentConformance(env: () => Environment): void {
  const owner = (name: string) => env().api.create(kinds.configMap, configMap(env().namespace, name));
  const now = ({ metadata }: KubeObject) => env().api.get(kinds.configMap, metadata);
  const isDying = async (object: KubeObject) => (await now(object))?.metadata.deletionTimestamp !== undefined;

  it("takes dependents along in the background, after their owner", async () => {
    const first = await owner("background");
    const second = await child(env(), "background-child", first);
    await deleteOwner(env(), first, "Background");
    expect(await now(first)).toBeUndefined();
    await untilGone(env(), kinds.configMap, second.metadata);
    expect(await now(second)).toBeUndefined();
  });

  it("keeps owners in the foreground until all that they own is gone, generation by generation", async () => {
    const first = await owner("foreground");
    const second = await child(env(), "foreground-child", first);
    const third = await child(env(), "foreground-grandchild", second, ["example.com/slow"]);
    await deleteOwner(env(), first, "Foreground");
    await eventually(env(), "the last one is being deleted", () => isDying(third));
    for (const waiting of [first, second]) {
      expect((await now(waiting))?.metadata).toMatchObject({
        deletionTimestamp: expect.stringMatching(/^\d{4}-/),
        finalizers: ["foregroundDeletion"],
      });
    }
    const { uid } = identityOf(third);
    await env().api.patch(kinds.configMap, third.metadata, { metadata: { finalizers: null } }, { uid });
    await untilGone(env(), kinds.configMap, first.metadata);
    expect([await now(second), await now(third)]).toEqual([undefined, undefined]);
  });

  it("leaves orphans without the reference to their owner", async () => {
    const first = await owner("orphan");
    const second = await child(env(), "orphan-child", first);
    await deleteOwner(env(), first, "Orphan");
    await untilGone(env(), kinds.configMap, first.metadata);
    const { metadata } = (await now(second)) ?? {};
    expect(metadata?.uid).toBe(identityOf(second).uid);
    expect(metadata).not.toHaveProperty("ownerReferences");
    expect(metadata).not.toHaveProperty("deletionTimestamp");
  });
}

function ownerlessConformance(env: () => Environment): void {
  it.each([
    ["there never was", "nobody"],
    ["is another object by now", "somebody"],
  ])("takes away what names an owner that %s", async (_, name) => {
    const { api, namespace } = env();
    if (name === "somebody") await api.create(kinds.configMap, configMap(namespace, name));
    const owner = configMap(namespace, name, { metadata: { namespace, name, uid: strangeUid } });
    const { metadata } = await child(env(), `child-of-${name}`, owner);
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
    await deleteOwner(env(), first, "Background");
    const owners = async () => (await api.get(kinds.configMap, metadata))?.metadata.ownerReferences;
    await eventually(env(), "the reference is gone", async () => (await owners())?.length === 1);
    expect(await owners()).toEqual([ownedBy(second)]);
  });
}
