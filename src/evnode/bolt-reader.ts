import {
  type BoltEntry,
  bucketElementFlag,
  bucketHeaderLength,
  elementLength,
  magic,
  metaChecksum,
  metaLength,
  metaOffsets,
  pageFlags,
  pageHeaderLength,
  version,
} from "./bolt-format.ts";
import { CorruptFile } from "./corrupt-file.ts";

type Meta = {
  readonly pageSize: number;
  readonly root: number;
  readonly pageCount: number;
  readonly transaction: bigint;
};
/** An open file. A sound tree reaches no page twice, so a page seen again ends the reading of a damaged one. */
type Database = { readonly file: Buffer; readonly meta: Meta; readonly seenPages: Set<number> };
type Page = { readonly flags: number; readonly count: number; readonly bytes: Buffer };
type LeafElement = BoltEntry & { readonly isBucket: boolean };

// Where the second meta page lies when the first one is damaged.
const pageSizes = [4_096, 8_192, 16_384, 32_768, 65_536] as const;

/** All entries of a bucket in the order of their keys; undefined when the file has no such bucket. */
export function readBucket(file: Buffer, name: string): Iterable<BoltEntry> | undefined {
  const database: Database = { file, meta: currentMeta(file), seenPages: new Set() };
  const wanted = Buffer.from(name, "utf8");
  for (const element of leafElements(database, pageAt(database, database.meta.root))) {
    if (element.isBucket && element.key.equals(wanted)) return entriesOf(database, element.value);
  }
  return undefined;
}

function entriesOf(database: Database, bucket: Buffer): Iterable<BoltEntry> {
  const root = pageNumber(slice(bucket, 0, bucketHeaderLength), 0);
  const page = root === 0 ? parsePage(bucket.subarray(bucketHeaderLength)) : pageAt(database, root);
  return leafElements(database, page);
}

function* leafElements(database: Database, page: Page): Generator<LeafElement> {
  if (page.flags !== pageFlags.leaf && page.flags !== pageFlags.branch) {
    throw new CorruptFile(`a page of a bucket's tree has the flags 0x${page.flags.toString(16)}`);
  }

  for (let index = 0; index < page.count; index += 1) {
    const start = pageHeaderLength + elementLength * index;
    const head = slice(page.bytes, start, elementLength);
    if (page.flags === pageFlags.leaf) yield leafElement(page.bytes, start, head);
    else yield* leafElements(database, pageAt(database, pageNumber(head, 8)));
  }
}

function leafElement(page: Buffer, start: number, head: Buffer): LeafElement {
  const keyStart = start + head.readUInt32LE(4);
  const keyLength = head.readUInt32LE(8);
  return {
    key: slice(page, keyStart, keyLength),
    value: slice(page, keyStart + keyLength, head.readUInt32LE(12)),
    isBucket: (head.readUInt32LE(0) & bucketElementFlag) !== 0,
  };
}

function pageAt({ file, meta, seenPages }: Database, id: number): Page {
  if (id >= meta.pageCount)
    throw new CorruptFile(`page ${id} lies beyond the ${meta.pageCount} pages of the file`);
  if (seenPages.has(id)) throw new CorruptFile(`page ${id} is part of two places`);
  seenPages.add(id);

  const start = id * meta.pageSize;
  const header = slice(file, start, pageHeaderLength);
  if (pageNumber(header, 0) !== id) throw new CorruptFile(`page ${id} bears another number`);
  return parsePage(slice(file, start, meta.pageSize * (1 + header.readUInt32LE(12))));
}

function parsePage(bytes: Buffer): Page {
  const header = slice(bytes, 0, pageHeaderLength);
  return { flags: header.readUInt16LE(8), count: header.readUInt16LE(10), bytes };
}

function currentMeta(file: Buffer): Meta {
  const first = parseMeta(file, 0);
  const seconds = first === undefined ? pageSizes : [first.pageSize];
  const second = seconds.map((pageSize) => parseMeta(file, pageSize)).find((meta) => meta !== undefined);

  if (first === undefined && second === undefined) throw new CorruptFile("neither meta page is valid");
  if (first === undefined || second === undefined) return (first ?? second) as Meta;
  return second.transaction > first.transaction ? second : first;
}

function parseMeta(file: Buffer, pageStart: number): Meta | undefined {
  const start = pageStart + pageHeaderLength;
  if (start + metaLength > file.length) return undefined;

  const meta = file.subarray(start, start + metaLength);
  const isValid =
    meta.readUInt32LE(metaOffsets.magic) === magic &&
    meta.readUInt32LE(metaOffsets.version) === version &&
    meta.readBigUInt64LE(metaOffsets.checksum) === metaChecksum(meta);
  if (!isValid) return undefined;
  return {
    pageSize: meta.readUInt32LE(metaOffsets.pageSize),
    root: pageNumber(meta, metaOffsets.root),
    pageCount: pageNumber(meta, metaOffsets.pageCount),
    transaction: meta.readBigUInt64LE(metaOffsets.transaction),
  };
}

function pageNumber(bytes: Buffer, offset: number): number {
  const number = bytes.readBigUInt64LE(offset);
  if (number > BigInt(Number.MAX_SAFE_INTEGER)) throw new CorruptFile(`no file has a page ${number}`);
  return Number(number);
}

function slice(bytes: Buffer, start: number, length: number): Buffer {
  if (start + length > bytes.length)
    throw new CorruptFile("the file is cut off, or an element points outside its page");
  return bytes.subarray(start, start + length);
}
