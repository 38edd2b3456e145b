import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { closedPort } from "../../test/agent/servers.ts";
import { bundle } from "../bundle.ts";
import { command } from "../local-cluster/command.ts";
import { provideHelm } from "../local-cluster/helm.ts";
import { youngFlag } from "../operator-image.ts";
import { answersOk } from "./answers-ok.ts";
import { fenceNamespace } from "./fence.ts";
import { operatorImage } from "./provide-cluster.ts";
import { pollUntil, type Session } from "./session.ts";

/**
 * The operator as a process of this machine, with the rights that the chart gives it and no others. It can be
 * started and killed at any moment, and reaches what listens on this machine.
 */
export interface OwnOperator {
  /** As the API server knows it. */
  readonly user: string;
  readonly pid: number | undefined;
  /** False once the process has ended, by itself or not. */
  readonly isRunning: boolean;
  /** Starts it, and answers once it is ready: when all watches have delivered. */
  start(): Promise<StartTimes>;
  kill(): Promise<void>;
  /** SIGTERM, as Kubernetes stops it. */
  stop(): Promise<void>;
  /** What it tells Prometheus now. */
  metrics(): Promise<string>;
  /** The end of its log. */
  lastWords(): Promise<string>;
}

export interface StartTimes {
  readonly spawnedAtMs: number;
  readonly readyAfterMs: number;
}

const root = join(import.meta.dirname, "../..");
const release = "evnode-operator";
/** What the chart's memory limit of 256 MiB and the image's flag of 75 % come down to; its other flags are the image's. */
export const HEAP_MIB = 192;
/** Generous, because the machine may be busy. */
const READY_TIMEOUT_MS = 300_000;
const STOP_TIMEOUT_MS = 40_000;

export async function provideOwnOperator(session: Session, namespace: string): Promise<OwnOperator> {
  const newOperator = await provideOwnOperators(session, namespace);
  return newOperator("measured");
}

/** Makes operators of the same namespace, each under a name of its own: one of them holds the lease. */
export async function provideOwnOperators(session: Session, namespace: string): Promise<NewOperator> {
  await fenceNamespace(session, namespace);
  return newOperators(session, namespace, {
    image: await operatorImage(session.kubectl),
    heapMib: HEAP_MIB,
    watchNamespace: namespace,
  });
}

type NewOperator = (name: string) => Promise<OwnOperator>;

interface OwnOperatorOptions {
  /** Of the agents. */
  readonly image: string;
  readonly heapMib: number;
  /** Empty for all. */
  readonly watchNamespace: string;
}

/** The same where no operator is installed. */
export async function newOperators(
  session: Session,
  namespace: string,
  { image, heapMib, watchNamespace }: OwnOperatorOptions,
): Promise<NewOperator> {
  const folder = await mkdtemp(join(tmpdir(), "measure-operator-"));
  session.atEnd(`folder ${folder}`, async () => rm(folder, { recursive: true, force: true }));
  await bundle(join(folder, "dist"));
  await grantRights(session, namespace, watchNamespace);
  const kubeconfig = join(folder, "kubeconfig");
  await writeKubeconfig(session, namespace, kubeconfig);
  return async (name) => {
    const operator = new OperatorProcess(session, {
      namespace,
      watchNamespace,
      heapMib,
      program: join(folder, "dist/main.js"),
      logFile: join(folder, `${name}.log`),
      healthPort: await closedPort(),
      metricsPort: await closedPort(),
      env: { KUBECONFIG: kubeconfig, POD_NAME: name, POD_NAMESPACE: namespace, AGENT_IMAGE: image },
    });
    session.atEnd(`own operator ${name}`, async () => operator.stop());
    return operator;
  };
}

/** The chart's own Roles. */
async function grantRights({ kubectl }: Session, namespace: string, watchNamespace: string): Promise<void> {
  const shown = ["templates/rbac.yaml", "templates/serviceaccount.yaml"].flatMap((file) => [
    "--show-only",
    file,
  ]);
  const set = ["--namespace", namespace, "--set", `watchNamespace=${watchNamespace}`];
  const manifests = await command(await provideHelm(), [
    "template",
    release,
    join(root, "helm"),
    ...set,
    ...shown,
  ]);
  await kubectl.run(["apply", "--filename", "-"], { input: manifests });
}

const kubeconfigSchema = z.looseObject({
  clusters: z.array(z.looseObject({ name: z.string() })),
  contexts: z.array(z.looseObject({ name: z.string(), context: z.looseObject({ cluster: z.string() }) })),
  "current-context": z.string(),
});

/** The same server with a token of the operator's service account. */
async function writeKubeconfig(
  { kubectl, kubeconfig }: Session,
  namespace: string,
  file: string,
): Promise<void> {
  const duration = "--duration=8h";
  const token = (await kubectl.run(["create", "token", release, "--namespace", namespace, duration])).trim();
  const given = kubeconfigSchema.parse(parse(await readFile(kubeconfig, "utf8")));
  const context = given.contexts.find(({ name }) => name === given["current-context"])?.context;
  if (!context) throw new Error(`${kubeconfig} has no current context`);
  const content = stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: given.clusters.filter(({ name }) => name === context.cluster),
    users: [{ name: "operator", user: { token } }],
    contexts: [{ name: "operator", context: { cluster: context.cluster, user: "operator" } }],
    "current-context": "operator",
  });
  await writeFile(file, content, { mode: 0o600 });
}

interface ProcessOptions {
  readonly namespace: string;
  /** Empty for all. */
  readonly watchNamespace: string;
  readonly heapMib: number;
  readonly program: string;
  readonly logFile: string;
  readonly healthPort: number;
  readonly metricsPort: number;
  readonly env: Readonly<Record<string, string>>;
}

class OperatorProcess implements OwnOperator {
  readonly user: string;
  readonly #session: Session;
  readonly #options: ProcessOptions;
  #child: ChildProcess | undefined;

  constructor(session: Session, options: ProcessOptions) {
    this.user = `system:serviceaccount:${options.namespace}:${release}`;
    this.#session = session;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async start(): Promise<StartTimes> {
    const { logFile, healthPort, env } = this.#options;
    const args = argumentsOf(this.#options);
    const log = openSync(logFile, "a", 0o600);
    const startMs = performance.now();
    const spawnedAtMs = Date.now();
    const environment = { PATH: process.env["PATH"] ?? "", NODE_ENV: "production", ...env };
    const child = spawn(process.execPath, args, { env: environment, stdio: ["ignore", log, log] });
    closeSync(log);
    this.#child = child;
    const ready = async () => {
      if (child.exitCode !== null) throw new Error(`the operator ended at its start: ${await tail(logFile)}`);
      return answersOk(healthPort, "/readyz");
    };
    const isUp = await pollUntil(ready, { everyMs: 10, timeoutMs: READY_TIMEOUT_MS }, this.#session);
    if (!isUp) throw new Error(`the operator is not ready: ${await tail(logFile)}`);
    return { spawnedAtMs, readyAfterMs: performance.now() - startMs };
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async metrics(): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.#options.metricsPort}/metrics`);
    if (!response.ok) throw new Error(`the operator's metrics: status ${response.status}`);
    return response.text();
  }

  async lastWords(): Promise<string> {
    return tail(this.#options.logFile);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill(signal);
    const late = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(late);
  }
}

function argumentsOf(options: ProcessOptions): readonly string[] {
  const { watchNamespace, heapMib, program, healthPort, metricsPort } = options;
  const ports = ["--health-port", String(healthPort), "--metrics-port", String(metricsPort)];
  const heap = `--max-old-space-size=${heapMib}`;
  return [
    heap,
    youngFlag,
    program,
    "run",
    "--watch-namespace",
    watchNamespace,
    ...ports,
    "--metrics-access",
    "loopback",
  ];
}

async function tail(file: string): Promise<string> {
  return (await readFile(file, "utf8")).trimEnd().split("\n").slice(-3).join("\n");
}
