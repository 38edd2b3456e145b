import { expect, test } from "vitest";
import { BlockLook } from "../../src/agent/block-look.ts";
import { type Board, newBoard } from "../../src/agent/board.ts";
import type { HttpClient, HttpResult } from "../../src/agent/http-client.ts";
import type { BlockAnswer } from "../../src/model/agent-protocol.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { openNode } from "./findings.ts";
import { recordedLog } from "./recorded-log.ts";

const clock = new VirtualClock();
const settings = { member: "chain-0", podUid: "uid-0", maxBlocksBehind: 10, bootId: "boot" };

function lookWith(send: HttpClient["send"], height = 20): BlockLook {
  const board: Board = newBoard(settings, clock, recordedLog());
  board.update({ node: openNode({ height: { value: height, atMs: clock.monotonicMs() } }) });
  const look = new BlockLook({ http: { send, close: () => {} }, board, clock });
  look.use(7331);
  return look;
}

const header = { chainId: "rollup-1", height: "17" };
const block = (height: string): HttpResult => ({
  kind: "answered",
  status: 200,
  body: JSON.stringify({ block: { header: { header: { ...header, height }, signature: "AA==" } } }),
});
const refusal = (status: number, code: string, message = "m"): HttpResult => ({
  kind: "answered",
  status,
  body: JSON.stringify({ code, message }),
});
/** In the words of ev-node. */
const missing = refusal(
  500,
  "internal",
  "failed to retrieve block data: load block header: datastore: key not found",
);

test.each<[string, HttpResult, number, BlockAnswer | "a hash"]>([
  ["a block", block("17"), 20, "a hash"],
  [
    "another block than the one that was asked for",
    block("18"),
    20,
    { kind: "unknown", why: "the answer of ev-node is not that block" },
  ],
  [
    "what is no block",
    { kind: "answered", status: 200, body: "OK" },
    20,
    { kind: "unknown", why: "the answer of ev-node is not that block" },
  ],
  ["no block, and it is further", missing, 20, { kind: "pruned" }],
  ["no block, and it is not so far", missing, 16, { kind: "unknown", why: "ev-node has not come so far" }],
  ["an empty store", refusal(404, "not_found"), 0, { kind: "unknown", why: "ev-node has not come so far" }],
  [
    "an error",
    refusal(500, "internal"),
    20,
    { kind: "unknown", why: "ev-node answers with HTTP status 500" },
  ],
  ["a closed port", { kind: "refused" }, 20, { kind: "unknown", why: "ev-node does not answer" }],
  ["no answer in time", { kind: "failed", why: "no answer" }, 20, { kind: "unknown", why: "no answer" }],
])("ev-node gives %s", async (_, result, height, expected) => {
  const answer = await lookWith(async () => result, height).at(17);
  const hasHash = answer.kind === "held" && /^[0-9a-f]{64}$/.test(answer.hash);
  expect(hasHash ? "a hash" : answer).toEqual(expected);
});

test("nothing is asked before the member is prepared", async () => {
  const board = newBoard(settings, clock, recordedLog());
  const http: HttpClient = { send: () => Promise.reject(new Error("nobody may be asked")), close: () => {} };
  expect(await new BlockLook({ http, board, clock }).at(1)).toMatchObject({ kind: "unknown" });
});

test("ev-node is asked for four blocks at once, and no more", async () => {
  const waiting: (() => void)[] = [];
  const look = lookWith(() => new Promise((resolve) => waiting.push(() => resolve(block("17")))));
  const first = [1, 2, 3, 4].map(() => look.at(17));
  expect(await look.at(17)).toEqual({ kind: "unknown", why: "4 blocks are asked for already" });
  for (const end of waiting) end();
  await Promise.all(first);
  const last = look.at(17);
  waiting.at(-1)?.();
  expect(await last).toMatchObject({ kind: "held" });
});
