import { describe, expect, it } from "vitest";
import { checkGenesis, type Genesis, parseGenesis, renderGenesis } from "../../src/evnode/genesis.ts";
import { vector } from "./fixtures.ts";

const genesis: Genesis = {
  chainId: "my-chain",
  startTime: "2026-01-01T00:00:00Z",
  initialHeight: 1,
  proposerAddress: vector.proposerAddress,
  daStartHeight: 0,
  daEpochForcedInclusion: 50,
};

const written = {
  chain_id: "my-chain",
  start_time: "2026-01-01T00:00:00Z",
  initial_height: 1,
  proposer_address: vector.proposerAddress,
  da_start_height: 0,
  da_epoch_forced_inclusion: 50,
};

describe("genesis", () => {
  it("is written with ev-node's own keys", () => {
    expect(JSON.parse(renderGenesis(genesis))).toEqual(written);
  });

  it("reads back as it was written", () => {
    expect(parseGenesis(renderGenesis(genesis))).toEqual({ kind: "parsed", value: genesis });
  });

  it("may leave out the DA start height, as ev-node reads its absence as zero", () => {
    const { da_start_height: _, ...rest } = written;
    expect(parseGenesis(JSON.stringify(rest))).toEqual({ kind: "parsed", value: genesis });
  });

  it("is not written when ev-node would refuse it", () => {
    expect(() => renderGenesis({ ...genesis, chainId: "" })).toThrow(/chain_id: expected a chain id/);
  });

  it.each<[string, object, string]>([
    ["an empty chain id", { chain_id: "" }, "chain_id: expected a chain id"],
    [
      "no start time",
      { start_time: undefined },
      "start_time: Invalid input: expected string, received undefined",
    ],
    [
      "the zero time",
      { start_time: "0001-01-01T00:00:00Z" },
      "start_time: expected an RFC 3339 time that is not zero",
    ],
    ["a date alone", { start_time: "2026-01-01" }, "start_time: expected an RFC 3339 time that is not zero"],
    ["height zero", { initial_height: 0 }, "initial_height: Too small: expected number to be >=1"],
    [
      "a height as text",
      { initial_height: "1" },
      "initial_height: Invalid input: expected number, received string",
    ],
    [
      "no proposer",
      { proposer_address: null },
      "proposer_address: Invalid input: expected string, received null",
    ],
    ["a short proposer", { proposer_address: "AAAA" }, "proposer_address: expected 32 bytes in base64"],
    [
      "a proposer in hex",
      { proposer_address: "56475aa75463474c0285df5dbf2bcab73da651358839e9b77481b2eab107708c" },
      "proposer_address: expected 32 bytes in base64",
    ],
    [
      "no forced inclusion epoch",
      { da_epoch_forced_inclusion: 0 },
      "da_epoch_forced_inclusion: Too small: expected number to be >=1",
    ],
    ["a key in another case", { Chain_ID: "other" }, 'Unrecognized key: "Chain_ID"'],
  ])("is refused with %s", (_, change, problem) => {
    const text = JSON.stringify({ ...written, ...change });
    expect(parseGenesis(text)).toEqual({ kind: "malformed", problem: `genesis.json: ${problem}` });
  });

  it("is refused when it is no JSON", () => {
    expect(parseGenesis("{")).toEqual({ kind: "malformed", problem: "genesis.json is not valid JSON" });
  });
});

describe("the genesis of a cluster", () => {
  const expected = { chainId: "my-chain", proposerAddress: vector.proposerAddress };

  it("has the cluster's chain and signer", () => {
    expect(checkGenesis(genesis, expected)).toEqual([]);
  });

  it("is wrong in every respect that differs", () => {
    const other = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    expect(checkGenesis({ ...genesis, chainId: "other", proposerAddress: other }, expected)).toEqual([
      'the genesis is of chain "other", expected "my-chain"',
      `the genesis names the proposer ${other}, but the signer's address is ${vector.proposerAddress}`,
    ]);
  });
});
