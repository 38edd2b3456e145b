import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { bootstrapFiles } from "../evnode/raft-bootstrap.ts";
import { type Membership, readMembership } from "../evnode/raft-membership.ts";
import { LOG_FILE, STABLE_FILE } from "../evnode/raft-store.ts";
import type { Voter } from "../model/agent-protocol.ts";
import { BOLT_HEAD_LENGTH, problemOfHead } from "./bolt-head.ts";
import { isAbsent } from "./disk.ts";

/** What a raft folder holds, as far as it shows whether ev-node can go on from it. */
export type RaftFolder =
  | { readonly kind: "missing" }
  | { readonly kind: "broken"; readonly problem: string }
  /** Exactly what a bootstrap writes: ev-node never ran on it. */
  | { readonly kind: "fresh"; readonly voters: readonly Voter[] }
  /** Used by ev-node. The voters are known as long as the log still has the entry with them. */
  | { readonly kind: "used"; readonly voters: readonly Voter[] | undefined };

// A log that outgrew this holds blocks. A member that never bootstrapped has one of eight pages.
const MAX_LOG_READ = 131_072;

export async function lookAtRaftFolder(path: string): Promise<RaftFolder> {
  const names = await namesIn(path);
  if (names === undefined) return { kind: "missing" };

  const [log, stable] = await Promise.all([
    readStore(join(path, LOG_FILE)),
    readStore(join(path, STABLE_FILE)),
  ]);
  const problem = problemOf(LOG_FILE, log) ?? problemOf(STABLE_FILE, stable);
  if (problem !== undefined) return { kind: "broken", problem };
  if (log?.whole === undefined) return { kind: "used", voters: undefined };

  const snapshots = await namesIn(join(path, "snapshots"));
  const hasSnapshot = snapshots?.some((name) => !name.endsWith(".tmp")) ?? false;
  return judge(readMembership(log.whole), log.whole, stable?.whole, hasSnapshot);
}

function judge(
  membership: Membership,
  log: Buffer,
  stable: Buffer | undefined,
  hasSnapshot: boolean,
): RaftFolder {
  if (membership.kind === "corrupt") {
    return { kind: "broken", problem: `${LOG_FILE} cannot be read: ${membership.why}` };
  }
  if (membership.kind === "members") {
    const voters = membership.members.map(({ id, address }) => ({ id, address }));
    return isFresh(voters, log, stable) ? { kind: "fresh", voters } : { kind: "used", voters };
  }
  if (hasSnapshot) return { kind: "used", voters: undefined };
  // ev-node would bootstrap by itself here; it cannot, and exits.
  return { kind: "broken", problem: `${LOG_FILE} holds no membership and there is no snapshot` };
}

function isFresh(voters: readonly Voter[], log: Buffer, stable: Buffer | undefined): boolean {
  // A list with a voter twice can only come from elsewhere, and cannot be rendered.
  if (new Set(voters.map(({ id }) => id)).size !== voters.length) return false;
  if (new Set(voters.map(({ address }) => address)).size !== voters.length) return false;
  const files = bootstrapFiles(voters);
  return files[LOG_FILE].equals(log) && stable !== undefined && files[STABLE_FILE].equals(stable);
}

interface Store {
  readonly size: number;
  readonly head: Buffer;
  /** The whole file, when it is small. */
  readonly whole: Buffer | undefined;
}

async function readStore(path: string): Promise<Store | undefined> {
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      const bytes = Buffer.alloc(size <= MAX_LOG_READ ? size : BOLT_HEAD_LENGTH);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
      const read = bytes.subarray(0, bytesRead);
      return { size, head: read, whole: size <= MAX_LOG_READ ? read : undefined };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function problemOf(name: string, store: Store | undefined): string | undefined {
  if (store === undefined) return `${name} is missing`;
  const problem = problemOfHead(store.head, store.size);
  return problem === undefined ? undefined : `${name} is damaged: ${problem}`;
}

/** The names in a folder; undefined when there is no such folder. */
export async function namesIn(path: string): Promise<readonly string[] | undefined> {
  try {
    return (await readdir(path)).sort();
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
