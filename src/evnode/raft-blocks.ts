import { cutBehind, type Patch } from "./bolt-cut.ts";
import { type Bytes, readBucket } from "./bolt-reader.ts";
import { CorruptFile } from "./corrupt-file.ts";
import { buckets, parseLogEntry, uint64 } from "./raft-store.ts";

/** The highest block in a member's raft-log.db: one that a leader proposed, and a majority has or may have. */
export type LoggedBlock =
  | { readonly kind: "block"; readonly height: number }
  /** No block in the log: it was never used, or all of its blocks are in a snapshot. */
  | { readonly kind: "none" };

/**
 * So many of the last blocks are looked at. The highest is the last one, but for a block that a leader proposed once
 * more: raft keeps it in the log, and ev-node ignores it there.
 */
const BLOCKS_LOOKED_AT = 32;

/**
 * Reads the end of a raft-log.db that no process has open.
 * @throws CorruptFile when it cannot be read.
 */
export function lastLoggedBlock(raftLog: Bytes): LoggedBlock {
  let height = 0;
  let seen = 0;
  for (const block of blocksFromEnd(raftLog)) {
    height = Math.max(height, block.height);
    seen += 1;
    if (seen === BLOCKS_LOOKED_AT) break;
  }
  return seen === 0 ? { kind: "none" } : { kind: "block", height };
}

/**
 * What has to be written over a raft-log.db so that it ends before the first block above `height`; undefined when
 * there is none. Later entries, which hold no blocks but follow such a one, go with it.
 * @throws CorruptFile when it cannot be read, nothing would be left, or more would go than a leader can have logged
 * before anybody stored it.
 */
export function cutAboveBlock(raftLog: Bytes, height: number): readonly Patch[] | undefined {
  let firstAbove: bigint | undefined;
  let seen = 0;
  for (const block of blocksFromEnd(raftLog)) {
    seen += 1;
    if (block.height > height) firstAbove = block.index;
    if (seen < BLOCKS_LOOKED_AT) continue;
    if (block.height <= height) break;
    throw new CorruptFile(`${BLOCKS_LOOKED_AT} blocks or more are above block ${height}`);
  }
  return firstAbove === undefined ? undefined : cutBehind(raftLog, buckets.logs, uint64(firstAbove - 1n));
}

function* blocksFromEnd(raftLog: Bytes): Generator<{ readonly height: number; readonly index: bigint }> {
  for (const { key, value } of readBucket(raftLog, buckets.logs, "descending") ?? []) {
    const { index, type, data } = parseLogEntry(value);
    if (!uint64(index).equals(key)) throw new CorruptFile("a log entry bears another number");
    if (type === "command") yield { height: blockHeight(data), index };
  }
}

/**
 * The height in ev-node's `RaftBlockState`, a protocol-buffers message with the height as its first field. A raft
 * snapshot's state.bin is the same message.
 * @throws CorruptFile when the message begins with something else.
 */
export function blockHeight(message: Buffer): number {
  const heightField = 0x08;
  if (message[0] !== heightField) throw new CorruptFile("a block's message does not begin with its height");
  let height = 0n;
  for (let index = 1; index <= 8; index += 1) {
    const byte = message[index];
    if (byte === undefined) break;
    height |= BigInt(byte & 0x7f) << BigInt(7 * (index - 1));
    if (byte < 0x80 && height <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(height);
    if (byte < 0x80) break;
  }
  throw new CorruptFile("a block's height is cut off, or no height");
}
