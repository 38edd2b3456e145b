import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { KubeObject } from "../../../src/model/kube-object.ts";
import type { Pod } from "../../../src/model/objects.ts";
import { collectLogs, textsFolder } from "../harness/artifacts.ts";
import { operatorName, operatorNamespace } from "../harness/operator-names.ts";
import { killContainer } from "../harness/processes.ts";
import { until } from "../harness/until.ts";
import type { World } from "../harness/world.ts";

const DEPLOYMENT = `/apis/apps/v1/namespaces/${operatorNamespace}/deployments/${operatorName}`;
const READY_MS = 120_000;

interface Deployment extends KubeObject {
  readonly spec: { readonly replicas: number };
  readonly status: { readonly observedGeneration?: number; readonly readyReplicas?: number };
}

async function operatorPods({ api }: World): Promise<readonly Pod[]> {
  const selector = encodeURIComponent(`app.kubernetes.io/name=${operatorName}`);
  return api.list<Pod>(`/api/v1/namespaces/${operatorNamespace}/pods?labelSelector=${selector}`);
}

/** Takes the operator away, runs the test's part, and brings the operator back whatever happened. */
export async function withoutOperator(world: World, part: () => Promise<void>): Promise<void> {
  const { spec } = await world.api.get<Deployment>(DEPLOYMENT);
  await scale(world, 0);
  try {
    await until(
      "end of the operator's pods",
      async () => {
        const pods = await operatorPods(world);
        return pods.length === 0 ? { found: true } : { missing: `${pods.length} are left` };
      },
      { withinMs: READY_MS },
    );
    await part();
  } finally {
    await scale(world, spec.replicas);
    await operatorIsReady(world);
  }
}

async function scale(world: World, replicas: number): Promise<void> {
  await keepLogs(world);
  const patch = JSON.stringify({ spec: { replicas } });
  const { status, text } = await world.api.send(DEPLOYMENT, {
    method: "PATCH",
    body: patch,
    contentType: "application/merge-patch+json",
  });
  if (status !== 200) throw new Error(`the operator could not be scaled to ${replicas}: ${text}`);
}

async function operatorIsReady({ api }: Pick<World, "api">): Promise<void> {
  await until(
    "readiness of the operator",
    async () => {
      const { metadata, spec, status } = await api.get<Deployment>(DEPLOYMENT);
      const isSeen = status.observedGeneration === metadata.generation;
      const ready = status.readyReplicas ?? 0;
      return isSeen && ready === spec.replicas
        ? { found: true }
        : { missing: `${ready} of ${spec.replicas} are ready` };
    },
    { withinMs: READY_MS },
  );
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
    const path = `/api/v1/namespaces/${operatorNamespace}/pods/${pod.metadata.name}`;
    await world.api.send(path, { method: "DELETE", body: JSON.stringify({ gracePeriodSeconds: 0 }) });
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

async function keepLogs(world: World): Promise<void> {
  const part = `operator-${randomBytes(3).toString("hex")}`;
  const folder = join(textsFolder(world.environment), world.namespace, part);
  await mkdir(folder, { recursive: true });
  for (const pod of await operatorPods(world)) await collectLogs(world.api, pod, folder);
}
