import { join } from "node:path";
import { kinds } from "../../../src/model/kinds.ts";
import { say } from "../../local-cluster/progress.ts";
import { type Readiness, ready, waitUntil } from "../../local-cluster/wait.ts";
import { type AuditedRequest, AuditReader } from "../audit-log.ts";
import { campaignOfProcesses } from "../campaign.ts";
import { type ControlPlane, startControlPlane } from "../control-plane.ts";
import { quantile } from "../histogram.ts";
import { inLanes } from "../lanes.ts";
import { HEAP_MIB, newOperators, type OwnOperator } from "../own-operator.ts";
import { pause, pollUntil, type Session, withSession } from "../session.ts";
import {
  allRunning,
  createAll,
  FEW,
  type Fleet,
  measureRestart,
  memoryOf,
  processorOf,
  simulateMembers,
} from "../simulated/fleet.ts";
import { wallMs } from "../wall-time.ts";
import { isChild, type ScaleFindings } from "./scale-facts.ts";
import { scaleReport } from "./scale-report.ts";

const crds = join(import.meta.dirname, "../../../crds");
const OPERATOR_NAMESPACE = "scale";
/** Kubernetes' own controllers look through all budgets of a namespace at every change of a pod in it. */
const CLUSTERS_OF_ONE_NAMESPACE = 10;
/** More than the operator holds for each, as an owner would give it. */
const HEAP_OF_ONE_MIB = 0.5;
const ESTABLISHED_TIMEOUT_MS = 120_000;
const CHANGED_TIMEOUT_MS = 1_800_000;
const SHARES = [1, 0.5, 0.1];

/** One operator with more and more clusters whose members are simulated. */
export const scale = campaignOfProcesses({
  name: "scale",
  about: "one operator with many clusters of simulated members, on an API server of its own without kubelet",
  options: {
    clusters: { full: 1_000, short: 5, about: "clusters of 3 simulated members, the most at once" },
    sizes: { full: 3, short: 1, about: "numbers of clusters: that many; half of it, too; a tenth, too" },
    "settle-seconds": { full: 120, short: 5, about: "quiet time before memory is read" },
    "quiet-seconds": { full: 60, short: 10, about: "how long nothing happens then" },
  },
  async run({ signal }, { clusters, sizes, "settle-seconds": settleSeconds, "quiet-seconds": quietSeconds }) {
    const found: ScaleFindings[] = [];
    const times = { settleMs: settleSeconds * 1_000, quietMs: quietSeconds * 1_000 };
    const numbers = SHARES.slice(0, sizes).map((share) => Math.max(1, Math.round(clusters * share)));
    for (const number of numbers.toReversed()) {
      try {
        found.push(await onControlPlane(signal, number, times));
      } catch (error) {
        // Half an hour may have gone into the smaller numbers: they are told all the same.
        if (found.length === 0) throw error;
        const ended = { clusters: number, why: error instanceof Error ? error.message : String(error) };
        return scaleReport(found, { settleSeconds, quietSeconds }, ended);
      }
    }
    return scaleReport(found, { settleSeconds, quietSeconds });
  },
});

interface Times {
  readonly settleMs: number;
  readonly quietMs: number;
}

/** Each number of clusters has an API server that nobody used before. */
async function onControlPlane(signal: AbortSignal, clusters: number, times: Times): Promise<ScaleFindings> {
  const plane = await startControlPlane();
  try {
    const work = async (session: Session) => measure({ session, plane, clusters }, times);
    return await withSession(signal, work, plane);
  } finally {
    await plane.stop();
  }
}

interface Place {
  readonly session: Session;
  readonly plane: ControlPlane;
  readonly clusters: number;
}

async function measure({ session, plane, clusters }: Place, times: Times): Promise<ScaleFindings> {
  await plane.kubectl.run(["create", "--filename", crds]);
  // Of a resource that has no conditions yet, `kubectl wait` says at once that it cannot read them.
  const isEstablished = async (): Promise<Readiness> => {
    await plane.kubectl.run(["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"]);
    return ready;
  };
  await waitUntil("the resource", isEstablished, { timeoutMs: ESTABLISHED_TIMEOUT_MS, everyMs: 1_000 });
  const namespaces = await createNamespaces(plane, clusters);
  const heapMib = Math.max(HEAP_MIB, HEAP_OF_ONE_MIB * clusters);
  const kind = { image: "simulated", heapMib, watchNamespace: "" } as const;
  const newOperator = await newOperators(session, OPERATOR_NAMESPACE, kind);
  const operator = await newOperator("measured");
  const fleet = await simulateMembers(session, namespaces, operator);
  await operator.start();
  const reader = await AuditReader.fromNow(plane.auditLog);
  const scene = { session, operator, reader, fleet, clusters };
  const created = await measureCreation(scene, times);
  const quiet = await measureQuiet(scene, times);
  const metrics = await operator.metrics();
  const restart = await measureRestart(session, { operator, reader, clusters, afterMs: times.quietMs });
  say(`restarted with ${clusters} clusters; changing all of them`);
  const changedMs = await measureChange(scene);
  await fleet.check();
  const reconciles = [0.5, 0.99].map((share) => quantile(metrics, RECONCILE_SECONDS, share));
  const [p50, p99] = reconciles.map((seconds) => seconds && seconds * 1_000);
  return { clusters, heapMib, ...created, ...quiet, restart, changedMs, reconcileMs: { p50, p99 } };
}

async function createNamespaces({ kubectl }: ControlPlane, clusters: number) {
  const namespaceOf = (number: number) => `chains-${Math.floor(number / CLUSTERS_OF_ONE_NAMESPACE)}`;
  const numbers = Array.from({ length: clusters }, (_, number) => number);
  const names = new Set([OPERATOR_NAMESPACE, ...numbers.map(namespaceOf)]);
  const manifests = [...names].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } }));
  const input = JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests });
  await kubectl.run(["create", "--filename", "-"], { input });
  return { scope: {}, namespaceOf };
}

const RECONCILE_SECONDS = "controller_runtime_reconcile_time_seconds";

interface Scene {
  readonly session: Session;
  readonly operator: OwnOperator;
  readonly reader: AuditReader;
  readonly fleet: Fleet;
  readonly clusters: number;
}

async function measureCreation({ session, operator, reader, fleet, clusters }: Scene, { settleMs }: Times) {
  const own = ({ user }: AuditedRequest) => user === operator.user;
  const processorBeforeMs = await processorOf(operator);
  const [startMs, startWallMs] = [performance.now(), wallMs()];
  await createAll(session, fleet, 0, clusters);
  const runningMs = await allRunning(session, fleet, clusters, startMs);
  const processorMs = (await processorOf(operator)) - processorBeforeMs;
  say(`all ${clusters} clusters are Running`);
  await pause(settleMs, session);
  const requests = await reader.next(own);
  const childrenMs = Math.max(...requests.filter(isChild).map((one) => one.finishedMs)) - startWallMs;
  return { childrenMs, runningMs, processorMs, creation: requests, memory: await memoryOf(operator) };
}

async function measureQuiet({ session, operator, reader }: Scene, { quietMs }: Times) {
  const processorBeforeMs = await processorOf(operator);
  await pause(quietMs, session);
  const quiet = await reader.next(({ user }) => user === operator.user);
  return { quiet, quietProcessorMs: (await processorOf(operator)) - processorBeforeMs };
}

/** An annotation of the pods: it is a new template, and no member has to be restarted for it. */
async function measureChange({ session, operator, reader, fleet, clusters }: Scene) {
  const { items } = await session.api.list(kinds.cluster, {});
  const change = { spec: { pod: { annotations: { "example.com/asked": "change" } } } };
  const startMs = wallMs();
  await inLanes(FEW, items, async ({ metadata: { namespace = "", name, uid = "" } }) => {
    await session.api.patch(kinds.cluster, { namespace, name }, change, { uid });
  });
  const changedAtMs = new Map<string, number>();
  const areDone = async () => {
    await fleet.check();
    const requests = await reader.next(({ user }) => user === operator.user);
    for (const { verb, resource, subresource, name = "", code, finishedMs } of requests) {
      const isWritten = verb === "update" && resource === "statefulsets" && !subresource && code < 300;
      if (isWritten && !changedAtMs.has(name)) changedAtMs.set(name, finishedMs);
    }
    return changedAtMs.size === clusters || undefined;
  };
  const done = await pollUntil(areDone, { everyMs: 250, timeoutMs: CHANGED_TIMEOUT_MS }, session);
  return done && Math.max(...changedAtMs.values()) - startMs;
}
