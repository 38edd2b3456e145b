import { inMemory, readBucket } from "./bolt-reader.ts";
import { CorruptFile } from "./corrupt-file.ts";
import { decodeMsgpack, type Msgpack } from "./msgpack.ts";
import type { RaftMember } from "./raft-bootstrap.ts";
import { asMap, asNumber, asRaw, buckets, parseLogEntry, TERM_KEY } from "./raft-store.ts";

type Suffrage = "voter" | "nonvoter" | "staging";
interface MembershipEntry extends RaftMember {
  readonly suffrage: Suffrage;
}

/** What a member's raft-log.db says of the membership. */
export type Membership =
  /** The last configuration in the log, and the number of its entry. */
  | { readonly kind: "members"; readonly members: readonly MembershipEntry[]; readonly index: bigint }
  /** No entry at all: a member that never bootstrapped, whatever its other file holds. */
  | { readonly kind: "empty" }
  /** The log begins after the configuration, which is then in a snapshot. */
  | { readonly kind: "compacted"; readonly firstIndex: bigint }
  | { readonly kind: "corrupt"; readonly why: string };

const suffrages: readonly Suffrage[] = ["voter", "nonvoter", "staging"];

/** Reads a raft-log.db that no process has open: of one that is being written, pages may change under the reader. */
export function readMembership(raftLog: Buffer): Membership {
  try {
    return lastConfiguration(raftLog);
  } catch (error) {
    if (error instanceof CorruptFile) return { kind: "corrupt", why: error.message };
    throw error;
  }
}

function lastConfiguration(raftLog: Buffer): Membership {
  const entries = readBucket(inMemory(raftLog), buckets.logs);
  if (entries === undefined) return { kind: "empty" };

  let membership: Membership = { kind: "empty" };
  for (const { key, value } of entries) {
    const { index, type, data } = parseLogEntry(value);
    if (key.length !== 8 || key.readBigUInt64BE() !== index)
      throw new CorruptFile("a log entry bears another number");
    if (type === "configuration") membership = { kind: "members", members: parseConfiguration(data), index };
    else if (membership.kind === "empty") membership = { kind: "compacted", firstIndex: index };
  }
  return membership;
}

function parseConfiguration(data: Buffer): readonly MembershipEntry[] {
  const servers = asMap(decodeMsgpack(data), "a configuration").get("Servers");
  if (!Array.isArray(servers)) throw new CorruptFile("a configuration has no list of servers");
  return servers.map((server: Msgpack) => parseServer(asMap(server, "a server")));
}

function parseServer(server: ReadonlyMap<string, Msgpack>): MembershipEntry {
  const suffrage = suffrages[Number(asNumber(server.get("Suffrage"), "a server's suffrage"))];
  if (suffrage === undefined) throw new CorruptFile("a server has an unknown suffrage");
  return {
    id: asRaw(server.get("ID"), "a server's id").toString("utf8"),
    address: asRaw(server.get("Address"), "a server's address").toString("utf8"),
    suffrage,
  };
}

/** The election term in a member's raft-stable.db: bootstrap writes term 1, each election a higher one. */
export type Term =
  | { readonly kind: "term"; readonly term: bigint }
  | { readonly kind: "none" }
  | { readonly kind: "corrupt"; readonly why: string };

export function readTerm(raftStable: Buffer): Term {
  try {
    const entry = [...(readBucket(inMemory(raftStable), buckets.conf) ?? [])].find(({ key }) =>
      key.equals(TERM_KEY),
    );
    if (entry === undefined) return { kind: "none" };
    if (entry.value.length !== 8) throw new CorruptFile("the current term is no number");
    return { kind: "term", term: entry.value.readBigUInt64BE() };
  } catch (error) {
    if (error instanceof CorruptFile) return { kind: "corrupt", why: error.message };
    throw error;
  }
}
