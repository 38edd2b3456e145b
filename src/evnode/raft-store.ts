import { CorruptFile } from "./corrupt-file.ts";
import { decodeMsgpack, encodeMsgpack, type Msgpack, raw } from "./msgpack.ts";

/** How the raft library lays out its two files: names, buckets and the form of a log entry. */
export const LOG_FILE = "raft-log.db";
export const STABLE_FILE = "raft-stable.db";
export const TERM_KEY = raw("CurrentTerm");
export const buckets = { conf: "conf", logs: "logs" } as const;

export interface LogEntry {
  readonly index: bigint;
  readonly term: bigint;
  /** `command` is what ev-node put in: a block. */
  readonly type: "command" | "configuration" | "other";
  readonly data: Buffer;
}

const commandType = 0n;
const configurationType = 5n;
// Go's zero time in its binary form: version 1, no seconds, no nanoseconds, zone UTC.
const noTime = Buffer.from("01000000000000000000000000ffff", "hex");

export function logEntry({ index, term, data }: LogEntry & { readonly type: "configuration" }): Buffer {
  return encodeMsgpack(
    new Map<string, Msgpack>([
      ["AppendedAt", noTime],
      ["Data", data],
      ["Extensions", null],
      ["Index", index],
      ["Term", term],
      ["Type", configurationType],
    ]),
  );
}

export function parseLogEntry(bytes: Buffer): LogEntry {
  const fields = asMap(decodeMsgpack(bytes), "a log entry");
  return {
    index: asNumber(fields.get("Index"), "a log entry's index"),
    term: asNumber(fields.get("Term"), "a log entry's term"),
    type: entryType(asNumber(fields.get("Type"), "a log entry's type")),
    data: asRaw(fields.get("Data") ?? raw(""), "a log entry's data"),
  };
}

function entryType(type: bigint): LogEntry["type"] {
  if (type === configurationType) return "configuration";
  return type === commandType ? "command" : "other";
}

export function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

export function asMap(value: Msgpack | undefined, what: string): ReadonlyMap<string, Msgpack> {
  if (value instanceof Map) return value as ReadonlyMap<string, Msgpack>;
  throw new CorruptFile(`${what} is no map`);
}

export function asNumber(value: Msgpack | undefined, what: string): bigint {
  if (typeof value === "bigint") return value;
  throw new CorruptFile(`${what} is no number`);
}

export function asRaw(value: Msgpack | undefined, what: string): Buffer {
  if (Buffer.isBuffer(value)) return value;
  throw new CorruptFile(`${what} is no text`);
}
