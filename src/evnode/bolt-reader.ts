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
export type Database = { readonly file: Bytes; readonly meta: Meta; readonly seenPages: Set<number> };
/** `start` is where the page lies in the file. */
export type Page = {
  readonly start: number;
  readonly flags: number;
  readonly count: number;
  readonly bytes: Buffer;
};
type LeafElement = BoltEntry & { readonly isBucket: boolean; readonly valueStart: number };
export type Order = "ascending" | "descending";

/** A file's bytes, read where they are needed: a log can be far larger than what is asked of it. */
export interface Bytes {
  readonly length: number;
  /** At most `length` bytes: fewer where the file ends. */
  read(start: number, length: number): Buffer;
}

export function inMemory(file: Buffer): Bytes {
  return { length: file.length, read: (start, length) => file.subarray(start, start + length) };
}

// Where the second meta page lies when the first one is damaged.
const pageSizes = [4_096, 8_192, 16_384, 32_768, 65_536] as const;

/** All entries of a bucket in the order of their keys; undefined when the file has no such bucket. */
export function readBucket(
  file: Bytes,
  name: string,
  order: Order = "ascending",
): Iterable<BoltEntry> | undefined {
  const database = openBolt(file);
  const root = bucketRoot(database, name);
  return root && leafElements(database, root, order);
}

export function openBolt(file: Bytes): Database {
  return { file, meta: currentMeta(file), seenPages: new Set() };
}

/** The root page of a bucket's tree: a page of its own, or the value of an element in another one. */
export function bucketRoot(database: Database, name: string): Page | undefined {
  const wanted = Buffer.from(name, "utf8");
  for (const element of leafElements(database, pageAt(database, database.meta.root), "ascending")) {
    if (!element.isBucket || !element.key.equals(wanted)) continue;
    const root = pageNumber(slice(element.value, 0, bucketHeaderLength), 0);
    if (root !== 0) return pageAt(database, root);
    const start = element.valueStart + bucketHeaderLength;
    return parsePage(start, element.value.subarray(bucketHeaderLength));
  }
  return undefined;
}

function* leafElements(database: Database, page: Page, order: Order): Generator<LeafElement> {
  const holdsEntries = isLeaf(page);
  for (let step = 0; step < page.count; step += 1) {
    const index = order === "ascending" ? step : page.count - 1 - step;
    if (holdsEntries) yield leafElement(page, index);
    else yield* leafElements(database, childAt(database, page, index), order);
  }
}

/** Whether the page holds entries; otherwise it holds other pages. */
export function isLeaf({ flags }: Page): boolean {
  if (flags !== pageFlags.leaf && flags !== pageFlags.branch) {
    throw new CorruptFile(`a page of a bucket's tree has the flags 0x${flags.toString(16)}`);
  }
  return flags === pageFlags.leaf;
}

export function childAt(database: Database, page: Page, index: number): Page {
  return pageAt(database, pageNumber(elementHead(page, index), 8));
}

/** The key of a leaf's entry, or the first key below a branch's child. */
export function keyAt(page: Page, index: number): Buffer {
  const head = elementHead(page, index);
  const start = pageHeaderLength + elementLength * index;
  return isLeaf(page)
    ? slice(page.bytes, start + head.readUInt32LE(4), head.readUInt32LE(8))
    : slice(page.bytes, start + head.readUInt32LE(0), head.readUInt32LE(4));
}

function elementHead({ bytes }: Page, index: number): Buffer {
  return slice(bytes, pageHeaderLength + elementLength * index, elementLength);
}

function leafElement(page: Page, index: number): LeafElement {
  const head = elementHead(page, index);
  const key = keyAt(page, index);
  const start = pageHeaderLength + elementLength * index + head.readUInt32LE(4) + key.length;
  return {
    key,
    value: slice(page.bytes, start, head.readUInt32LE(12)),
    valueStart: page.start + start,
    isBucket: (head.readUInt32LE(0) & bucketElementFlag) !== 0,
  };
}

function pageAt({ file, meta, seenPages }: Database, id: number): Page {
  if (id >= meta.pageCount)
    throw new CorruptFile(`page ${id} lies beyond the ${meta.pageCount} pages of the file`);
  if (seenPages.has(id)) throw new CorruptFile(`page ${id} is part of two places`);
  seenPages.add(id);

  const start = id * meta.pageSize;
  const header = sliceOf(file, start, pageHeaderLength);
  if (pageNumber(header, 0) !== id) throw new CorruptFile(`page ${id} bears another number`);
  return parsePage(start, sliceOf(file, start, meta.pageSize * (1 + header.readUInt32LE(12))));
}

function parsePage(start: number, bytes: Buffer): Page {
  const header = slice(bytes, 0, pageHeaderLength);
  return { start, flags: header.readUInt16LE(8), count: header.readUInt16LE(10), bytes };
}

function currentMeta(file: Bytes): Meta {
  const first = parseMeta(file, 0);
  const seconds = first === undefined ? pageSizes : [first.pageSize];
  const second = seconds.map((pageSize) => parseMeta(file, pageSize)).find((meta) => meta !== undefined);

  if (first === undefined && second === undefined) throw new CorruptFile("neither meta page is valid");
  if (first === undefined || second === undefined) return (first ?? second) as Meta;
  return second.transaction > first.transaction ? second : first;
}

function parseMeta(file: Bytes, pageStart: number): Meta | undefined {
  const start = pageStart + pageHeaderLength;
  if (start + metaLength > file.length) return undefined;

  const meta = sliceOf(file, start, metaLength);
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

function sliceOf(file: Bytes, start: number, length: number): Buffer {
  return slice(start + length > file.length ? Buffer.alloc(0) : file.read(start, length), 0, length);
}

function slice(bytes: Buffer, start: number, length: number): Buffer {
  if (start + length > bytes.length)
    throw new CorruptFile("the file is cut off, or an element points outside its page");
  return bytes.subarray(start, start + length);
}
