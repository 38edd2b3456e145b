import { describe, expect, it } from "vitest";
import { ChainRecord } from "./chain-record.ts";
import { readBlock } from "./header-hash.ts";

/** An observer that sees nothing wrong proves nothing, so it is shown what is wrong. */
const block = (height: number, hash = `hash-${height}`, parent = `hash-${height - 1}`) => ({
  height,
  hash,
  parent,
});

function sound(): ChainRecord {
  const record = new ChainRecord(3);
  for (const member of ["seq-0", "seq-1", "seq-2"]) {
    for (const height of [1, 2, 3]) record.see(member, block(height));
  }
  return record;
}

describe("the record of a chain", () => {
  it("finds nothing wrong with equal chains", () => {
    const record = sound();
    expect(record.problems()).toEqual([]);
    expect(record.withdrawn()).toEqual([]);
    expect(record.top).toBe(3);
  });

  it("finds a member that holds another block", () => {
    const record = sound();
    record.readAgain("seq-2");
    record.see("seq-2", block(3, "other"));
    expect(record.problems()).toEqual([
      "there are 2 blocks of height 3: hash-3 (seq-0, seq-1, seq-2) and other (seq-2)",
    ]);
  });

  it("finds a chain that was begun again, although all members agree", () => {
    const record = sound();
    for (const member of ["seq-0", "seq-1", "seq-2"]) {
      record.readAgain(member);
      record.see(member, block(1, "again"));
    }
    expect(record.problems()).toEqual([
      "there are 2 blocks of height 1: hash-1 (seq-0, seq-1, seq-2) and again (seq-0, seq-1, seq-2)",
    ]);
  });

  it("finds a block that is built on another one than the member holds", () => {
    const record = sound();
    for (const member of ["seq-0", "seq-1"]) record.see(member, block(4, "hash-4", "elsewhere"));
    expect(record.problems()).toEqual([
      "seq-0: block 4 is built on elsewhere, but block 3 is hash-3",
      "seq-1: block 4 is built on elsewhere, but block 3 is hash-3",
    ]);
  });

  it("finds a block that a member lacks, until it has it", () => {
    const record = sound();
    record.seeHole("seq-1", 4);
    expect(record.problems()).toEqual(["seq-1 lacks block 4"]);
    record.see("seq-1", block(4));
    expect(record.problems()).toEqual([]);
  });

  it("tells a block that went with a killed leader from a fork", () => {
    const record = sound();
    record.see("seq-0", block(4, "last"));
    record.readAgain("seq-0");
    for (const member of ["seq-0", "seq-1", "seq-2"]) {
      for (const height of [1, 2, 3, 4]) record.see(member, block(height));
    }
    expect(record.problems()).toEqual([]);
    expect(record.withdrawn()).toEqual(["block 4 last of seq-0"]);
    expect(record.servedTwice()).toEqual([
      "there are 2 blocks of height 4: last (seq-0) and hash-4 (seq-0, seq-1, seq-2)",
    ]);
  });

  it("counts a block as settled when a majority served it", () => {
    const record = sound();
    record.see("seq-0", block(4));
    expect(record.top).toBe(3);
    record.see("seq-1", block(4));
    expect(record.top).toBe(4);
    expect(record.hashAt(4)).toBe("hash-4");
  });
});

describe("a block's hash", () => {
  // Served by a real node; the block above it names the hash.
  const served = {
    version: {},
    height: "100",
    time: "1795382937677318706",
    lastHeaderHash: "UCf5pXmCEGIUZvoMG6XD7XVuJbTffPt+bSm7EEcWmNk=",
    dataHash: "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=",
    appHash: "km3omrAfw3DPr6URQoCfzcHPp58aWcMhmCXzdxAjWJk=",
    proposerAddress: "YCUXSdEqc6GaudP2rpcj7Ub7s/MwryK0JK7n03VMdW0=",
    chainId: "my-chain-1",
  };
  const answer = (header: object) => JSON.stringify({ block: { header: { header } } });

  it("is the one that the next block names as its parent", () => {
    const { height, hash, parent } = readBlock(answer(served));
    expect(height).toBe(100);
    expect(Buffer.from(hash, "hex").toString("base64")).toBe("/6rkrV/L2MFVDmTrEN0d21VGgMTT3UViaBQL0SH5MOM=");
    expect(Buffer.from(parent, "hex").toString("base64")).toBe(served.lastHeaderHash);
  });

  it("is another one when any part of the header is another one", () => {
    const { hash } = readBlock(answer(served));
    const changes = [
      { time: "1795382937677318707" },
      { chainId: "my-chain-2" },
      { appHash: served.dataHash },
    ];
    for (const change of changes) expect(readBlock(answer({ ...served, ...change })).hash).not.toBe(hash);
  });
});
