import { generateKeyPairFromSeed } from "@libp2p/crypto/keys";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeBase58 } from "../../src/evnode/base58.ts";
import {
  parseNodeKey,
  peerIdOf,
  proposerAddressOf,
  publicKeyOf,
  renderNodeKey,
} from "../../src/evnode/keys.ts";
import { vector } from "./fixtures.ts";

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe("node keys", () => {
  it("are written as ev-node writes them", () => {
    expect(renderNodeKey(vector.seed)).toBe(vector.nodeKeyJson);
  });

  it("have the peer id that ev-node gives them", () => {
    expect(peerIdOf(publicKeyOf(vector.seed))).toBe(vector.peerId);
  });

  it("have the peer id and public key that libp2p gives them", async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const key = await generateKeyPairFromSeed("Ed25519", seed);
        expect(publicKeyOf(seed)).toEqual(Buffer.from(key.publicKey.raw));
        expect(peerIdOf(publicKeyOf(seed))).toBe(peerIdFromPrivateKey(key).toString());
      }),
      { numRuns: 50 },
    );
  });

  it("read back as the public side of what was written", () => {
    expect(parseNodeKey(vector.nodeKeyJson)).toEqual({
      kind: "parsed",
      value: { peerId: vector.peerId, publicKey: vector.publicKey },
    });
  });

  const other = renderNodeKey(Buffer.alloc(32, 7));
  const { priv_key: privateKey } = JSON.parse(vector.nodeKeyJson) as { priv_key: string };
  const { pub_key: otherPublicKey } = JSON.parse(other) as { pub_key: string };
  const wrongHalf = Buffer.from(privateKey, "base64").fill(1, 0, 32).toString("base64");

  it.each([
    ["no JSON", "secret", "node_key.json is not valid JSON"],
    ["no private key", "{}", "node_key.json: priv_key: Invalid input: expected string, received undefined"],
    [
      "a short private key",
      '{"priv_key":"AAAA","pub_key":"AAAA"}',
      "node_key.json: priv_key: expected 64 bytes in base64",
    ],
    [
      "another's public key",
      JSON.stringify({ priv_key: privateKey, pub_key: otherPublicKey }),
      "node_key.json: the two keys do not belong together",
    ],
    [
      "a seed of another key",
      JSON.stringify({ priv_key: wrongHalf, pub_key: vector.publicKey }),
      "node_key.json: the two keys do not belong together",
    ],
  ])("are refused with %s", (_, text, problem) => {
    expect(parseNodeKey(text)).toEqual({ kind: "malformed", problem });
  });

  it("take seeds of 32 bytes only", () => {
    expect(() => renderNodeKey(Buffer.alloc(31))).toThrow("a seed has 32 bytes, not 31");
  });
});

describe("proposer addresses", () => {
  it("are what ev-node's genesis names", () => {
    expect(proposerAddressOf(Buffer.from(vector.publicKey, "base64"))).toBe(vector.proposerAddress);
  });
});

describe("base58", () => {
  // The vectors of the IETF draft on base58.
  it.each([
    ["Hello World!", "2NEpo7TZRRrLZSi2U"],
    [
      "The quick brown fox jumps over the lazy dog.",
      "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
    ],
  ])("writes %j", (text, expected) => {
    expect(encodeBase58(Buffer.from(text))).toBe(expected);
  });

  it.each([
    ["0000287fb4cd", "11233QC4"],
    ["", ""],
    ["000000", "111"],
  ])("writes the bytes %s as %s", (bytes, expected) => {
    expect(encodeBase58(Buffer.from(bytes, "hex"))).toBe(expected);
  });
});
