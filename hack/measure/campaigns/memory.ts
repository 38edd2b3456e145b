import { kinds } from "../../../src/model/kinds.ts";
import { AGENT_CONTAINER } from "../../../src/model/member.ts";
import { operatorNamespace } from "../../demo/install.ts";
import { say } from "../../local-cluster/progress.ts";
import { type AuditedRequest, AuditReader } from "../audit-log.ts";
import { campaign } from "../campaign.ts";
import { followStart } from "../joining.ts";
import { provideNamespace } from "../namespaces.ts";
import { manifestOf, operatedCluster } from "../operated-cluster.ts";
import { type OwnOperator, provideOwnOperator } from "../own-operator.ts";
import { podsOf } from "../pods.ts";
import {
  type ContainerMemory,
  type Memory,
  memoryOfContainers,
  memoryOfProcess,
  processorMs,
} from "../process-memory.ts";
import { requireLocal } from "../provide-cluster.ts";
import { pause, pollUntil, type Session } from "../session.ts";
import { startSimulatedNode } from "../simulated/node.ts";
import { bindClaims } from "../simulated/volumes.ts";
import { type MemoryFindings, memoryReport, type Restart } from "./memory-report.ts";

/** No node has this label, so that no kubelet takes the pods. */
const nowhere = { "evnode.dev/simulated": "true" };
const CREATE_AT_ONCE = 10;
const RUNNING_TIMEOUT_MS = 900_000;
const START_TIMEOUT_MS = 180_000;
const RECONCILED_TIMEOUT_MS = 120_000;

/** One operator with many clusters whose members are simulated, and the real containers beside. */
export const memory = campaign({
  name: "memory",
  about: "memory and API requests of the operator with 1 and many clusters of simulated members",
  options: {
    clusters: { full: 50, short: 5, about: "clusters of 3 simulated members" },
    "settle-seconds": { full: 120, short: 15, about: "quiet time before memory is read" },
  },
  async run(session, { clusters, "settle-seconds": settleSeconds }) {
    const containers = await measureContainers(session, settleSeconds * 1_000);
    const simulated = await measureSimulated(session, clusters, settleSeconds * 1_000);
    return memoryReport({ clusters, settleSeconds, ...containers, ...simulated });
  },
});

/** A real cluster of 3 members, looked after by the installed operator. */
async function measureContainers(
  session: Session,
  settleMs: number,
): Promise<{ readonly agents: readonly ContainerMemory[]; readonly installed: readonly ContainerMemory[] }> {
  const namespace = await provideNamespace(session, "memory-members");
  const wish = { namespace, name: "chain", replicas: 3, blockTime: "1s" } as const;
  await session.api.create(kinds.cluster, manifestOf(wish));
  const members = operatedCluster(wish);
  const { missing } = await followStart(session, members, performance.now(), START_TIMEOUT_MS);
  if (missing !== undefined) throw new Error(`the members did not start: ${missing}`);
  await pause(settleMs, session);
  const operator = {
    namespace: operatorNamespace,
    selector: "app.kubernetes.io/name=evnode-operator",
    count: 1,
  };
  return {
    agents: await memoryOfContainers(session, await podsOf(session, members), AGENT_CONTAINER),
    installed: await memoryOfContainers(session, await podsOf(session, operator), "operator"),
  };
}

type Simulated = Omit<MemoryFindings, "agents" | "installed" | "clusters" | "settleSeconds">;

async function measureSimulated(session: Session, clusters: number, settleMs: number): Promise<Simulated> {
  const { auditLog } = requireLocal(session);
  const namespace = await provideNamespace(session, "memory");
  const operator = await provideOwnOperator(session, namespace);
  const binder = await bindClaims(session, namespace);
  session.atEnd("binding of claims", async () => binder.stop());
  const node = await startSimulatedNode(session, namespace);
  session.atEnd("simulated node", async () => node.stop());
  const check = () => {
    const failure = node.failure() ?? binder.failure();
    if (failure !== undefined) throw new Error("the simulation failed", { cause: failure });
  };

  const { readyAfterMs } = await operator.start();
  await pause(settleMs / 4, session);
  const empty = await memoryOf(operator);
  await createAll(session, namespace, 0, 1);
  await allRunning(session, namespace, 1, check);
  await pause(settleMs, session);
  const withOne = await memoryOf(operator);
  say("one cluster runs; creating the others");

  const reader = await AuditReader.fromNow(auditLog);
  const own = ({ user }: AuditedRequest) => user === operator.user;
  const processorBeforeMs = await processorOf(operator);
  const startMs = performance.now();
  await createAll(session, namespace, 1, clusters);
  const allRunningMs = await allRunning(session, namespace, clusters, check, startMs);
  const creationProcessorMs = (await processorOf(operator)) - processorBeforeMs;
  const creation = await reader.next(own);
  say(`all ${clusters} clusters are Running`);
  await pause(settleMs, session);
  const settling = await reader.next(own);
  const withAll = await memoryOf(operator);
  await pause(60_000, session);
  const quietMinute = await reader.next(own);
  const restart = await measureRestart(session, operator, reader, clusters);
  check();
  return {
    readyAfterMs,
    empty,
    withOne,
    withAll,
    allRunningMs,
    creationProcessorMs,
    creation,
    settling,
    quietMinute,
    restart,
  };
}

async function memoryOf({ pid }: OwnOperator): Promise<Memory> {
  if (pid === undefined) throw new Error("the operator does not run");
  return memoryOfProcess(pid);
}

async function processorOf({ pid }: OwnOperator): Promise<number> {
  if (pid === undefined) throw new Error("the operator does not run");
  return processorMs(pid);
}

/** Clusters `from` to `to`, a few at a time. */
async function createAll({ api }: Session, namespace: string, from: number, to: number): Promise<void> {
  for (let first = from; first < to; first += CREATE_AT_ONCE) {
    const count = Math.min(CREATE_AT_ONCE, to - first);
    const numbers = Array.from({ length: count }, (_, index) => first + index);
    await Promise.all(
      numbers.map(async (number) => {
        const wish = { namespace, name: `chain-${number}`, replicas: 3, blockTime: "1s" } as const;
        await api.create(kinds.cluster, manifestOf({ ...wish, nodeSelector: nowhere }));
      }),
    );
  }
}

/** Answers how long it took until the status of every cluster says that it runs. */
async function allRunning(
  session: Session,
  namespace: string,
  count: number,
  check: () => void,
  startMs = performance.now(),
): Promise<number> {
  let running = 0;
  const ask = async () => {
    check();
    const { items } = await session.api.list(kinds.cluster, { namespace, resourceVersion: "0" });
    running = items.filter(({ status }) => status?.phase === "Running").length;
    return running === count ? performance.now() - startMs : undefined;
  };
  const tookMs = await pollUntil(ask, { everyMs: 200, timeoutMs: RUNNING_TIMEOUT_MS }, session);
  if (tookMs === undefined)
    throw new Error(`${running} of ${count} clusters run after ${RUNNING_TIMEOUT_MS} ms`);
  return tookMs;
}

/** A reconcile reads the identity of its cluster, by name and once: the audit log shows when. */
async function measureRestart(
  session: Session,
  operator: OwnOperator,
  reader: AuditReader,
  clusters: number,
): Promise<Restart> {
  await operator.stop();
  await reader.next(() => false);
  const { spawnedAtMs, readyAfterMs } = await operator.start();
  const requests: AuditedRequest[] = [];
  const firstReads = new Map<string, number>();
  const isDone = async () => {
    requests.push(...(await reader.next(({ user }) => user === operator.user)));
    for (const { verb, resource, name = "", receivedMs } of requests) {
      const isIdentity = verb === "get" && resource === "secrets" && name.endsWith("-identity");
      if (isIdentity && !firstReads.has(name)) firstReads.set(name, receivedMs);
    }
    return firstReads.size === clusters || undefined;
  };
  await pollUntil(isDone, { everyMs: 250, timeoutMs: RECONCILED_TIMEOUT_MS }, session);
  const times = [...firstReads.values()].map((atMs) => atMs - spawnedAtMs);
  await pause(30_000, session);
  requests.push(...(await reader.next(({ user }) => user === operator.user)));
  return {
    readyAfterMs,
    firstReconcileMs: times.length === 0 ? undefined : Math.min(...times),
    allReconciledMs: times.length < clusters ? undefined : Math.max(...times),
    requests,
  };
}
