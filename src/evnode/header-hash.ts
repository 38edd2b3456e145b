import { createHash } from "node:crypto";

/** What a block's hash is made of: every field of a header that ev-node hashes, with zero and empty for absent. */
export interface HashedHeader {
  readonly blockVersion: bigint;
  readonly appVersion: bigint;
  readonly height: bigint;
  /** In nanoseconds. */
  readonly time: bigint;
  readonly lastHeaderHash: Uint8Array;
  readonly dataHash: Uint8Array;
  readonly appHash: Uint8Array;
  readonly proposerAddress: Uint8Array;
  readonly validatorHash: Uint8Array;
  readonly chainId: string;
}

/**
 * A block's hash in hex, which ev-node tells with no block: SHA-256 of the protobuf encoding of its header. It is the
 * one that the next block names as its parent, which is how to prove it.
 */
export function headerHash(header: HashedHeader): string {
  const version = [...integer(1, header.blockVersion), ...integer(2, header.appVersion)];
  const encoded = [
    // A message that is present is written also when it is empty.
    ...delimited(1, version),
    ...integer(2, header.height),
    ...integer(3, header.time),
    ...bytes(4, header.lastHeaderHash),
    ...bytes(6, header.dataHash),
    ...bytes(8, header.appHash),
    ...bytes(10, header.proposerAddress),
    ...bytes(11, header.validatorHash),
    ...bytes(12, Buffer.from(header.chainId, "utf8")),
  ];
  return createHash("sha256").update(Uint8Array.from(encoded)).digest("hex");
}

const VARINT = 0;
const LENGTH_DELIMITED = 2;

// proto3 leaves out what is zero or empty.
const integer = (field: number, value: bigint) =>
  value === 0n ? [] : [...tag(field, VARINT), ...varint(value)];
const bytes = (field: number, value: Uint8Array) => (value.length === 0 ? [] : delimited(field, value));

function delimited(field: number, content: ArrayLike<number> & Iterable<number>): number[] {
  return [...tag(field, LENGTH_DELIMITED), ...varint(BigInt(content.length)), ...content];
}

const tag = (field: number, wireType: number) => varint(BigInt((field << 3) | wireType));

/** Seven bits a byte, the lowest first; the eighth says that more follow. */
function varint(value: bigint): number[] {
  const encoded: number[] = [];
  let rest = value;
  while (rest > 0x7fn) {
    encoded.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return [...encoded, Number(rest)];
}
