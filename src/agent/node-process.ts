import { readdir, readFile } from "node:fs/promises";
import { homeArg } from "../evnode/member-command.ts";
import { isAbsent } from "./disk.ts";

/** The processes of a pod that shares them among its containers. */
const PROCESSES = "/proc";

/** Asks ev-node to end: kubelet starts its container again, which reads its config anew. True when it was there. */
export async function stopNode(home: string): Promise<boolean> {
  const found = await processesWith(homeArg(home));
  for (const pid of found) process.kill(pid, "SIGTERM");
  return found.length > 0;
}

/** Each process of ev-node, by a name that no later one has: its pid, and when it was started. */
export async function nodeProcesses(home: string): Promise<readonly string[]> {
  const found = await processesWith(homeArg(home));
  const names = await Promise.all(
    found.map(async (pid) => {
      const startedAt = await startOf(pid);
      return startedAt === undefined ? [] : [`${pid} started at ${startedAt}`];
    }),
  );
  return names.flat();
}

/** As its container sees its own control group, by version 2 or 1 of them. */
const CPU_STAT = ["sys/fs/cgroup/cpu.stat", "sys/fs/cgroup/cpu/cpu.stat"];

/**
 * What the kernel counts of ev-node's CPU limit. A process of the same user may look into the root of another one's
 * file system; where it may not, it is unknown.
 */
export async function nodeCpuStat(home: string): Promise<string | undefined> {
  const [pid] = await processesWith(homeArg(home));
  if (pid === undefined) return undefined;
  const texts = await Promise.all(CPU_STAT.map((path) => readOf(String(pid), `root/${path}`)));
  return texts.find((text) => text !== undefined);
}

async function processesWith(argument: string): Promise<readonly number[]> {
  const pids = (await readdir(PROCESSES)).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => ((await argumentsOf(pid)).includes(argument) ? [Number(pid)] : [])),
  );
  return found.flat();
}

async function argumentsOf(pid: string): Promise<readonly string[]> {
  return (await readOf(pid, "cmdline"))?.split("\0") ?? [];
}

/** In ticks since the machine was started: field 22 of proc_pid_stat(5). */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readOf(String(pid), "stat");
  // Field 2 is the program's name in brackets, which may hold brackets and spaces itself.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[22 - 3];
}

/** Undefined for a process that ended meanwhile, or that another user owns. */
async function readOf(pid: string, file: string): Promise<string | undefined> {
  try {
    return await readFile(`${PROCESSES}/${pid}/${file}`, "utf8");
  } catch (error) {
    if (isAbsent(error) || isGone(error)) return undefined;
    throw error;
  }
}

const isGone = (error: unknown) =>
  error instanceof Error && "code" in error && (error.code === "ESRCH" || error.code === "EACCES");
