import { expect, it } from "vitest";
import { kinds } from "../../src/model/kinds.ts";
import type { Pod } from "../../src/model/objects.ts";
import type { Environment } from "./environment.ts";
import { guardedPods, setReady, statusOf, untilHealthy } from "./guarded-pods.ts";
import { boundPod, budget, gatedPod, identityOf, strangeUid } from "./objects.ts";

const refusedByBudget = { kind: "DisruptionBudget" };

export function evictionConformance(env: () => Environment): void {
  budgetConformance(env);
  preconditionConformance(env);
  unguardedConformance(env);
}

function evict({ api }: Environment, { metadata }: Pod, uid = metadata.uid ?? ""): Promise<void> {
  return api.evict(metadata, { preconditions: { uid } });
}

/** The set may have made another pod of the name meanwhile. */
async function isThere({ api }: Environment, { metadata }: Pod): Promise<boolean> {
  const now = await api.get(kinds.pod, metadata);
  return now?.metadata.uid === metadata.uid && now?.metadata.deletionTimestamp === undefined;
}

function budgetConformance(env: () => Environment): void {
  it("is granted as long as the budget allows a disruption, which it uses up at once", async () => {
    const [first, second] = await guardedPods(env(), "granted");
    await evict(env(), first);
    expect((await statusOf(env(), "granted"))?.disruptionsAllowed).toBe(0);
    expect(await isThere(env(), first)).toBe(false);
    await expect(evict(env(), second)).rejects.toMatchObject(refusedByBudget);
    expect(await isThere(env(), second)).toBe(true);
  });

  it("of a pod that is not ready is free while the others are enough, and refused when they are not", async () => {
    const [first, second, third] = await guardedPods(env(), "unhealthy");
    await setReady(env(), third.metadata, false);
    await untilHealthy(env(), "unhealthy", 2);
    await evict(env(), third);
    expect(await isThere(env(), third)).toBe(false);
    await setReady(env(), second.metadata, false);
    await untilHealthy(env(), "unhealthy", 1);
    for (const pod of [second, first]) {
      await expect(evict(env(), pod)).rejects.toMatchObject(refusedByBudget);
      expect(await isThere(env(), pod)).toBe(true);
    }
  });

  it("is refused for a pod that two budgets guard", async () => {
    const { api, namespace } = env();
    for (const name of ["two-a", "two-b"]) {
      await api.create(kinds.disruptionBudget, budget(namespace, name, "two"));
    }
    const pod = await api.create(kinds.pod, gatedPod(namespace, "two", { set: "two" }));
    await setReady(env(), pod.metadata, true);
    const message = expect.stringMatching("more than one PodDisruptionBudget");
    await expect(evict(env(), pod)).rejects.toMatchObject({ kind: "Unknown", message });
    expect(await isThere(env(), pod)).toBe(true);
  });
}

function preconditionConformance(env: () => Environment): void {
  it("of another pod of the name is a conflict, and uses the budget up all the same", async () => {
    const [first] = await guardedPods(env(), "strange");
    await expect(evict(env(), first, strangeUid)).rejects.toMatchObject({ kind: "Conflict" });
    expect(await isThere(env(), first)).toBe(true);
    expect(await statusOf(env(), "strange")).toMatchObject({
      disruptionsAllowed: 0,
      disruptedPods: { [first.metadata.name]: expect.stringMatching(/^\d{4}-/) },
    });
    await expect(evict(env(), first)).rejects.toMatchObject(refusedByBudget);
  });

  it("on an old version is a conflict", async () => {
    const { api, namespace } = env();
    const created = await api.create(kinds.pod, gatedPod(namespace, "old-evicted"));
    const preconditions = identityOf(created);
    const patch = { metadata: { labels: { a: "b" } } };
    await api.patch(kinds.pod, created.metadata, patch, { uid: preconditions.uid });
    const refused = api.evict(created.metadata, { preconditions });
    await expect(refused).rejects.toMatchObject({ kind: "Conflict" });
    expect(await isThere(env(), created)).toBe(true);
  });
}

function unguardedConformance(env: () => Environment): void {
  it("of a pod that never ran asks no budget", async () => {
    const { api, namespace } = env();
    const none = { ...budget(namespace, "never-ran").spec, maxUnavailable: 0 };
    await api.create(kinds.disruptionBudget, { ...budget(namespace, "never-ran"), spec: none });
    const pod = await api.create(kinds.pod, gatedPod(namespace, "never-ran", { set: "never-ran" }));
    await evict(env(), pod);
    expect(await api.get(kinds.pod, pod.metadata)).toBeUndefined();
  });

  it("of a pod that is on its way out asks no budget", async () => {
    const { api, namespace } = env();
    const none = { ...budget(namespace, "leaving").spec, maxUnavailable: 0 };
    await api.create(kinds.disruptionBudget, { ...budget(namespace, "leaving"), spec: none });
    const pod = await api.create(kinds.pod, boundPod(namespace, "leaving", { set: "leaving" }));
    await setReady(env(), pod.metadata, true);
    await expect(evict(env(), pod)).rejects.toMatchObject(refusedByBudget);
    const preconditions = { uid: identityOf(pod).uid };
    await api.delete(kinds.pod, pod.metadata, { preconditions, propagation: "Background" });
    await api.evict(pod.metadata, { preconditions, gracePeriodSeconds: 0 });
    expect(await api.get(kinds.pod, pod.metadata)).toBeUndefined();
  });

  it("of a pod that is gone succeeds", async () => {
    const { namespace } = env();
    const pod = gatedPod(namespace, "long-gone");
    await expect(evict(env(), pod, strangeUid)).resolves.toBeUndefined();
  });

  it("marks a pod that a node has, for the grace period that is asked for, and says why", async () => {
    const { api, namespace } = env();
    const pod = await api.create(kinds.pod, boundPod(namespace, "evicted"));
    const preconditions = { uid: identityOf(pod).uid };
    await api.evict(pod.metadata, { preconditions, gracePeriodSeconds: 7 });
    const dying = await api.get(kinds.pod, pod.metadata);
    expect(dying?.metadata).toMatchObject({ deletionGracePeriodSeconds: 7 });
    const reason = { type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI" };
    expect(dying?.status?.conditions).toContainEqual(expect.objectContaining(reason));
    // Once more changes nothing, not even the time.
    await env().pass(1_100);
    await evict(env(), pod);
    expect(await api.get(kinds.pod, pod.metadata)).toEqual(dying);
    await api.evict(pod.metadata, { preconditions, gracePeriodSeconds: 0 });
    expect(await api.get(kinds.pod, pod.metadata)).toBeUndefined();
  });
}
