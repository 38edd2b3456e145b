import {
  magic,
  metaChecksum,
  metaLength,
  metaOffsets,
  pageHeaderLength,
  version,
} from "../evnode/bolt-format.ts";

const pageSizes = [4_096, 8_192, 16_384, 32_768, 65_536] as const;

/** How much of a file `hasValidHead` needs: its first page and the second of the largest size. */
export const BOLT_HEAD_LENGTH = 65_536 + pageHeaderLength + metaLength;

/** Whether one of the two meta pages is valid: as long as one is, the store can be opened. */
export function hasValidHead(head: Buffer): boolean {
  return [0, ...pageSizes].some((pageStart) => isMeta(head.subarray(pageStart + pageHeaderLength)));
}

function isMeta(bytes: Buffer): boolean {
  if (bytes.length < metaLength) return false;
  const meta = bytes.subarray(0, metaLength);
  return (
    meta.readUInt32LE(metaOffsets.magic) === magic &&
    meta.readUInt32LE(metaOffsets.version) === version &&
    meta.readBigUInt64LE(metaOffsets.checksum) === metaChecksum(meta)
  );
}
