/**
 * The BoltDB file format, as far as raft's two stores need it. All numbers are little-endian. A page has a header (id,
 * flags, count, overflow) and elements; pages 0 and 1 are the two meta pages, of which the valid one with the higher
 * transaction id counts; a bucket is a tree of branch and leaf pages, or one leaf page inside its parent's value.
 */
export interface BoltEntry {
  readonly key: Buffer;
  readonly value: Buffer;
}
export interface BoltBucket {
  readonly name: string;
  readonly entries: readonly BoltEntry[];
}

export const magic = 0xed0cdaed;
export const version = 2;
export const pageHeaderLength = 16;
export const elementLength = 16;
export const bucketHeaderLength = 16;
export const metaLength = 64;

export const pageFlags = { branch: 0x01, leaf: 0x02, meta: 0x04, freelist: 0x10 } as const;
export const bucketElementFlag = 0x01;

/** Offsets within a meta, which follows the header of its page. */
export const metaOffsets = {
  magic: 0,
  version: 4,
  pageSize: 8,
  root: 16,
  freelist: 32,
  pageCount: 40,
  transaction: 48,
  checksum: 56,
} as const;

/** FNV-1a with 64 bits over everything before the checksum. */
export function metaChecksum(meta: Buffer): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of meta.subarray(0, metaOffsets.checksum)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash;
}
