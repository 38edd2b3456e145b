import { expect, test } from "vitest";
import { parseBlockNumber } from "../../src/evnode/eth-rpc.ts";

const answer = (fields: object) => JSON.stringify({ jsonrpc: "2.0", id: 1, ...fields });

test.each<[string, number]>([
  ["0x0", 0],
  ["0x1b4", 436],
  ["0xFFFFFFFFFFFFF", 2 ** 52 - 1],
])("block number %s is %d", (result, height) => {
  expect(parseBlockNumber(answer({ result }))).toEqual({ kind: "parsed", value: height });
});

test.each<[string, string]>([
  ["decimal digits", answer({ result: "436" })],
  ["a number", answer({ result: 436 })],
  ["nothing after the prefix", answer({ result: "0x" })],
  ["more than a number can hold exactly", answer({ result: `0x${"f".repeat(14)}` })],
  ["a refusal", answer({ error: { code: -32_601, message: "method not found" } })],
  ["no JSON", "Bad Gateway"],
])("%s is no block number", (_, text) => {
  expect(parseBlockNumber(text)).toMatchObject({
    kind: "malformed",
    problem: expect.stringMatching(/^eth_blockNumber/) as unknown,
  });
});
