import { createHash } from "node:crypto";
import { z } from "zod";

/** One block as the observer knows it: its hash, computed here, and the hash of the block that it is built on. */
export interface SeenBlock {
  readonly height: number;
  readonly hash: string;
  readonly parent: string;
}

const number = z
  .union([z.string(), z.number()])
  .transform((written) => BigInt(written))
  .default(0n);
const bytes = z
  .string()
  .transform((text) => Buffer.from(text, "base64"))
  .default(() => Buffer.alloc(0));

const headerSchema = z.object({
  version: z.object({ block: number, app: number }).default({ block: 0n, app: 0n }),
  height: number,
  time: number,
  lastHeaderHash: bytes,
  dataHash: bytes,
  appHash: bytes,
  proposerAddress: bytes,
  validatorHash: bytes,
  chainId: z.string().default(""),
});

const answerSchema = z.object({
  block: z.object({ header: z.object({ header: headerSchema }) }),
});

/**
 * Reads an answer to GetBlock. ev-node does not tell a block's hash, so it is computed from the header: SHA-256 of
 * its protobuf encoding. That the next block names the same hash as its parent shows that this is right.
 */
export function readBlock(answer: string): SeenBlock {
  const { header } = answerSchema.parse(JSON.parse(answer)).block.header;
  return {
    height: Number(header.height),
    hash: createHash("sha256").update(encode(header)).digest("hex"),
    parent: header.lastHeaderHash.toString("hex"),
  };
}

function encode(header: z.output<typeof headerSchema>): Buffer {
  const { version } = header;
  const versionBytes = Buffer.concat([integer(1, version.block), integer(2, version.app)]);
  return Buffer.concat([
    delimited(1, versionBytes),
    integer(2, header.height),
    integer(3, header.time),
    optional(4, header.lastHeaderHash),
    optional(6, header.dataHash),
    optional(8, header.appHash),
    optional(10, header.proposerAddress),
    optional(11, header.validatorHash),
    optional(12, Buffer.from(header.chainId, "utf8")),
  ]);
}

const integer = (field: number, value: bigint) =>
  value === 0n ? Buffer.alloc(0) : Buffer.concat([varint(BigInt(field << 3)), varint(value)]);

const optional = (field: number, value: Buffer) => (value.length === 0 ? value : delimited(field, value));

function delimited(field: number, value: Buffer): Buffer {
  return Buffer.concat([varint(BigInt((field << 3) | 2)), varint(BigInt(value.length)), value]);
}

function varint(value: bigint): Buffer {
  const parts: number[] = [];
  let rest = value;
  while (rest > 0x7fn) {
    parts.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return Buffer.from([...parts, Number(rest)]);
}
