import { describe, expect, it } from "vitest";
import { type HashedHeader, headerHash } from "../../src/evnode/header-hash.ts";
import { readBlock } from "../e2e/harness/header-hash.ts";

const filled = (value: number) => Buffer.alloc(32, value);

const full: HashedHeader = {
  blockVersion: 11n,
  appVersion: 300n,
  height: 1_234_567n,
  time: 1_795_382_870_699_096_126n,
  lastHeaderHash: filled(1),
  dataHash: filled(2),
  appHash: filled(3),
  proposerAddress: filled(4),
  validatorHash: filled(5),
  chainId: "chain-of-tests",
};
const empty: HashedHeader = {
  blockVersion: 0n,
  appVersion: 0n,
  height: 1n,
  time: 0n,
  lastHeaderHash: Buffer.alloc(0),
  dataHash: Buffer.alloc(0),
  appHash: Buffer.alloc(0),
  proposerAddress: Buffer.alloc(0),
  validatorHash: Buffer.alloc(0),
  chainId: "",
};

/** What the observer of the end-to-end tests makes of the same header: written apart from this program. */
function observed(header: HashedHeader): string {
  const base64 = (value: Uint8Array) => Buffer.from(value).toString("base64");
  const { blockVersion, appVersion, height, time, chainId } = header;
  const written = {
    version: { block: String(blockVersion), app: String(appVersion) },
    height: String(height),
    time: String(time),
    lastHeaderHash: base64(header.lastHeaderHash),
    dataHash: base64(header.dataHash),
    appHash: base64(header.appHash),
    proposerAddress: base64(header.proposerAddress),
    validatorHash: base64(header.validatorHash),
    chainId,
  };
  return readBlock(JSON.stringify({ block: { header: { header: written } } })).hash;
}

describe("the hash of a header", () => {
  it.each([
    ["with every field", full],
    ["with nothing but a height", empty],
  ])("is what the observer of the tests computes, %s", (_, header) => {
    expect(headerHash(header)).toBe(observed(header));
  });

  it("is another one when any field is", () => {
    const hashes = Object.keys(full).map((key) =>
      headerHash({ ...full, [key]: empty[key as keyof HashedHeader] }),
    );
    expect(new Set([headerHash(full), ...hashes]).size).toBe(11);
  });
});
