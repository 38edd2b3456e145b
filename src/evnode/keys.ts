import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import * as z from "zod";
import { encodeBase58 } from "./base58.ts";
import { base64Bytes } from "./base64.ts";
import { malformed, type Parsed, parsed, parseJson } from "./parsed.ts";

export const SEED_LENGTH = 32;

/** What is known of a member's P2P identity besides its secret. */
export interface NodeIdentity {
  readonly peerId: string;
  readonly publicKey: string;
}

// The ASN.1 frames of RFC 8410: the only forms of raw Ed25519 keys that node:crypto takes and gives.
const privateKeyPrefix = Buffer.from("302e020100300506032b657004220420", "hex");
const publicKeyPrefixLength = 12;
// An identity multihash (00, 36 bytes) of libp2p's public key message (type Ed25519, 32 bytes).
const peerIdPrefix = Buffer.from("002408011220", "hex");

const nodeKeySchema = z.object({ priv_key: base64Bytes(64), pub_key: base64Bytes(32) });

export function publicKeyOf(seed: Uint8Array): Buffer {
  if (seed.length !== SEED_LENGTH)
    throw new RangeError(`a seed has ${SEED_LENGTH} bytes, not ${seed.length}`);

  const key = createPrivateKey({
    key: Buffer.concat([privateKeyPrefix, seed]),
    format: "der",
    type: "pkcs8",
  });
  return createPublicKey(key).export({ format: "der", type: "spki" }).subarray(publicKeyPrefixLength);
}

export function peerIdOf(publicKey: Uint8Array): string {
  return encodeBase58(Buffer.concat([peerIdPrefix, publicKey]));
}

/** The address under which a genesis names a signer, in base64. */
export function proposerAddressOf(publicKey: Uint8Array): string {
  return createHash("sha256").update(publicKey).digest("base64");
}

/** The text of node_key.json. */
export function renderNodeKey(seed: Uint8Array): string {
  const publicKey = publicKeyOf(seed);
  return JSON.stringify({
    priv_key: Buffer.concat([seed, publicKey]).toString("base64"),
    pub_key: publicKey.toString("base64"),
  });
}

export function parseNodeKey(text: string): Parsed<NodeIdentity> {
  const result = parseJson(nodeKeySchema, text, "node_key.json");
  if (result.kind === "malformed") return result;

  const { priv_key: privateKey, pub_key: publicKey } = result.value;
  if (!isPrivateKeyOf(privateKey, publicKey))
    return malformed("node_key.json: the two keys do not belong together");
  return parsed({ peerId: peerIdOf(publicKey), publicKey: publicKey.toString("base64") });
}

const HEX_KEY = /^(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{128})$/;

/** The seed of a private key in hex: its 64 bytes, as ev-node's `keys export` writes them, or the seed alone. */
export function parseHexKey(text: string): Parsed<Buffer> {
  const written = text.trim();
  if (!HEX_KEY.test(written))
    return malformed("key: expected the 64 bytes of the private key in hex, or its first 32");
  const bytes = Buffer.from(written, "hex");
  const seed = bytes.subarray(0, SEED_LENGTH);
  if (bytes.length > SEED_LENGTH && !isPrivateKeyOf(bytes, publicKeyOf(seed)))
    return malformed("key: its second half is not the public key of the first");
  return parsed(seed);
}

/** Whether 64 bytes, seed and public key, are the private key of this public key. */
export function isPrivateKeyOf(privateKey: Buffer, publicKey: Buffer): boolean {
  return (
    privateKey.length === SEED_LENGTH + publicKey.length &&
    privateKey.subarray(SEED_LENGTH).equals(publicKey) &&
    publicKeyOf(privateKey.subarray(0, SEED_LENGTH)).equals(publicKey)
  );
}
