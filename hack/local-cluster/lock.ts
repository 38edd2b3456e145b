import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { lockFile } from "./layout.ts";
import { identityOf, isAlive, type ProcessIdentity } from "./process.ts";
import { say } from "./progress.ts";
import { ready, waitUntil } from "./wait.ts";

/** A cold start builds for many minutes, and a second one has to wait for it. */
const LOCK_TIMEOUT_MS = 40 * 60_000;

/** Runs work while no other process changes the cluster. The lock of a process that died is taken over. */
export async function withLock<T>(work: () => Promise<T>, file = lockFile): Promise<T> {
  if (!tryLock(file)) {
    say(`waiting for process ${readHolder(file)?.pid ?? "?"}, which is changing the local cluster`);
    const ask = async () => (tryLock(file) ? ready : `held by process ${readHolder(file)?.pid ?? "?"}`);
    await waitUntil(`lock ${file}`, ask, { timeoutMs: LOCK_TIMEOUT_MS, everyMs: 200 });
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

/** A hard link makes name and content appear at once, so nobody reads a lock that is half written. */
function tryLock(file: string): boolean {
  const holder = readHolder(file);
  if (holder && isAlive(holder)) return false;
  if (holder) removeStale(holder, file);
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, JSON.stringify(identityOf(process.pid)));
  try {
    return tryFile(() => linkSync(mine, file), "EEXIST");
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Another process may have replaced the dead holder's lock since it was read; that one goes back. */
function removeStale(dead: ProcessIdentity, file: string): void {
  const aside = `${file}.${process.pid}.stale`;
  if (!tryFile(() => renameSync(file, aside), "ENOENT")) return;
  const moved = JSON.parse(readFileSync(aside, "utf8")) as ProcessIdentity;
  if (moved.pid !== dead.pid || moved.startTicks !== dead.startTicks) {
    tryFile(() => linkSync(aside, file), "EEXIST");
  }
  rmSync(aside);
}

/** Answers false for the one error that means that another process was faster. */
function tryFile(work: () => void, expected: string): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === expected) return false;
    throw error;
  }
}

function readHolder(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as ProcessIdentity;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
