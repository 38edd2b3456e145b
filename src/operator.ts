import { actAll } from "./act/act.ts";
import { Events } from "./act/events.ts";
import { ProgressRation } from "./act/progress-ration.ts";
import { report } from "./act/report.ts";
import { type Config, readConfig } from "./config.ts";
import { findCredentials } from "./kube/credentials.ts";
import { createKubeApi, type KubeClient } from "./kube/node-client.ts";
import { keyOf } from "./model/kube-object.ts";
import { followPod } from "./observe/follow-pod.ts";
import { Agents } from "./observe/agents.ts";
import { newAgentClient } from "./observe/agent-client.ts";
import { observe } from "./observe/observe.ts";
import { World } from "./observe/world.ts";
import { makePlan } from "./plan/plan.ts";
import { newReconcile } from "./reconcile.ts";
import { systemClock as clock } from "./runtime/clock.ts";
import { Controller, type Finished } from "./runtime/controller.ts";
import { Queue } from "./runtime/queue.ts";
import { systemRandom as random } from "./runtime/random.ts";
import { serveHealth } from "./telemetry/health.ts";
import { type Logger, newLogger } from "./telemetry/log.ts";
import { logFinished, logOutcome, stuck } from "./telemetry/controller-log.ts";
import { VERSION } from "./version.ts";
import { Watches } from "./watches.ts";

/** One reconcile may take this long: a few API calls, each with a deadline of its own. */
const RECONCILE_DEADLINE_MS = 120_000;

/** Running reconciles get this long to end when the operator stops; Kubernetes kills it after 30 s. */
const STOP_GRACE_MS = 10_000;

/** Runs the operator until the signal aborts. Returns the exit code. */
export async function runOperator(args: readonly string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<number> {
  const reading = readConfig(args, env);
  if (reading.kind === "problems") {
    console.error(`The operator cannot start:\n${reading.problems.map((problem) => `  ${problem}`).join("\n")}`);
    return 2;
  }
  const { config } = reading;
  const log = newLogger(config.logLevel, "evnode-operator");
  const api = createKubeApi({ credentials: findCredentials({ clock, env }), clock, version: VERSION });
  return runWith(config, log, api, signal);
}

async function runWith(config: Config, log: Logger, api: KubeClient, signal: AbortSignal): Promise<number> {
  const queue = new Queue({ clock });
  const agentClient = newAgentClient();
  const agents = new Agents(agentClient.ask, clock, random, (key) => queue.add(key));
  const watches = new Watches({
    api,
    clock,
    random,
    log,
    namespace: config.watchNamespace,
    onChange: (key) => queue.add(key),
    onPod: (pod, isGone) => followPod(agents, pod, isGone),
  });
  const controller = newController(config, log, api, { queue, agents, watches });
  const health = await serveHealth(config.healthPort, {
    live: () => [...watches.problems(), ...stuck(controller)],
    ready: () => (watches.hasSynced ? [] : ["the watches have not delivered everything yet"]),
  });
  log.info({ version: VERSION, namespace: config.watchNamespace ?? "all" }, "operator starts");
  const watching = watches.run(signal);
  await Promise.race([watches.synced(), watching]);
  controller.start();
  await watching;
  await controller.stop(STOP_GRACE_MS);
  await agents.stop();
  await agentClient.close();
  health.close();
  api.close();
  log.info("operator stopped");
  return 0;
}

interface Parts {
  readonly queue: Queue;
  readonly agents: Agents;
  readonly watches: Watches;
}

function newController(config: Config, log: Logger, api: KubeClient, { queue, agents, watches }: Parts): Controller {
  const world = new World(api, watches.stores, clock);
  const settings = {
    agentImage: config.agentImage,
    clusterDomain: config.clusterDomain,
    operatorNamespace: config.namespace,
  };
  const mayWrite = () => true;
  const ration = new ProgressRation(clock);
  const onLost = (why: string) => log.warn({ why }, "an event was lost");
  const events = new Events({ api, clock, random, instance: config.identity, onLost });
  const reconcile = newReconcile({
    observe: (namespace, name) => observe({ world, agents, settings, clock }, namespace, name),
    plan: makePlan,
    act: async (snapshot, plan) => {
      const outcome = await actAll({ api, world, random, mayWrite }, snapshot, plan);
      logOutcome(log, keyOf(snapshot.cluster.metadata), outcome);
      return outcome;
    },
    report: (snapshot, plan, outcome) => report({ api, world, events, ration, mayWrite }, snapshot, plan, outcome),
    forget: (key) => {
      ration.forget(key);
      events.forget(key);
    },
  });
  const onFinished = (key: string, how: Finished) => logFinished(log, key, how);
  return new Controller({ queue, reconcile, clock, workers: config.workers, deadlineMs: RECONCILE_DEADLINE_MS, onFinished });
}
