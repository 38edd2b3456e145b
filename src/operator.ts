import pRetry from "p-retry";
import { type Config, readConfig } from "./config.ts";
import { findCredentials } from "./kube/credentials.ts";
import { createKubeApi, type KubeClient } from "./kube/node-client.ts";
import { newAgentClient } from "./observe/agent-client.ts";
import { OperatorProcess } from "./operator-process.ts";
import { makePlan } from "./plan/plan.ts";
import { systemClock as clock } from "./runtime/clock.ts";
import { systemRandom as random } from "./runtime/random.ts";
import { serveHealth } from "./telemetry/health.ts";
import { type Logger, newLogger } from "./telemetry/log.ts";
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
  const api = createKubeApi({ credentials: findCredentials({ clock, env }), clock, version: VERSION });
  return runWith(config, log, api, signal);
}

async function runWith(config: Config, log: Logger, api: KubeClient, signal: AbortSignal): Promise<number> {
  const agentClient = newAgentClient();
  const { ask } = agentClient;
  const operator = new OperatorProcess({ config, log, api, ask, clock, random, plan: makePlan });
  const health = await serveHealth(config.healthPort, {
    live: () => operator.stuck(),
    ready: () => (operator.hasSynced ? [] : ["the watches have not delivered everything yet"]),
  });
  const kubernetes = await pRetry(() => api.serverVersion(), { retries: 5, signal });
  log.info({ version: VERSION, kubernetes, namespace: config.watchNamespace ?? "all" }, "operator starts");
  if (isTooOld(kubernetes))
    throw new Error(`Kubernetes is ${kubernetes}, expected 1.29 or newer: agents are native sidecars`);
  try {
    return await operator.run(signal);
  } finally {
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
