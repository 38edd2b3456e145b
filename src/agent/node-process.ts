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

async function processesWith(argument: string): Promise<readonly number[]> {
  const pids = (await readdir(PROCESSES)).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => ((await argumentsOf(pid)).includes(argument) ? [Number(pid)] : [])),
  );
  return found.flat();
}

/** None for a process that ended meanwhile, or that another user owns. */
async function argumentsOf(pid: string): Promise<readonly string[]> {
  try {
    return (await readFile(`${PROCESSES}/${pid}/cmdline`, "utf8")).split("\0");
  } catch (error) {
    if (isAbsent(error) || isGone(error)) return [];
    throw error;
  }
}

const isGone = (error: unknown) =>
  error instanceof Error && "code" in error && (error.code === "ESRCH" || error.code === "EACCES");
