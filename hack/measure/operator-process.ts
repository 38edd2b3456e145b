import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { closedPort } from "../../test/agent/servers.ts";
import { answersOk } from "./answers-ok.ts";
import { type Memory, memoryOfProcess, processorMs } from "./process-memory.ts";
import { pollUntil, type Session } from "./session.ts";

/** An operator as a process of this machine, which can be started and killed at any moment. */
export interface OperatorProcess {
  /** As the API server knows it. */
  readonly user: string;
  readonly pid: number | undefined;
  /** False once the process has ended, by itself or not. */
  readonly isRunning: boolean;
  /** Starts it, and answers once it says that it is ready. */
  start(): Promise<StartTimes>;
  kill(): Promise<void>;
  /** SIGTERM, as Kubernetes stops it. */
  stop(): Promise<void>;
  /** What it tells Prometheus now. */
  metrics(): Promise<string>;
  /** Throws, with the end of its log, when it does not run. */
  check(): Promise<void>;
}

export interface StartTimes {
  readonly spawnedAtMs: number;
  readonly readyAfterMs: number;
}

interface ProcessOptions {
  readonly user: string;
  readonly program: string;
  readonly args: (ports: Ports) => readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
}

interface Ports {
  readonly health: number;
  readonly metrics: number;
}

/** Generous, because the machine may be busy. */
const READY_TIMEOUT_MS = 300_000;
const STOP_TIMEOUT_MS = 40_000;

/** It is stopped at the end of the session. */
export async function newOperatorProcess(
  session: Session,
  options: ProcessOptions,
): Promise<OperatorProcess> {
  const ports = { health: await closedPort(), metrics: await closedPort() };
  const operator = new SpawnedOperator(session, options, ports);
  session.atEnd(`operator process of ${options.logFile}`, async () => operator.stop());
  return operator;
}

export async function memoryOf({ pid }: OperatorProcess): Promise<Memory> {
  if (pid === undefined) throw new Error("the operator does not run");
  return memoryOfProcess(pid);
}

export async function processorOf({ pid }: OperatorProcess): Promise<number> {
  if (pid === undefined) throw new Error("the operator does not run");
  return processorMs(pid);
}

class SpawnedOperator implements OperatorProcess {
  readonly #session: Session;
  readonly #options: ProcessOptions;
  readonly #ports: Ports;
  #child: ChildProcess | undefined;

  constructor(session: Session, options: ProcessOptions, ports: Ports) {
    this.#session = session;
    this.#options = options;
    this.#ports = ports;
  }

  get user(): string {
    return this.#options.user;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async start(): Promise<StartTimes> {
    const { program, args, logFile, env } = this.#options;
    const log = openSync(logFile, "a", 0o600);
    const startMs = performance.now();
    const spawnedAtMs = Date.now();
    const environment = { PATH: process.env["PATH"] ?? "", ...env };
    const child = spawn(program, args(this.#ports), { env: environment, stdio: ["ignore", log, log] });
    closeSync(log);
    this.#child = child;
    const ready = async () => {
      if (child.exitCode !== null)
        throw new Error(`the operator ended at its start: ${await this.#lastWords()}`);
      return answersOk(this.#ports.health, "/readyz");
    };
    const isUp = await pollUntil(ready, { everyMs: 10, timeoutMs: READY_TIMEOUT_MS }, this.#session);
    if (!isUp) throw new Error(`the operator is not ready: ${await this.#lastWords()}`);
    return { spawnedAtMs, readyAfterMs: performance.now() - startMs };
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async metrics(): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.#ports.metrics}/metrics`);
    if (!response.ok) throw new Error(`the operator's metrics: status ${response.status}`);
    return response.text();
  }

  async check(): Promise<void> {
    if (!this.isRunning) throw new Error(`the operator ended by itself: ${await this.#lastWords()}`);
  }

  async #lastWords(): Promise<string> {
    return (await readFile(this.#options.logFile, "utf8")).trimEnd().split("\n").slice(-3).join("\n");
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
