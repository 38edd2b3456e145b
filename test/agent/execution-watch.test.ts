import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Board, newBoard } from "../../src/agent/board.ts";
import { newExecutionLook } from "../../src/agent/execution-watch.ts";
import { type HttpClient, newHttpClient } from "../../src/agent/http-client.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { type ExecutionClient, startExecutionClient } from "./execution-client.ts";
import { closedNode, openNode } from "./findings.ts";
import { recordedLog } from "./recorded-log.ts";

let clock: VirtualClock;
let http: HttpClient;
let board: Board;
let client: ExecutionClient;
let look: () => Promise<void>;

beforeEach(async () => {
  clock = new VirtualClock();
  http = newHttpClient(clock);
  board = newBoard(
    { member: "chain-0", podUid: "uid-0", maxBlocksBehind: 10, bootId: "boot" },
    clock,
    recordedLog(),
  );
  client = await startExecutionClient(57);
  look = newExecutionLook({ http, clock, board, ports: client.ports });
});
afterEach(async () => {
  http.close();
  await client.close();
});

const at = (height: number) =>
  openNode({ height: { value: height, atMs: clock.monotonicMs() }, head: undefined });

test("the height is asked for by the call that every execution client knows", async () => {
  await look();
  expect(client.asked).toEqual([{ jsonrpc: "2.0", id: 1, method: "eth_blockNumber", params: [] }]);
  expect(board.answer().execution).toEqual({ height: 57, isEngineOpen: true });
});

test.each<[string, number, number]>([
  ["as high as ev-node's own blocks", 57, 0],
  ["below them", 99, 42],
  ["above them, as after a crash between the two", 56, 0],
])("a layer that is %s", async (_, own, blocksBehind) => {
  board.update({ node: at(own) });
  await look();
  expect(board.answer().execution).toEqual({ height: 57, blocksBehind, isEngineOpen: true });
});

test("how far it is behind is a finding of one look, whatever comes between two", async () => {
  board.update({ node: at(57) });
  await look();
  board.update({ node: at(90) });
  expect(board.answer().execution).toMatchObject({ blocksBehind: 0 });
  client.height = 60;
  await look();
  expect(board.answer().execution).toMatchObject({ height: 60, blocksBehind: 30 });
});

describe("what is no answer leaves it unknown, after a while", () => {
  test.each<[string, unknown]>([
    ["an error", { jsonrpc: "2.0", id: 1, error: { code: -32_000, message: "busy" } }],
    ["no number", { jsonrpc: "2.0", id: 1, result: null }],
    ["a number without its prefix", { jsonrpc: "2.0", id: 1, result: "39" }],
    ["a number that nobody can count to", { jsonrpc: "2.0", id: 1, result: `0x${"f".repeat(16)}` }],
    ["a text", "<html>"],
  ])("%s", async (_, says) => {
    board.update({ node: at(57) });
    await look();
    client.says = says;
    await clock.advance(4_000);
    await look();
    expect(board.answer().execution).toMatchObject({ height: 57, blocksBehind: 0 });
    await clock.advance(1_001);
    await look();
    expect(board.answer().execution).toEqual({ isEngineOpen: true });
  });
});

test("without ev-node's own height nothing is said about the two together", async () => {
  board.update({ node: closedNode() });
  await look();
  expect(board.answer().execution).toEqual({ height: 57, isEngineOpen: true });
});

test("an engine that refuses is closed, whatever the other port says", async () => {
  await client.stopEngine();
  await look();
  expect(board.answer().execution).toEqual({ height: 57, isEngineOpen: false });
});

test("a client that is gone is closed, and its height is soon no longer known", async () => {
  await look();
  await client.close();
  await clock.advance(5_001);
  await look();
  expect(board.answer().execution).toEqual({ isEngineOpen: false });
});
