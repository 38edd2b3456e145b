import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { toolEnvironment } from "./command.ts";
import { ready, waitUntil } from "./wait.ts";

/** A process id alone is not an identity: ids are used again. With boot and start time it is. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between boot and the start of the process. */
  readonly startTicks: number;
  readonly bootId: string;
}

/** Answers undefined for a process that does not exist or is a zombie. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  const parsed = stat === undefined ? undefined : parseStat(stat);
  if (!parsed || parsed.state === "Z" || parsed.state === "X") return undefined;
  return { pid, startTicks: parsed.startTicks, bootId: bootId() };
}

export function isAlive(target: ProcessIdentity): boolean {
  const now = identityOf(target.pid);
  return now !== undefined && now.startTicks === target.startTicks && now.bootId === target.bootId;
}

/** The program name in the second field may hold spaces and brackets, so fields count from the last bracket. */
export function parseStat(stat: string): { readonly state: string; readonly startTicks: number } | undefined {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, startTicks] = [fields[0], Number(fields[19])];
  return state !== undefined && Number.isSafeInteger(startTicks) ? { state, startTicks } : undefined;
}

/** Starts a program that outlives this one, with both outputs appended to a log file. */
export function startDetached(program: string, args: readonly string[], logFile: string): ProcessIdentity {
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, "a", 0o600);
  try {
    const child = spawn(program, [...args], {
      detached: true,
      cwd: "/",
      env: toolEnvironment(),
      stdio: ["ignore", log, log],
    });
    // The same failure shows as a missing pid below.
    child.on("error", () => {});
    child.unref();
    const identity = child.pid === undefined ? undefined : identityOf(child.pid);
    if (!identity) throw new Error(`${program} could not be started, see ${logFile}`);
    return identity;
  } finally {
    closeSync(log);
  }
}

/** Signals only the very process that was recorded. */
export function signal(target: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isAlive(target)) return;
  try {
    process.kill(target.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** SIGTERM, and SIGKILL after the grace time. */
export async function stop(target: ProcessIdentity, graceMs = 5_000): Promise<void> {
  const ended = async () => (isAlive(target) ? `process ${target.pid} still runs` : ready);
  signal(target, "SIGTERM");
  try {
    await waitUntil(`end of process ${target.pid}`, ended, { timeoutMs: graceMs, everyMs: 20 });
  } catch {
    signal(target, "SIGKILL");
    await waitUntil(`end of process ${target.pid}`, ended, { timeoutMs: 5_000, everyMs: 20 });
  }
}

function bootId(): string {
  return (readProc("/proc/sys/kernel/random/boot_id") ?? "unknown").trim();
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
