import {
  magic,
  metaChecksum,
  metaLength,
  metaOffsets,
  pageHeaderLength,
  version,
} from "../evnode/bolt-format.ts";

const pageSizes = [4_096, 8_192, 16_384, 32_768, 65_536] as const;

/** How much of a file `problemOfHead` needs: its first page, and the meta of the second one of the largest size. */
export const BOLT_HEAD_LENGTH = 65_536 + pageHeaderLength + metaLength;

/**
 * Why a store cannot be opened or is not whole, as far as its two meta pages show it; undefined when they show
 * nothing. Cheap enough for files of any size, also while ev-node writes them: it never writes both at once.
 */
export function problemOfHead(head: Buffer, fileSize: number): string | undefined {
  const metas = [0, ...pageSizes].flatMap((pageStart) =>
    parseMeta(head.subarray(pageStart + pageHeaderLength)),
  );
  const latest = metas.toSorted((one, other) => (one.transaction < other.transaction ? 1 : -1))[0];
  if (latest === undefined) return "neither of its meta pages is valid";
  if (fileSize < latest.usedBytes) return `it is cut off: ${fileSize} bytes are left of ${latest.usedBytes}`;
  return undefined;
}

interface Meta {
  readonly transaction: bigint;
  /** Up to the last page that may be in use. */
  readonly usedBytes: number;
}

function parseMeta(bytes: Buffer): readonly Meta[] {
  if (bytes.length < metaLength) return [];
  const meta = bytes.subarray(0, metaLength);
  const isValid =
    meta.readUInt32LE(metaOffsets.magic) === magic &&
    meta.readUInt32LE(metaOffsets.version) === version &&
    meta.readBigUInt64LE(metaOffsets.checksum) === metaChecksum(meta);
  if (!isValid) return [];
  const pageCount = Number(meta.readBigUInt64LE(metaOffsets.pageCount));
  const usedBytes = pageCount * meta.readUInt32LE(metaOffsets.pageSize);
  return [{ transaction: meta.readBigUInt64LE(metaOffsets.transaction), usedBytes }];
}
