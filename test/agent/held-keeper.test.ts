import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Board, newBoard } from "../../src/agent/board.ts";
import { realDisk } from "../../src/agent/disk.ts";
import { HeldKeeper } from "../../src/agent/held-keeper.ts";
import { STILL_MS } from "../../src/agent/levelling.ts";
import { isHeld } from "../../src/agent/run-kind.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { openNode, peer } from "./findings.ts";
import { recordedLog } from "./recorded-log.ts";

/** The keeper of a member that is frozen while its ev-node runs in Raft. */
let folder: string;
let clock: VirtualClock;
let board: Board;
let processes: readonly string[];
let stops: number;
let heights: { own: number; other: number };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "held-keeper-"));
  clock = new VirtualClock();
  board = newBoard(
    { member: "chain-0", podUid: "uid", maxBlocksBehind: 10, bootId: "boot" },
    clock,
    recordedLog(),
  );
  const change = { kind: "frozen", to: 2 } as const;
  board.update({
    volume: { kind: "intact", epoch: 1, started: true, change },
    node: openNode({ isLeader: true }),
  });
  processes = ["7 started at 100"];
  stops = 0;
  heights = { own: 50, other: 50 };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function newKeeper(): Promise<HeldKeeper> {
  const keeper = new HeldKeeper({
    disk: realDisk,
    configFolder: folder,
    raftFolder: undefined,
    configs: { raft: "raft", level: "level" },
    board,
    clock,
    log: recordedLog(),
    stopNode: async () => {
      stops += 1;
      return processes.length > 0;
    },
    nodeProcesses: async () => processes,
    look: async () => {
      const atMs = clock.monotonicMs();
      const height = { value: heights.other, atMs };
      const node = openNode({ isLeader: undefined, height: { value: heights.own, atMs } });
      board.update({ node, peers: [peer("chain-1", { height })] });
    },
  });
  await keeper.begin();
  return keeper;
}

async function tendFor(keeper: HeldKeeper, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 250) {
    await clock.advance(250);
    await keeper.tend();
  }
}

const change = () => {
  const { volume } = board.answer();
  return volume.kind === "intact" ? volume.change : undefined;
};

test("it is settled once what ran before has ended, and something runs again", async () => {
  const keeper = await newKeeper();
  await keeper.tend();
  expect([change(), stops, await isHeld(folder, processes)]).toEqual([{ kind: "frozen", to: 2 }, 1, false]);
  processes = [];
  await keeper.tend();
  expect([change(), await isHeld(folder, processes)]).toEqual([{ kind: "frozen", to: 2 }, true]);
  processes = ["9 started at 200"];
  await keeper.tend();
  expect(change()).toEqual({ kind: "frozen", to: 2, settled: true });
  expect(await readFile(join(folder, "evnode.yaml"), "utf8")).toBe("level");
});

test("what the process before said is not told as settled", async () => {
  const keeper = await newKeeper();
  processes = ["9 started at 200"];
  const told: unknown[] = [];
  board.onChange(() => told.push(board.answer().node));
  await keeper.tend();
  expect(told).toMatchObject([{ kind: "closed" }]);
});

test("an agent that starts anew beside the old process ends it, and beside a full node restarts nothing", async () => {
  await newKeeper();
  board.update({ isSettled: false });
  const second = await newKeeper();
  await second.tend();
  expect([change()?.settled, stops]).toEqual([undefined, 1]);
  processes = ["9 started at 200"];
  await second.tend();
  board.update({ isSettled: false });
  const third = await newKeeper();
  await third.tend();
  expect([change()?.settled, stops]).toEqual([true, 1]);
});

test("a full node that crashes is not settled until it is back", async () => {
  const keeper = await newKeeper();
  processes = ["9 started at 200"];
  await keeper.tend();
  processes = [];
  await keeper.tend();
  expect(change()?.settled).toBeUndefined();
  processes = ["11 started at 300"];
  await keeper.tend();
  expect([change()?.settled, stops]).toEqual([true, 0]);
});

test("ev-node is started anew for blocks that another has and that do not come, and for nothing else", async () => {
  const keeper = await newKeeper();
  processes = ["9 started at 200"];
  await tendFor(keeper, 60_000);
  expect(stops).toBe(0);
  heights = { own: 50, other: 51 };
  await tendFor(keeper, STILL_MS);
  expect(stops).toBe(0);
  await tendFor(keeper, 500);
  expect(stops).toBe(1);
  // Twice as long for the second time.
  await tendFor(keeper, STILL_MS * 1.5);
  expect(stops).toBe(1);
  await tendFor(keeper, STILL_MS);
  expect(stops).toBe(2);
  heights = { own: 51, other: 51 };
  await tendFor(keeper, 60_000);
  expect(stops).toBe(2);
});
