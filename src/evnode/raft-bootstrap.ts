import { writeBolt } from "./bolt-writer.ts";
import { encodeMsgpack, type Msgpack, raw } from "./msgpack.ts";
import { buckets, LOG_FILE, logEntry, STABLE_FILE, TERM_KEY, uint64 } from "./raft-store.ts";

export interface RaftMember {
  readonly id: string;
  readonly address: string;
}

export interface BootstrapFiles {
  readonly [LOG_FILE]: Buffer;
  readonly [STABLE_FILE]: Buffer;
}

const firstIndex = 1n;
const firstTerm = 1n;
const voter = 0n;
const longestName = 0xffff;

/**
 * The two files with which a member starts as part of this membership, equal to what the raft library writes when it
 * bootstraps: the membership as log entry 1, and term 1. Written before the first start, because ev-node's own
 * bootstrap can lose a race against its peers for ever.
 */
export function bootstrapFiles(members: readonly RaftMember[]): BootstrapFiles {
  checkMembers(members);
  const entry = logEntry({
    index: firstIndex,
    term: firstTerm,
    type: "configuration",
    data: configuration(members),
  });
  const term = { key: TERM_KEY, value: uint64(firstTerm) };
  return {
    [LOG_FILE]: writeBolt([
      { name: buckets.conf, entries: [] },
      { name: buckets.logs, entries: [{ key: uint64(firstIndex), value: entry }] },
    ]),
    [STABLE_FILE]: writeBolt([
      { name: buckets.conf, entries: [term] },
      { name: buckets.logs, entries: [] },
    ]),
  };
}

function configuration(members: readonly RaftMember[]): Buffer {
  const servers = members.map(
    ({ id, address }) =>
      new Map<string, Msgpack>([
        ["Address", raw(address)],
        ["ID", raw(id)],
        ["Suffrage", voter],
      ]),
  );
  return encodeMsgpack(new Map([["Servers", servers]]));
}

// The library would refuse the same, or worse, accept it and never elect a leader.
function checkMembers(members: readonly RaftMember[]): void {
  if (members.length === 0) throw new RangeError("a membership without members would elect nobody");

  const ids = new Set(members.map(({ id }) => id));
  const addresses = new Set(members.map(({ address }) => address));
  if (ids.size !== members.length) throw new RangeError("two members have the same id");
  if (addresses.size !== members.length) throw new RangeError("two members have the same address");
  for (const name of [...ids, ...addresses]) {
    if (name === "") throw new RangeError("a member has an empty id or address");
    if (!name.isWellFormed() || raw(name).length > longestName) {
      throw new RangeError("the id or address of a member is no text that raft can store");
    }
  }
}
