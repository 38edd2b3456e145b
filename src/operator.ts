import pRetry from "p-retry";
import { type Config, readConfig } from "./config.ts";
import { AccessReviews } from "./kube/access-reviews.ts";
import { findCredentials } from "./kube/credentials.ts";
import { type CallRecord, createKubeApi, type KubeClient } from "./kube/node-client.ts";
import { newAgentClient } from "./observe/agent-client.ts";
import { askOldSequencer } from "./observe/old-sequencer-client.ts";
import { OperatorProcess } from "./operator-process.ts";
import { makePlan } from "./plan/plan.ts";
import { systemClock as clock } from "./runtime/clock.ts";
import { systemRandom as random } from "./runtime/random.ts";
import { serveHealth } from "./telemetry/health.ts";
import { type Logger, newLogger } from "./telemetry/log.ts";
import { certificateSource } from "./telemetry/metrics-certificate.ts";
import { METRICS_PATH, serveMetrics } from "./telemetry/metrics-server.ts";
import { OperatorMetrics, type ProcessFigures } from "./telemetry/operator-metrics.ts";
import { VERSION } from "./version.ts";

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
  const metrics = new OperatorMetrics(VERSION);
  const credentials = findCredentials({ clock, env });
  const onCall = (call: CallRecord) => metrics.called(call);
  const api = createKubeApi({ credentials, clock, version: VERSION, onCall });
  return runWith({ config, log, api, metrics }, signal);
}

interface Parts {
  readonly config: Config;
  readonly log: Logger;
  readonly api: KubeClient;
  readonly metrics: OperatorMetrics;
}

async function runWith({ config, log, api, metrics }: Parts, signal: AbortSignal): Promise<number> {
  const agentClient = newAgentClient();
  const { ask, askBlock } = agentClient;
  const ports = { api, ask, askBlock, askOldSequencer, clock, random };
  const operator = new OperatorProcess({ config, log, ...ports, plan: makePlan, metrics });
  const health = await serveHealth(config.healthPort, {
    live: () => operator.stuck(),
    ready: () => (operator.hasSynced ? [] : ["the watches have not delivered everything yet"]),
  });
  let closeMetrics = () => {};
  // Whatever fails, nothing is left open: a process that answers its probes and does nothing would stay for ever.
  try {
    closeMetrics = await startMetrics({ config, log, api, metrics });
    const kubernetes = await pRetry(() => api.serverVersion(), { retries: 5, signal });
    log.info({ version: VERSION, kubernetes, namespace: config.watchNamespace ?? "all" }, "operator starts");
    if (isTooOld(kubernetes))
      throw new Error(`Kubernetes is ${kubernetes}, expected 1.29 or newer: agents are native sidecars`);
    return await operator.run(signal);
  } finally {
    agentClient.close();
    health.close();
    closeMetrics();
    api.close();
    log.info("operator stopped");
  }
}

/** Serves the metrics as the config says. Returns what ends that. */
async function startMetrics({ config, log, api, metrics }: Parts): Promise<() => void> {
  if (config.metricsPort === 0) return () => {};
  const isGuarded = config.metricsAccess === "kubernetes";
  const reviews = new AccessReviews({ api, clock, path: METRICS_PATH });
  return serveMetrics({
    port: config.metricsPort,
    host: config.metricsAccess === "loopback" ? "127.0.0.1" : undefined,
    page: {
      contentType: metrics.contentType,
      text: () => metrics.text(processFigures(), () => clock.sleep(0)),
    },
    tls: isGuarded ? certificateSource(config.metricsCertFolder, clock) : undefined,
    access: isGuarded ? (token) => reviews.verdict(token) : undefined,
    clock,
    log,
  });
}

function processFigures(): ProcessFigures {
  const { user, system } = process.cpuUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
    startedAtMs: performance.timeOrigin,
  };
}

function isTooOld(version: string): boolean {
  const [, major = "0", minor = "0"] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) === 1 && Number(minor) < 29;
}
