import * as z from "zod";
import { type Parsed, parseJson } from "./parsed.ts";
import type { RpcRequest } from "./rpc.ts";

/**
 * Asks the execution client for its newest block. A block of an EVM chain has the same height in both layers: ev-node
 * begins such a chain at 1 and executes block h on block h - 1 (`execution/evm/execution.go`).
 */
export const blockNumberRequest: RpcRequest = {
  method: "POST",
  path: "/",
  body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_blockNumber", params: [] }),
};

// An error has no result, so it does not pass.
const blockNumber = z
  .object({
    result: z.string().regex(/^0x[0-9a-fA-F]{1,13}$/, "expected a block number in hexadecimal digits"),
  })
  .transform(({ result }) => Number(result));

export const parseBlockNumber = (answer: string): Parsed<number> =>
  parseJson(blockNumber, answer, "eth_blockNumber");
