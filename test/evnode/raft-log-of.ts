import { writeBolt } from "../../src/evnode/bolt-writer.ts";
import { encodeMsgpack } from "../../src/evnode/msgpack.ts";
import { uint64 } from "../../src/evnode/raft-store.ts";

/** Heights in the order of a log; `undefined` is an entry without a block, such as a barrier. */
export type Heights = readonly (number | undefined)[];

/** A raft-log.db with these entries, numbered from 1. */
export function raftLogOf(heights: Heights): Buffer {
  const entries = heights.map((height, at) => blockEntry(BigInt(at + 1), height));
  return writeBolt([
    { name: "conf", entries: [] },
    { name: "logs", entries },
  ]);
}

export function blockEntry(index: bigint, height: number | undefined) {
  const data = height === undefined ? Buffer.alloc(0) : Buffer.concat([blockMessage(height), filling]);
  const fields = new Map<string, Buffer | bigint>([
    ["Data", data],
    ["Index", index],
    ["Term", 2n],
    ["Type", height === undefined ? 4n : 0n],
  ]);
  return { key: uint64(index), value: encodeMsgpack(fields) };
}

const filling = Buffer.alloc(600, 7);

/** The beginning of ev-node's message: field 1 as a varint, then something else. */
export function blockMessage(height: number): Buffer {
  const bytes = [0x08];
  let rest = height;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Buffer.from([...bytes, rest, 0x10, 0x01]);
}
