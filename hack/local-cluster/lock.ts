import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { lockFile } from "./layout.ts";
import { identityOf, isAlive, type ProcessIdentity } from "./process.ts";
import { say } from "./progress.ts";
import { waitUntil } from "./wait.ts";

/** A cold start builds for many minutes, and a second one has to wait for it. */
const LOCK_TIMEOUT_MS = 40 * 60_000;

/** Runs work while no other process changes the cluster. The lock of a process that died is taken over. */
export async function withLock<T>(work: () => Promise<T>): Promise<T> {
  let announced = false;
  await waitUntil(
    `lock ${lockFile}`,
    async () => {
      if (tryLock()) return "ready";
      const holder = readHolder();
      if (!announced) say(`waiting for process ${holder?.pid ?? "?"}, which is changing the local cluster`);
      announced = true;
      return `held by process ${holder?.pid ?? "?"}`;
    },
    { timeoutMs: LOCK_TIMEOUT_MS, everyMs: 200 },
  );
  try {
    return await work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

/** A hard link makes name and content appear at once, so nobody reads a lock that is half written. */
function tryLock(): boolean {
  const holder = readHolder();
  if (holder && isAlive(holder)) return false;
  if (holder) rmSync(lockFile, { force: true });
  const mine = `${lockFile}.${process.pid}`;
  writeFileSync(mine, JSON.stringify(identityOf(process.pid)));
  try {
    linkSync(mine, lockFile);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(mine, { force: true });
  }
}

function readHolder(): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(lockFile, "utf8")) as ProcessIdentity;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
