import {
  type BoltBucket,
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

type Element = BoltEntry & { readonly isBucket: boolean };

const pageSize = 4_096;
const freelistPage = 2;
const firstDataPage = 3;

/** A file that holds these buckets, as if written by one transaction. Names and keys are put in order. */
export function writeBolt(buckets: readonly BoltBucket[]): Buffer {
  const pages: Buffer[] = [];
  let nextPage = firstDataPage;
  const add = (elements: readonly Element[]): number => {
    const id = nextPage;
    const page = leafPage(id, elements);
    pages.push(page);
    nextPage += page.length / pageSize;
    return id;
  };

  const root = add(
    buckets.map(({ name, entries }) => {
      const page = add(entries.map((entry) => ({ ...entry, isBucket: false })));
      return { key: Buffer.from(name, "utf8"), value: bucketHeader(page), isBucket: true };
    }),
  );
  const metas = [0, 1].map((transaction) => metaPage(transaction, root, nextPage));
  return Buffer.concat([...metas, padded(pageHeader(freelistPage, pageFlags.freelist, 0, 0)), ...pages]);
}

function leafPage(id: number, elements: readonly Element[]): Buffer {
  const sorted = [...elements].sort((left, right) => left.key.compare(right.key));
  const heads: Buffer[] = [];
  const bodies: Buffer[] = [];
  let bodyStart = pageHeaderLength + elementLength * sorted.length;
  for (const [index, element] of sorted.entries()) {
    heads.push(elementHead(element, bodyStart - pageHeaderLength - elementLength * index));
    bodies.push(element.key, element.value);
    bodyStart += element.key.length + element.value.length;
  }

  const overflow = Math.ceil(bodyStart / pageSize) - 1;
  return padded(
    Buffer.concat([pageHeader(id, pageFlags.leaf, sorted.length, overflow), ...heads, ...bodies]),
  );
}

/** The position of a body counts from the start of its own head. */
function elementHead({ key, value, isBucket }: Element, position: number): Buffer {
  const head = Buffer.alloc(elementLength);
  head.writeUInt32LE(isBucket ? bucketElementFlag : 0, 0);
  head.writeUInt32LE(position, 4);
  head.writeUInt32LE(key.length, 8);
  head.writeUInt32LE(value.length, 12);
  return head;
}

function pageHeader(id: number, flags: number, count: number, overflow: number): Buffer {
  const header = Buffer.alloc(pageHeaderLength);
  header.writeBigUInt64LE(BigInt(id), 0);
  header.writeUInt16LE(flags, 8);
  header.writeUInt16LE(count, 10);
  header.writeUInt32LE(overflow, 12);
  return header;
}

function bucketHeader(rootPage: number): Buffer {
  const header = Buffer.alloc(bucketHeaderLength);
  header.writeBigUInt64LE(BigInt(rootPage), 0);
  return header;
}

function metaPage(transaction: number, root: number, pageCount: number): Buffer {
  const meta = Buffer.alloc(metaLength);
  meta.writeUInt32LE(magic, metaOffsets.magic);
  meta.writeUInt32LE(version, metaOffsets.version);
  meta.writeUInt32LE(pageSize, metaOffsets.pageSize);
  meta.writeBigUInt64LE(BigInt(root), metaOffsets.root);
  meta.writeBigUInt64LE(BigInt(freelistPage), metaOffsets.freelist);
  meta.writeBigUInt64LE(BigInt(pageCount), metaOffsets.pageCount);
  meta.writeBigUInt64LE(BigInt(transaction), metaOffsets.transaction);
  meta.writeBigUInt64LE(metaChecksum(meta), metaOffsets.checksum);
  return padded(Buffer.concat([pageHeader(transaction, pageFlags.meta, 0, 0), meta]));
}

function padded(bytes: Buffer): Buffer {
  const length = Math.ceil(bytes.length / pageSize) * pageSize;
  return Buffer.concat([bytes], length);
}
