import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { inMemory, readBucket } from "../../src/evnode/bolt-reader.ts";
import { writeBolt } from "../../src/evnode/bolt-writer.ts";
import { CorruptFile } from "../../src/evnode/corrupt-file.ts";
import { blockHeight, cutAboveBlock, lastLoggedBlock } from "../../src/evnode/raft-blocks.ts";
import { uint64 } from "../../src/evnode/raft-store.ts";
import { blockEntry, blockMessage, type Heights, raftLogOf } from "./raft-log-of.ts";

function cut(log: Buffer, height: number): Buffer {
  const after = Buffer.from(log);
  for (const { start, bytes } of cutAboveBlock(inMemory(log), height) ?? []) bytes.copy(after, start);
  return after;
}

const indexesOf = (log: Buffer) =>
  [...(readBucket(inMemory(log), "logs") ?? [])].map(({ key }) => Number(key.readBigUInt64BE()));

describe("the last block of a Raft log", () => {
  test.each<[string, Heights, ReturnType<typeof lastLoggedBlock>]>([
    ["is none when there is no entry", [], { kind: "none" }],
    ["is none when there are only other entries", [undefined, undefined], { kind: "none" }],
    ["is the one before later entries", [undefined, 1, 2, undefined], { kind: "block", height: 2 }],
    ["is the highest when one was proposed once more", [1, 2, 3, undefined, 2], { kind: "block", height: 3 }],
    [
      "is found in a long log",
      Array.from({ length: 700 }, (_, at) => at + 1),
      { kind: "block", height: 700 },
    ],
  ])("%s", (_, heights, expected) => {
    expect(lastLoggedBlock(inMemory(raftLogOf(heights)))).toEqual(expected);
  });

  it("is refused when an entry bears another number", () => {
    const log = writeBolt([{ name: "logs", entries: [{ ...blockEntry(3n, 1), key: uint64(2n) }] }]);
    expect(() => lastLoggedBlock(inMemory(log))).toThrow(new CorruptFile("a log entry bears another number"));
  });
});

describe("a Raft log that is cut above a block", () => {
  test.each<[string, Heights, number, readonly number[]]>([
    ["stays when there is none above", [undefined, 1, 2], 2, [1, 2, 3]],
    ["loses the block and what follows", [undefined, 1, 2, undefined, undefined], 1, [1, 2]],
    ["keeps what came before a block", [undefined, 1, undefined, undefined, 2], 1, [1, 2, 3, 4]],
    ["loses several", [undefined, 1, 2, 3, 4], 2, [1, 2, 3]],
  ])("%s", (_, heights, height, left) => {
    expect(indexesOf(cut(raftLogOf(heights), height))).toEqual(left);
  });

  it("is refused when so many blocks would go that something else is wrong", () => {
    const log = raftLogOf(Array.from({ length: 100 }, (_, at) => at + 1));
    expect(() => cut(log, 68)).toThrow(new CorruptFile("32 blocks or more are above block 68"));
    expect(indexesOf(cut(log, 69)).at(-1)).toBe(69);
  });

  it("is refused when nothing would be left", () => {
    expect(() => cut(raftLogOf([5, 6]), 4)).toThrow(CorruptFile);
  });

  it("ends with the same entry in a file of any shape, and is a beginning of the old one at every step", () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 400 }), fc.integer({ min: 1, max: 12 }), (length, dropped) => {
        const height = Math.max(1, length - dropped);
        const log = raftLogOf([undefined, ...Array.from({ length }, (_, at) => at + 1)]);
        const before = indexesOf(log);
        for (const { start, bytes } of cutAboveBlock(inMemory(log), height) ?? []) {
          bytes.copy(log, start);
          const left = indexesOf(log);
          expect(left).toEqual(before.slice(0, left.length));
        }
        expect(indexesOf(log)).toEqual(before.slice(0, 1 + height));
        expect(lastLoggedBlock(inMemory(log))).toEqual({ kind: "block", height });
      }),
      { numRuns: 40 },
    );
  });
});

describe("a block's message", () => {
  it("begins with its height", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (height) => {
        fc.pre(height > 0);
        expect(blockHeight(blockMessage(height))).toBe(height);
      }),
    );
  });

  test.each<[string, Buffer]>([
    ["is empty", Buffer.alloc(0)],
    ["begins with another field", Buffer.from([0x10, 0x01])],
    ["is cut off", Buffer.from([0x08, 0x80])],
    [
      "has a height that is no height",
      Buffer.concat([Buffer.of(0x08), Buffer.alloc(9, 0xff), Buffer.of(0x01)]),
    ],
  ])("is refused when it %s", (_, bytes) => {
    expect(() => blockHeight(bytes)).toThrow(CorruptFile);
  });
});
