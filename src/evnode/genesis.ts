import * as z from "zod";
import { base64Bytes } from "./base64.ts";
import { type Parsed, parsed, parseJson } from "./parsed.ts";
import { parseTimestampMs } from "./timestamp.ts";

export interface Genesis {
  readonly chainId: string;
  /** RFC 3339. */
  readonly startTime: string;
  readonly initialHeight: number;
  /** SHA-256 of the signer's public key, in base64. */
  readonly proposerAddress: string;
  readonly daStartHeight: number;
  readonly daEpochForcedInclusion: number;
}

const yearOneMs = -62_135_596_800_000;

// Go reads an absent number as zero and ignores unknown keys. Only what no reader can take for something else passes.
const genesisSchema = z.strictObject({
  chain_id: z.string().min(1, "expected a chain id"),
  start_time: z.string().refine(isStartTime, "expected an RFC 3339 time that is not zero"),
  initial_height: z.int().min(1),
  proposer_address: base64Bytes(32),
  da_start_height: z.int().min(0).default(0),
  da_epoch_forced_inclusion: z.int().min(1),
});

export function renderGenesis(genesis: Genesis): string {
  const text = JSON.stringify({
    chain_id: genesis.chainId,
    start_time: genesis.startTime,
    initial_height: genesis.initialHeight,
    proposer_address: genesis.proposerAddress,
    da_start_height: genesis.daStartHeight,
    da_epoch_forced_inclusion: genesis.daEpochForcedInclusion,
  });
  const readBack = parseGenesis(text);
  if (readBack.kind === "malformed") throw new Error(`cannot render a genesis: ${readBack.problem}`);
  return text;
}

export function parseGenesis(text: string): Parsed<Genesis> {
  const result = parseJson(genesisSchema, text, "genesis.json");
  if (result.kind === "malformed") return result;

  const written = result.value;
  return parsed({
    chainId: written.chain_id,
    startTime: written.start_time,
    initialHeight: written.initial_height,
    proposerAddress: written.proposer_address.toString("base64"),
    daStartHeight: written.da_start_height,
    daEpochForcedInclusion: written.da_epoch_forced_inclusion,
  });
}

interface ExpectedGenesis {
  readonly chainId: string;
  readonly proposerAddress: string;
  /** A block of an EVM chain has the height of its block in the execution layer, whose first one is 1. */
  readonly isEvm?: boolean;
}

/** Why this genesis is not the one of the chain and signer at hand, in words; empty when it is. */
export function checkGenesis(genesis: Genesis, expected: ExpectedGenesis): readonly string[] {
  const problems: string[] = [];
  if (genesis.chainId !== expected.chainId) {
    problems.push(`the genesis is of chain "${genesis.chainId}", expected "${expected.chainId}"`);
  }
  if (genesis.proposerAddress !== expected.proposerAddress) {
    problems.push(
      `the genesis names the proposer ${genesis.proposerAddress}, but the signer's address is ${expected.proposerAddress}`,
    );
  }
  if (expected.isEvm && genesis.initialHeight !== 1) {
    problems.push(`the genesis begins at height ${genesis.initialHeight}, an EVM chain has to begin at 1`);
  }
  return problems;
}

function isStartTime(text: string): boolean {
  const startMs = parseTimestampMs(text);
  return startMs !== undefined && startMs !== yearOneMs;
}
