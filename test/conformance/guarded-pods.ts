import { expect } from "vitest";
import { KubeError } from "../../src/kube/errors.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { ObjectRef } from "../../src/model/kube-object.ts";
import type { Pod, PodDisruptionBudget } from "../../src/model/objects.ts";
import { type Environment, eventually } from "./environment.ts";
import { budget, gatedSet } from "./objects.ts";

/** Says what kubelet would say of the pod, past whoever else writes it. */
export async function setReady({ api }: Environment, ref: ObjectRef, isReady: boolean): Promise<void> {
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

export async function statusOf(
  { api, namespace }: Environment,
  name: string,
): Promise<PodDisruptionBudget["status"]> {
  return (await api.get(kinds.disruptionBudget, { namespace, name }))?.status;
}

/** Waits for the controller of the budget to count. */
export async function untilHealthy(env: Environment, name: string, count: number): Promise<void> {
  await eventually(env, `${count} pods of ${name} are healthy`, async () => {
    return (await statusOf(env, name))?.currentHealthy === count;
  });
}

/** A set of three ready pods, and a budget that lets one of them go. */
export async function guardedPods(env: Environment, name: string): Promise<readonly [Pod, Pod, Pod]> {
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
