import pRetry from "p-retry";
import { actAll } from "./act/act.ts";
import { Events } from "./act/events.ts";
import { Gathering } from "./act/gathering.ts";
import { ProgressRation } from "./act/progress-ration.ts";
import { report } from "./act/report.ts";
import { type Config, readConfig } from "./config.ts";
import { findCredentials } from "./kube/credentials.ts";
import type { Leadership } from "./kube/leadership.ts";
import { LeaderElection } from "./kube/lease.ts";
import { createKubeApi, type KubeClient } from "./kube/node-client.ts";
import { kinds } from "./model/kinds.ts";
import { keyOf } from "./model/kube-object.ts";
import { newAgentClient } from "./observe/agent-client.ts";
import { Agents } from "./observe/agents.ts";
import { followPod } from "./observe/follow-pod.ts";
import { observe } from "./observe/observe.ts";
import { World } from "./observe/world.ts";
import { makePlan } from "./plan/plan.ts";
import { newReconcile } from "./reconcile.ts";
import { systemClock as clock } from "./runtime/clock.ts";
import { Controller, type Finished } from "./runtime/controller.ts";
import { Queue } from "./runtime/queue.ts";
import { systemRandom as random } from "./runtime/random.ts";
import { logFinished, logOutcome, stuck } from "./telemetry/controller-log.ts";
import { serveHealth } from "./telemetry/health.ts";
import { type Logger, newLogger } from "./telemetry/log.ts";
import { VERSION } from "./version.ts";
import { Watches } from "./watches.ts";

/** One reconcile may take this long: a few API calls, each with a deadline of its own. */
const RECONCILE_DEADLINE_MS = 120_000;

/** Running reconciles get this long to end when the operator stops; Kubernetes kills it after 30 s. */
const STOP_GRACE_MS = 10_000;

/** Runs the operator until the signal aborts. Returns the exit code. */
export async function runOperator(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<number> {
  const reading = readConfig(args, env);
  if (reading.kind === "problems") {
    console.error(
      `The operator cannot start:\n${reading.problems.map((problem) => `  ${problem}`).join("\n")}`,
    );
    return 2;
  }
  const { config } = reading;
  const log = newLogger(config.logLevel);
  const api = createKubeApi({ credentials: findCredentials({ clock, env }), clock, version: VERSION });
  return runWith(config, log, api, signal);
}

async function runWith(config: Config, log: Logger, api: KubeClient, signal: AbortSignal): Promise<number> {
  const queue = new Queue({ clock });
  const agentClient = newAgentClient();
  const agents = new Agents(agentClient.ask, clock, random, (key) => queue.add(key));
  const term: Term = { leadership: undefined };
  const watches = new Watches({
    api,
    clock,
    random,
    log,
    namespace: config.watchNamespace,
    onChange: (key) => queue.add(key),
    onPod: (pod, isGone) => term.leadership && followPod(agents, pod, isGone),
  });
  const controller = newController(config, log, api, { queue, agents, watches, term });
  const health = await serveHealth(config.healthPort, {
    live: () => stuck(controller),
    ready: () => (watches.hasSynced ? [] : ["the watches have not delivered everything yet"]),
  });
  const kubernetes = await pRetry(() => api.serverVersion(), { retries: 5, signal });
  log.info({ version: VERSION, kubernetes, namespace: config.watchNamespace ?? "all" }, "operator starts");
  if (isTooOld(kubernetes))
    throw new Error(`Kubernetes is ${kubernetes}, expected 1.29 or newer: agents are native sidecars`);
  const stopWatching = new AbortController();
  const watching = watches.run(stopWatching.signal);
  try {
    await Promise.race([watches.synced(), aborted(signal)]);
    return await lead(config, log, api, { queue, agents, watches, term }, controller, signal);
  } finally {
    stopWatching.abort(new Error("the operator stops"));
    await watching;
    await agents.stop();
    agentClient.close();
    health.close();
    api.close();
    log.info("operator stopped");
  }
}

function isTooOld(version: string): boolean {
  const [, major = "0", minor = "0"] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) === 1 && Number(minor) < 29;
}

/** Waits for leadership, works until the signal aborts or leadership is lost, and gives it back. */
async function lead(
  config: Config,
  log: Logger,
  api: KubeClient,
  { agents, watches, term }: Parts,
  controller: Controller,
  signal: AbortSignal,
): Promise<number> {
  const election = new LeaderElection({
    api,
    lease: { namespace: config.namespace, name: "evnode-operator" },
    // A pod runs one process at a time, so one that was killed takes its own Lease up again at once.
    identity: config.identity,
    clock,
    random,
    onFailure: (error) => log.warn({ reason: error.message }, "the Lease was not written"),
  });
  const leadership = await election.acquire(signal);
  if (!leadership) return 0;

  log.info("this operator leads");
  term.leadership = leadership;
  for (const pod of watches.all(kinds.pod)) followPod(agents, pod, false);
  controller.start();
  await Promise.race([aborted(signal), aborted(leadership.signal)]);
  const isLost = !signal.aborted;
  const left = await controller.stop(isLost ? 0 : STOP_GRACE_MS);
  if (left.length > 0) log.warn({ clusters: left }, "stopped in the middle of a reconcile");
  term.leadership = undefined;
  await leadership.release();
  if (isLost) log.error({ reason: String(leadership.signal.reason) }, "leadership was lost");
  return isLost ? 1 : 0;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** While it holds a leadership, this process may write. */
interface Term {
  leadership: Leadership | undefined;
}

interface Parts {
  readonly queue: Queue;
  readonly agents: Agents;
  readonly watches: Watches;
  readonly term: Term;
}

function newController(
  config: Config,
  log: Logger,
  api: KubeClient,
  { queue, agents, watches, term }: Parts,
): Controller {
  const world = new World(api, watches.stores, clock);
  const settings = {
    agentImage: config.agentImage,
    clusterDomain: config.clusterDomain,
    operatorNamespace: config.namespace,
  };
  const mayWrite = (signal: AbortSignal) => () =>
    !signal.aborted && (term.leadership?.stillLeading() ?? false);
  const ration = new ProgressRation(clock);
  const gathering = new Gathering(clock);
  const onLost = (why: string) => log.warn({ why }, "an event was lost");
  const events = new Events({ api, clock, random, instance: config.identity, onLost });
  const told = { api, world, events, ration, gathering };
  const reconcile = newReconcile({
    observe: (namespace, name) => observe({ world, agents, settings, clock }, namespace, name),
    plan: makePlan,
    act: async (snapshot, plan, signal) => {
      const outcome = await actAll({ api, world, random, mayWrite: mayWrite(signal) }, snapshot, plan);
      logOutcome(log, keyOf(snapshot.cluster.metadata), outcome);
      return outcome;
    },
    report: (snapshot, plan, outcome, signal) =>
      report({ ...told, mayWrite: mayWrite(signal) }, snapshot, plan, outcome),
    reportDueInMs: (key) => Math.min(ration.dueInMs(key), gathering.dueInMs(key)),
    forget: (key) => {
      ration.forget(key);
      gathering.end(key);
      events.forget(key);
      world.forgetCluster(key);
    },
  });
  const onFinished = (key: string, how: Finished) => logFinished(log, key, how);
  return new Controller({
    queue,
    reconcile,
    clock,
    workers: config.workers,
    deadlineMs: RECONCILE_DEADLINE_MS,
    onFinished,
  });
}
