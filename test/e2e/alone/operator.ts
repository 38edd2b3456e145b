import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import type { KubeObject } from "../../../src/model/kube-object.ts";
import type { Lease, Pod } from "../../../src/model/objects.ts";
import { collectLogs, textsFolder } from "../harness/artifacts.ts";
import type { Cluster } from "../harness/cluster.ts";
import { operatorName, operatorNamespace } from "../harness/operator-names.ts";
import { killContainer } from "../harness/processes.ts";
import { until } from "../harness/until.ts";
import type { World } from "../harness/world.ts";

export const deploymentPath = `/apis/apps/v1/namespaces/${operatorNamespace}/deployments/${operatorName}`;
export const leasePath = `/apis/coordination.k8s.io/v1/namespaces/${operatorNamespace}/leases/${operatorName}`;
const READY_MS = 120_000;

interface Deployment extends KubeObject {
  readonly spec: { readonly replicas: number; readonly template: { readonly spec?: Pod["spec"] } };
  readonly status: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
  };
}

export async function operatorDeployment({ api }: World): Promise<Deployment> {
  return api.get<Deployment>(deploymentPath);
}

async function operatorPods({ api }: World): Promise<readonly Pod[]> {
  const selector = encodeURIComponent(`app.kubernetes.io/name=${operatorName}`);
  return api.list<Pod>(`/api/v1/namespaces/${operatorNamespace}/pods?labelSelector=${selector}`);
}

/** Takes the operator away, runs the test's part, and brings the operator back whatever happened. */
export async function withoutOperator(world: World, part: () => Promise<void>): Promise<void> {
  const { spec } = await operatorDeployment(world);
  try {
    await scale(world, 0);
    await part();
  } finally {
    await scale(world, spec.replicas);
  }
}

/** So many replicas for the tests of a file, and as many as before afterwards. */
export function useOperators(world: () => World, replicas: number): void {
  let before: number | undefined;
  beforeAll(async () => {
    before = (await operatorDeployment(world())).spec.replicas;
    await scale(world(), replicas);
  });
  afterAll(async () => {
    if (before !== undefined) await scale(world(), before);
  });
}

async function scale(world: World, replicas: number): Promise<void> {
  await keepLogs(world);
  const patch = JSON.stringify({ spec: { replicas } });
  const { status, text } = await world.api.send(deploymentPath, {
    method: "PATCH",
    body: patch,
    contentType: "application/merge-patch+json",
  });
  if (status !== 200) throw new Error(`the operator could not be scaled to ${replicas}: ${text}`);
  await operatorIsReady(world);
}

/** Waits until every replica is ready, and none is left over. */
async function operatorIsReady(world: World): Promise<void> {
  await until(
    "readiness of the operator",
    async () => {
      const { metadata, spec, status } = await operatorDeployment(world);
      const isSeen = status.observedGeneration === metadata.generation;
      const ready = status.readyReplicas ?? 0;
      const pods = (await operatorPods(world)).length;
      return isSeen && ready === spec.replicas && pods === spec.replicas
        ? { found: true }
        : { missing: `${ready} of ${spec.replicas} are ready, of ${pods} pods` };
    },
    { withinMs: READY_MS },
  );
}

/** Proves that an operator is at work for a cluster: what somebody takes away is put back. */
export async function isLookedAfter(cluster: Cluster): Promise<void> {
  const path = cluster.path("services", `${cluster.name}-rpc`);
  const before = await cluster.api.get(path);
  await cluster.api.send(path, { method: "DELETE" });
  await until(
    `another Service ${cluster.name}-rpc`,
    async () => {
      const now = await cluster.api.find(path);
      const isBack = now !== undefined && now.metadata.uid !== before.metadata.uid;
      return isBack ? { found: true } : { missing: "it was not put back" };
    },
    { withinMs: READY_MS },
  );
}

/** The replica that holds the Lease. */
export async function activeOperator(world: World): Promise<Pod> {
  return until(
    "a pod that holds the Lease",
    async () => {
      const holder = (await world.api.get<Lease>(leasePath)).spec?.holderIdentity;
      const found = (await operatorPods(world)).find(({ metadata }) => metadata.name === holder);
      return found ? { found } : { missing: `${holder || "nobody"} holds it` };
    },
    { withinMs: READY_MS },
  );
}

/** As when its node is lost: killed without a warning, and its pod does not come back. */
export async function loseOperator(world: World, pod: Pod): Promise<void> {
  await keepLogs(world);
  if (world.environment.machine) await killContainer(pod, "operator");
  await removePod(world, pod, { gracePeriodSeconds: 0 });
}

/** As a drain does. */
export async function stopOperator(world: World, pod: Pod): Promise<void> {
  await keepLogs(world);
  await removePod(world, pod);
}

async function removePod({ api }: World, { metadata }: Pod, options: object = {}): Promise<void> {
  const path = `/api/v1/namespaces/${operatorNamespace}/pods/${metadata.name}`;
  await api.send(path, { method: "DELETE", body: JSON.stringify(options) });
}

/**
 * Kills the operator without a warning, and waits until another process of it is ready. A pod that was killed before
 * is removed, because a container that is killed again and again waits longer and longer for its next start, and
 * that wait is not what is tested.
 */
export async function killOperator(world: World): Promise<void> {
  await keepLogs(world);
  const killed = await operatorPods(world);
  for (const pod of killed) {
    const isOnMachine = world.environment.machine !== undefined;
    const wasKilled = pod.status?.containerStatuses?.some(({ restartCount }) => restartCount > 0) ?? false;
    if (isOnMachine) await killContainer(pod, "operator");
    if (isOnMachine && !wasKilled) continue;
    await removePod(world, pod, { gracePeriodSeconds: 0 });
  }
  const before = killed.flatMap(containersOf);
  await until(
    "another process of the operator",
    async () => {
      const now = (await operatorPods(world)).flatMap(containersOf);
      const isAnother = now.length > 0 && now.every((container) => !before.includes(container));
      return isAnother ? { found: true } : { missing: "the killed one is still shown, or none" };
    },
    { withinMs: READY_MS },
  );
  await operatorIsReady(world);
}

const containersOf = ({ status }: Pod) =>
  (status?.containerStatuses ?? []).flatMap(({ containerID, ready }) =>
    ready && containerID ? [containerID] : [],
  );

/** What its pods have said so far, for the search for secrets and for a person. */
export async function keepLogs(world: World): Promise<void> {
  const part = `operator-${randomBytes(3).toString("hex")}`;
  const folder = join(textsFolder(world.environment), world.namespace, part);
  await mkdir(folder, { recursive: true });
  for (const pod of await operatorPods(world)) await collectLogs(world.api, pod, folder);
}
