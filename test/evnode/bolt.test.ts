import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type BoltBucket,
  metaChecksum,
  metaLength,
  metaOffsets,
  pageHeaderLength,
} from "../../src/evnode/bolt-format.ts";
import { inMemory, readBucket } from "../../src/evnode/bolt-reader.ts";
import { writeBolt } from "../../src/evnode/bolt-writer.ts";
import { CorruptFile } from "../../src/evnode/corrupt-file.ts";
import { realFile } from "./fixtures.ts";

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const entries = fc.uniqueArray(fc.record({ key: bytes(40), value: bytes(9_000) }), {
  maxLength: 30,
  selector: ({ key }) => key.toString("hex"),
});

describe("Bolt files", () => {
  it("give back the entries of every bucket, ordered by key", () => {
    fc.assert(
      fc.property(entries, entries, (first, second) => {
        const file = writeBolt([
          { name: "logs", entries: first },
          { name: "conf", entries: second },
        ]);
        expect(contents(file, "logs")).toEqual(sorted(first));
        expect(contents(file, "conf")).toEqual(sorted(second));
        expect(readBucket(inMemory(file), "other")).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });

  it("begin with two meta pages, of which the second is the newer", () => {
    const file = sample();
    const transactions = [0, 4_096].map((page) =>
      file.readBigUInt64LE(page + pageHeaderLength + metaOffsets.transaction),
    );
    expect(transactions).toEqual([0n, 1n]);
    expect(file.length % 4_096).toBe(0);
  });

  it.each([
    ["first", 0],
    ["second", 4_096],
  ])("are read by the other meta page when the %s is damaged", (_, page) => {
    const file = sample();
    file.fill(0xff, page, page + 4_096);
    expect(contents(file, "logs")).toEqual(["k=v"]);
  });

  it("are read by the second meta page of large pages when the first is damaged", () => {
    const file = withPageSize(sample(), 16_384);
    expect(contents(file, "logs")).toEqual(["k=v"]);
    file.fill(0, 0, 4_096);
    expect(contents(file, "logs")).toEqual(["k=v"]);
  });

  it("are read by the newer meta page when both are sound", () => {
    const file = sample();
    // What was current before the last transaction: an empty root, in a page that the file no longer uses.
    file.writeBigUInt64LE(99n, pageHeaderLength + metaOffsets.root);
    sealMeta(file, 0);
    expect(contents(file, "logs")).toEqual(["k=v"]);
  });

  it("that ev-node's library wrote are read with inline buckets, branches and freed pages", () => {
    expect(contents(realFile("real-raft-log"), "conf")).toEqual([]);
    expect(contents(realFile("real-raft-log"), "logs")).toHaveLength(1);
    expect(contents(realFile("grown-raft-log"), "logs")).toHaveLength(401);
    expect(contents(realFile("compacted-raft-log"), "logs")).toHaveLength(251);
  });

  it.each<[string, (file: Buffer) => Buffer, string]>([
    ["are empty", () => Buffer.alloc(0), "neither meta page is valid"],
    ["hold something else", () => Buffer.alloc(20_000, 7), "neither meta page is valid"],
    [
      "lost their tail",
      (file) => file.subarray(0, 4 * 4_096),
      "the file is cut off, or an element points outside its page",
    ],
    ["point outside", (file) => repointed(file, 99n), "page 99 lies beyond the 5 pages of the file"],
    ["point to a page of another number", (file) => renumbered(file), "page 4 bears another number"],
    ["point to a meta page", (file) => repointed(file, 0n), "a page of a bucket's tree has the flags 0x4"],
    ["branch in a circle", (file) => circular(file), "page 4 is part of two places"],
  ])("are refused when they %s", (_, damage, message) => {
    const damaged = damage(sample());
    expect(() => contents(damaged, "logs")).toThrow(new CorruptFile(message));
  });
});

function sample(): Buffer {
  return writeBolt([{ name: "logs", entries: [{ key: Buffer.from("k"), value: Buffer.from("v") }] }]);
}

function contents(file: Buffer, bucket: string): readonly string[] {
  return [...(readBucket(inMemory(file), bucket) ?? [])].map(
    ({ key, value }) => `${key.toString("latin1")}=${value.toString("latin1")}`,
  );
}

function sorted(entries: BoltBucket["entries"]): readonly string[] {
  return [...entries]
    .sort((left, right) => left.key.compare(right.key))
    .map(({ key, value }) => `${key.toString("latin1")}=${value.toString("latin1")}`);
}

function sealMeta(file: Buffer, page: number): void {
  const meta = file.subarray(page + pageHeaderLength, page + pageHeaderLength + metaLength);
  meta.writeBigUInt64LE(metaChecksum(meta), metaOffsets.checksum);
}

// Pages 3 (bucket) and 4 (root) of the sample.
function repointed(file: Buffer, root: bigint): Buffer {
  file.writeBigUInt64LE(root, 4_096 + pageHeaderLength + metaOffsets.root);
  sealMeta(file, 4_096);
  return file;
}

function renumbered(file: Buffer): Buffer {
  file.writeBigUInt64LE(3n, 4 * 4_096);
  return file;
}

function circular(file: Buffer): Buffer {
  const root = 4 * 4_096;
  file.writeUInt16LE(0x01, root + 8);
  file.writeBigUInt64LE(4n, root + pageHeaderLength + 8);
  return file;
}

function withPageSize(file: Buffer, pageSize: number): Buffer {
  const pages = Array.from({ length: file.length / 4_096 }, (_, id) =>
    file.subarray(id * 4_096, (id + 1) * 4_096),
  );
  const wide = Buffer.concat(pages.map((page) => Buffer.concat([page], pageSize)));
  for (const page of [0, pageSize]) {
    wide.writeUInt32LE(pageSize, page + pageHeaderLength + metaOffsets.pageSize);
    sealMeta(wide, page);
  }
  return wide;
}
