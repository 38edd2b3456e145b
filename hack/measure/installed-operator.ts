import { kinds } from "../../src/model/kinds.ts";
import type { Lease, Pod } from "../../src/model/objects.ts";
import { killContainer } from "../../test/e2e/harness/processes.ts";
import { operatorNamespace } from "../demo/install.ts";
import { isReady } from "./pods.ts";
import { type Recorded, recordChanges } from "./recorded-watch.ts";
import { pollUntil, type Session } from "./session.ts";
import { wallMs } from "./wall-time.ts";

/** The operator as the chart installed it. */

const name = "evnode-operator";
const selector = `app.kubernetes.io/name=${name}`;
const CONTAINER = "operator";
const READY_TIMEOUT_MS = 120_000;

/**
 * How the active replica goes. `killed`: SIGKILL, and Kubernetes starts its container again. `lost`: SIGKILL, and its
 * pod goes with it, as with its node. `stopped`: its pod is deleted, as by a drain.
 */
export type Going = "killed" | "lost" | "stopped";

/** Scales the installed operator, and back at the end. */
export async function provideReplicas(session: Session, replicas: number): Promise<void> {
  const deployment = ["deployment", name, "--namespace", operatorNamespace];
  const get = ["get", ...deployment, "--output", "jsonpath={.spec.replicas}"];
  const before = (await session.kubectl.run(get)).trim();
  const scale = async (to: string) => {
    await session.kubectl.run(["scale", ...deployment, `--replicas=${to}`]);
    await operatorsAreReady(session, Number(to));
  };
  session.atEnd(`replicas of the operator, ${before} before`, async () => scale(before));
  await scale(String(replicas));
}

/** Waits until so many replicas are ready, and no other pod is left. */
export async function operatorsAreReady(session: Session, replicas: number): Promise<void> {
  const areReady = async () => {
    const pods = await operatorPods(session);
    return (pods.length === replicas && pods.every(isReady)) || undefined;
  };
  const done = await pollUntil(areReady, { everyMs: 250, timeoutMs: READY_TIMEOUT_MS }, session);
  if (!done) throw new Error(`the operator's ${replicas} replicas are not ready`);
}

export async function operatorPods({ api }: Pick<Session, "api">): Promise<readonly Pod[]> {
  const { items } = await api.list(kinds.pod, { namespace: operatorNamespace, labelSelector: selector });
  return items;
}

/**
 * Kills every replica without a warning: its process, and from the second time on its pod, too, as Kubernetes holds
 * back a process that ends again and again.
 */
export async function killOperators(session: Session): Promise<void> {
  for (const pod of await operatorPods(session)) {
    await killContainer(pod, CONTAINER);
    const restarts = pod.status?.containerStatuses?.find((one) => one.name === CONTAINER)?.restartCount ?? 0;
    if (restarts > 0) await deleteNow(session, pod, ["--grace-period=0", "--force"]);
  }
}

export async function operatorIsBack(session: Session): Promise<void> {
  const isBack = async () => ((await operatorPods(session)).some(isReady) ? true : undefined);
  const back = await pollUntil(isBack, { everyMs: 250, timeoutMs: READY_TIMEOUT_MS }, session);
  if (!back) throw new Error("the operator is not back within the time");
}

/** Takes the active replica away; answers when that began. */
export async function takeAway(session: Session, going: Going): Promise<number> {
  const lease = await session.api.get(kinds.lease, { namespace: operatorNamespace, name });
  const holder = lease?.spec?.holderIdentity;
  const active = (await operatorPods(session)).find(({ metadata }) => metadata.name === holder);
  if (!active)
    throw new Error(`the operator's Lease is held by ${holder || "nobody"}, which is none of its pods`);
  const startMs = wallMs();
  if (going !== "stopped") await killContainer(active, CONTAINER);
  if (going === "killed") return startMs;
  const grace = going === "lost" ? ["--grace-period=0", "--force"] : [];
  await deleteNow(session, active, ["--wait=false", ...grace]);
  return startMs;
}

async function deleteNow({ kubectl }: Session, { metadata }: Pod, how: readonly string[]): Promise<void> {
  await kubectl.run(["delete", "pod", metadata.name, "--namespace", operatorNamespace, ...how]);
}

export interface LeaseRecord {
  readonly changes: readonly Recorded<Lease>[];
  stop(): Promise<void>;
}

export async function recordLease(session: Session): Promise<LeaseRecord> {
  return recordChanges(session, kinds.lease, { namespace: operatorNamespace });
}

/** When the Lease was taken for the first time since this moment, by whomever. */
export function takenAtMs(changes: readonly Recorded<Lease>[], sinceMs: number): number | undefined {
  const own = changes.filter(({ object }) => object.metadata.name === name);
  const before = own.findLast(({ atMs }) => atMs <= sinceMs)?.object.spec?.acquireTime;
  return own.find(({ object, atMs }) => {
    const { holderIdentity, acquireTime } = object.spec ?? {};
    return atMs > sinceMs && Boolean(holderIdentity) && acquireTime !== before;
  })?.atMs;
}
