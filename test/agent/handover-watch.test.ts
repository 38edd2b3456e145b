import { beforeEach, describe, expect, test } from "vitest";
import { type Board, newBoard } from "../../src/agent/board.ts";
import type { NodeFinding } from "../../src/agent/findings.ts";
import { HandoverWatch } from "../../src/agent/handover-watch.ts";
import type { AskNode } from "../../src/agent/node-rpc.ts";
import type { RpcRequest } from "../../src/evnode/rpc.ts";
import { LEADS_KEPT } from "../../src/model/agent-protocol.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { closedNode, openNode } from "./findings.ts";
import { Chain } from "./headers.ts";
import { type RecordedLog, recordedLog } from "./recorded-log.ts";

/** A block each second, but for a pause of five seconds after block 50. */
const chain = new Chain((height) => height * 1_000 + (height > 50 ? 4_000 : 0));

let clock: VirtualClock;
let log: RecordedLog;
let board: Board;
let watch: HandoverWatch;
let chainHeight: number;
let asked: string[];
let refused: ReadonlySet<number>;

beforeEach(() => {
  clock = new VirtualClock();
  log = recordedLog();
  board = newBoard({ member: "chain-0", podUid: "uid", maxBlocksBehind: 10, bootId: "boot" }, clock, log);
  chainHeight = 50;
  asked = [];
  refused = new Set();
  watch = new HandoverWatch({ ask, board, clock, log });
  sees(follower());
});

/** What ev-node answers; undefined when it refuses. */
function answerTo({ path, body = "" }: RpcRequest): object | undefined {
  if (path.endsWith("/GetState")) {
    asked.push("state");
    const state = {
      chainId: "c",
      lastBlockHeight: String(chainHeight),
      lastBlockTime: "2030-01-01T00:00:00Z",
    };
    return chainHeight === 0 ? undefined : { state };
  }
  const height = Number(JSON.parse(body).height);
  asked.push(String(height));
  return height > chainHeight || refused.has(height) ? undefined : chain.answer(height);
}

const ask: AskNode = async (what, parse) => {
  const answer = answerTo(what);
  const reading = answer === undefined ? undefined : parse(JSON.stringify(answer));
  return reading?.kind === "parsed" ? { value: reading.value, atMs: clock.monotonicMs() } : undefined;
};

const height = () => ({ value: chainHeight, atMs: clock.monotonicMs() });
const follower = () => openNode({ isLeader: false, height: height() });
const leader = () => openNode({ isLeader: true, height: height() });
const unknown = () => openNode({ isLeader: undefined, height: height() });

function sees(node: NodeFinding): void {
  board.update({ node });
}

/** What the agent does in half a second. */
async function look(node: NodeFinding): Promise<void> {
  sees(node);
  await watch.notice();
  await watch.tend();
  await clock.advance(500);
}

describe("a member that takes the lead", () => {
  test("tells of the longest pause around it, once two more blocks exist", async () => {
    await look(leader());
    chainHeight = 51;
    await look(leader());
    expect([board.answer().handover, asked]).toEqual([undefined, ["state"]]);

    chainHeight = 52;
    await look(leader());
    expect(board.answer().handover).toEqual({
      lastHeight: 50,
      lastHash: chain.hashOf(50),
      parentHash: chain.hashOf(50),
      firstHash: chain.hashOf(51),
      gapMs: 5_000,
      ageMs: 1_500,
    });
    expect(asked).toEqual(["state", "44", "45", "46", "47", "48", "49", "50", "51", "52"]);
  });

  test("counts each time, and tells of those within the last hour", async () => {
    const times = () => board.answer().leadAgesMs;
    expect(times()).toEqual([]);
    await look(leader());
    await look(leader());
    expect(times()).toEqual([1_000]);
    await look(closedNode());
    await look(leader());
    expect(times()).toEqual([500, 2_000]);
    await clock.advance(3_599_000);
    expect(times()).toEqual([3_599_500]);
  });

  test("tells of so many at most", async () => {
    for (let count = 0; count < 2 * LEADS_KEPT; count += 1) {
      await look(leader());
      await look(follower());
    }
    expect(board.answer().leadAgesMs).toHaveLength(LEADS_KEPT);
    expect(board.answer().leadAgesMs?.[0]).toBe(1_000);
  });

  test("is looked at around the height at which it was first seen, however late the look is", async () => {
    sees(leader());
    await watch.notice();
    chainHeight = 80;
    await look(leader());
    expect([board.answer().handover?.lastHeight, asked.at(-1)]).toEqual([50, "56"]);
  });

  test.each([
    ["that was seen late", 54],
    ["with blocks that the last leader left in the Raft log", 47],
  ])("finds the pause of a lead %s", async (_, seenAt) => {
    chainHeight = seenAt;
    await look(leader());
    chainHeight = 70;
    await look(leader());
    expect(board.answer().handover?.lastHeight).toBe(50);
    expect(asked.at(-1)).toBe(String(seenAt + 6));
  });

  test("of a chain that has no block yet begins with the first one", async () => {
    chainHeight = 0;
    await look(leader());
    chainHeight = 3;
    await look(leader());
    chainHeight = 5;
    await look(leader());
    expect(asked).toEqual(["state", "state", "state", "1", "2", "3", "4", "5"]);
  });

  test("is asked for nothing as long as it leads", async () => {
    await look(leader());
    chainHeight = 52;
    await look(leader());
    asked.length = 0;
    for (let count = 0; count < 100; count += 1) {
      chainHeight += 1;
      await look(leader());
    }
    expect(asked).toEqual([]);
    expect(board.answer().handover?.ageMs).toBe(51_000);
  });

  test.each([
    ["followed", follower],
    ["did not say whether it led", unknown],
    ["was closed", closedNode],
  ])("again, after it %s, tells of it again", async (_, between) => {
    await look(leader());
    chainHeight = 52;
    await look(leader());
    chainHeight = 80;
    await look(between());
    expect(board.answer().handover?.lastHeight).toBe(50);
    await look(leader());
    chainHeight = 82;
    await look(leader());
    expect(board.answer().handover?.lastHeight).toBe(74);
  });
});

test("a member that follows is asked for nothing", async () => {
  for (const node of [follower(), closedNode(), unknown(), follower()]) await look(node);
  expect([asked, board.answer().handover]).toEqual([[], undefined]);
});

describe("nothing is told", () => {
  test("of a lead that was lost before two blocks", async () => {
    await look(leader());
    await look(follower());
    chainHeight = 60;
    await look(follower());
    expect([board.answer().handover, asked]).toEqual([undefined, ["state"]]);
  });

  test("of a lead that was lost while the blocks were read", async () => {
    await look(leader());
    chainHeight = 52;
    sees(leader());
    await watch.notice();
    const reading = watch.tend();
    sees(follower());
    await watch.notice();
    await reading;
    expect(board.answer().handover).toBeUndefined();
  });

  test("of a leader that makes no block for minutes, and it is waited for no longer", async () => {
    await look(leader());
    await clock.advance(300_000);
    await look(leader());
    expect(log.lines.at(-1)?.message).toBe("cannot tell how this member took the lead");
    chainHeight = 60;
    await look(leader());
    expect([board.answer().handover, asked]).toEqual([undefined, ["state"]]);
  });

  test("when no two consecutive blocks can be read, and they are asked for three times", async () => {
    refused = new Set([45, 47, 49, 51]);
    await look(leader());
    chainHeight = 52;
    for (let count = 0; count < 10; count += 1) await look(leader());
    expect(asked).toHaveLength(1 + 3 * 9);
    expect(log.lines.at(-1)?.message).toBe("cannot tell how this member took the lead");
    expect(board.answer().handover).toBeUndefined();
  });
});

test("blocks that can be read a moment later are told of", async () => {
  refused = new Set([45, 47, 49, 51]);
  await look(leader());
  chainHeight = 52;
  await look(leader());
  refused = new Set();
  await look(leader());
  expect(board.answer().handover).toMatchObject({ lastHeight: 50, gapMs: 5_000 });
});
