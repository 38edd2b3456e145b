import { join } from "node:path";
import { type Readiness, ready, waitUntil } from "../../local-cluster/wait.ts";
import { campaignOfProcesses } from "../campaign.ts";
import { startControlPlane } from "../control-plane.ts";
import { quantile } from "../histogram.ts";
import { bareSide, heapFor, ownSide } from "../own-side.ts";
import { rabbitmqResource, rabbitmqSide } from "../rabbitmq-side.ts";
import { measureCreation, measurePhases, type Place, type Times } from "../scale-phases.ts";
import { type Session, withSession } from "../session.ts";
import type { Beside, ScaleFindings } from "./scale-facts.ts";
import { scaleReport } from "./scale-report.ts";

const crds = join(import.meta.dirname, "../../../crds");
const OPERATOR_NAMESPACE = "scale";
/** Kubernetes' own controllers look through all budgets of a namespace at every change of a pod in it. */
const CLUSTERS_OF_ONE_NAMESPACE = 10;
const ESTABLISHED_TIMEOUT_MS = 120_000;
const SHARES = [1, 0.5, 0.1];
const RECONCILE_SECONDS = "controller_runtime_reconcile_time_seconds";

/** One operator with more and more clusters whose members are simulated, and another operator beside. */
export const scale = campaignOfProcesses({
  name: "scale",
  about: "one operator with many clusters of simulated members, on an API server of its own without kubelet",
  options: {
    clusters: { full: 1_000, short: 5, about: "clusters of 3 simulated members, the most at once" },
    sizes: { full: 3, short: 1, about: "numbers of clusters: that many; half of it, too; a tenth, too" },
    "beside-up-to": {
      full: 100,
      short: 0,
      about: "with no more clusters, RabbitMQ's operator is measured, too",
    },
    "settle-seconds": { full: 120, short: 5, about: "quiet time before memory is read" },
    "quiet-seconds": { full: 60, short: 10, about: "how long nothing happens then" },
  },
  async run({ signal }, options) {
    const { clusters, sizes, "settle-seconds": settleSeconds, "quiet-seconds": quietSeconds } = options;
    const found: ScaleFindings[] = [];
    const times = { settleMs: settleSeconds * 1_000, quietMs: quietSeconds * 1_000 };
    const numbers = SHARES.slice(0, sizes).map((share) => Math.max(1, Math.round(clusters * share)));
    for (const number of numbers.toReversed()) {
      try {
        const ours = await onControlPlane(signal, number, async (place) => measureOwn(place, times));
        const isBeside = number <= options["beside-up-to"];
        found.push({ ...ours, beside: isBeside ? await measureBeside(signal, number, times) : undefined });
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

/** Each operator and number of clusters has an API server that nobody used before. */
async function onControlPlane<T>(
  signal: AbortSignal,
  clusters: number,
  work: (place: Place) => Promise<T>,
): Promise<T> {
  const plane = await startControlPlane();
  try {
    return await withSession(
      signal,
      async (session) => {
        await createNamespaces(session, clusters);
        return work({ session, plane, clusters, namespaceOf });
      },
      plane,
    );
  } finally {
    await plane.stop();
  }
}

const namespaceOf = (number: number) => `chains-${Math.floor(number / CLUSTERS_OF_ONE_NAMESPACE)}`;

async function createNamespaces({ kubectl }: Session, clusters: number): Promise<void> {
  const numbers = Array.from({ length: clusters }, (_, number) => number);
  const names = new Set([OPERATOR_NAMESPACE, ...numbers.map(namespaceOf)]);
  const manifests = [...names].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } }));
  const input = JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests });
  await kubectl.run(["create", "--filename", "-"], { input });
}

async function measureOwn(place: Place, times: Times): Promise<Omit<ScaleFindings, "beside">> {
  const { clusters, session } = place;
  await createResource(session, crds);
  const side = await ownSide(place, OPERATOR_NAMESPACE);
  const { settledMs, metrics, ...phases } = await measurePhases(place, side, times);
  const reconciles = [0.5, 0.99].map((share) => quantile(metrics, RECONCILE_SECONDS, share));
  const [p50, p99] = reconciles.map((seconds) => seconds && seconds * 1_000);
  return { clusters, heapMib: heapFor(clusters), ...phases, runningMs: settledMs, reconcileMs: { p50, p99 } };
}

/** Nothing runs the members of the other operator, so this one has to make its objects without as well. */
async function measureBeside(signal: AbortSignal, clusters: number, times: Times): Promise<Beside> {
  const bare = await onControlPlane(signal, clusters, async (place) => {
    await createResource(place.session, crds);
    return measureCreation(place, await bareSide(place, OPERATOR_NAMESPACE), times);
  });
  const theirs = await onControlPlane(signal, clusters, async (place) => {
    await createResource(place.session, await rabbitmqResource());
    const side = await rabbitmqSide(place, OPERATOR_NAMESPACE);
    const { settledMs: _, metrics: _all, ...phases } = await measurePhases(place, side, times);
    return { clusters, ...phases };
  });
  return { bare, theirs };
}

async function createResource({ kubectl }: Session, folder: string): Promise<void> {
  await kubectl.run(["create", "--filename", folder]);
  // Of a resource that has no conditions yet, `kubectl wait` says at once that it cannot read them.
  const isEstablished = async (): Promise<Readiness> => {
    await kubectl.run(["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"]);
    return ready;
  };
  await waitUntil("the resource", isEstablished, { timeoutMs: ESTABLISHED_TIMEOUT_MS, everyMs: 1_000 });
}
