import { expect, it } from "vitest";
import { KubeError } from "../../src/kube/errors.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { ObjectRef } from "../../src/model/kube-object.ts";
import type { Pod, PodDisruptionBudget } from "../../src/model/objects.ts";
import { type Environment, eventually } from "./environment.ts";
import { boundPod, budget, gatedPod, gatedSet, identityOf, strangeUid } from "./objects.ts";

const refusedByBudget = { kind: "DisruptionBudget" };

export function evictionConformance(env: () => Environment): void {
  budgetConformance(env);
  preconditionConformance(env);
  unguardedConformance(env);
}

/** Says what kubelet would say of the pod, past whoever else writes it. */
async function setReady({ api }: Environment, ref: ObjectRef, isReady: boolean): Promise<void> {
  for (let tries = 0; tries < 10; tries++) {
    const pod = await api.get(kinds.pod, ref);
    if (pod === undefined) throw new Error(`there is no pod ${ref.name}`);
    const others = pod.status?.conditions?.filter(({ type }) => type !== "Ready") ?? [];
    const conditions = [
      ...others,
      { type: "Ready", status: isReady ? ("True" as const) : ("False" as const) },
    ];
    try {
      await api.replaceStatus(kinds.pod, { ...pod, status: { ...pod.status, phase: "Running", conditions } });
      return;
    } catch (error) {
      if (!(error instanceof KubeError) || error.kind !== "Conflict") throw error;
    }
  }
  throw new Error(`the status of ${ref.name} could not be written`);
}

async function statusOf(
  { api, namespace }: Environment,
  name: string,
): Promise<PodDisruptionBudget["status"]> {
  return (await api.get(kinds.disruptionBudget, { namespace, name }))?.status;
}

/** Waits for the controller of the budget to count. */
async function untilHealthy(env: Environment, name: string, count: number): Promise<void> {
  await eventually(env, `${count} pods of ${name} are healthy`, async () => {
    return (await statusOf(env, name))?.currentHealthy === count;
  });
}

/** A set of three ready pods, and a budget that lets one of them go. */
async function guardedPods(env: Environment, name: string): Promise<readonly [Pod, Pod, Pod]> {
  const { api, namespace } = env;
  await api.create(kinds.disruptionBudget, budget(namespace, name));
  await api.create(kinds.statefulSet, gatedSet(namespace, name, 3));
  const pods = async () => (await api.list(kinds.pod, { namespace, labelSelector: `set=${name}` })).items;
  await eventually(env, "three pods are made", async () => (await pods()).length === 3);
  for (const { metadata } of await pods()) await setReady(env, metadata, true);
  await untilHealthy(env, name, 3);
  expect(await statusOf(env, name)).toMatchObject({
    disruptionsAllowed: 1,
    desiredHealthy: 2,
    expectedPods: 3,
  });
  const [first, second, third] = await pods();
  if (!first || !second || !third) throw new Error("three pods were made");
  return [first, second, third];
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
