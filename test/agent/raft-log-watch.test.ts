import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Board, newBoard } from "../../src/agent/board.ts";
import { RaftLogWatch } from "../../src/agent/raft-log-watch.ts";
import { LOG_FILE } from "../../src/evnode/raft-store.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { closedNode, openNode } from "./findings.ts";
import { recordedLog } from "./recorded-log.ts";

let folder: string;
let clock: VirtualClock;
let board: Board;
let watch: RaftLogWatch;
let written: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "raft-log-"));
  clock = new VirtualClock();
  const settings = { member: "chain-0", podUid: "uid", maxBlocksBehind: 10, bootId: "boot" };
  board = newBoard(settings, clock, recordedLog());
  watch = new RaftLogWatch({ raftFolder: folder, board, clock });
  written = 1_000;
  await writeLog();
});

afterEach(() => rm(folder, { recursive: true }));

async function writeLog(): Promise<void> {
  written += 1;
  await writeFile(join(folder, LOG_FILE), "entries");
  await utimes(join(folder, LOG_FILE), written, written);
}

async function lookAfter(ms: number): Promise<ReturnType<Board["answer"]>["raftLog"]> {
  await clock.advance(ms);
  await watch.look();
  return board.answer().raftLog;
}

test("nothing is told while ev-node knows no leader, whatever is written", async () => {
  board.update({ node: closedNode() });
  expect(await lookAfter(250)).toBeUndefined();
  await writeLog();
  expect(await lookAfter(250)).toBeUndefined();
});

test("what was written before ev-node knew a leader is not counted", async () => {
  board.update({ node: openNode() });
  expect(await lookAfter(250)).toEqual({ writes: 0, agoMs: 0 });
  expect(await lookAfter(1_000)).toEqual({ writes: 0, agoMs: 1_000 });
});

test("writes are counted, those that are close together once, and the last one ages", async () => {
  board.update({ node: openNode() });
  await lookAfter(250);
  await writeLog();
  expect(await lookAfter(250)).toEqual({ writes: 0, agoMs: 250 });
  expect(await lookAfter(250)).toEqual({ writes: 1, agoMs: 0 });
  expect(await lookAfter(500)).toEqual({ writes: 1, agoMs: 500 });
  await writeLog();
  expect(await lookAfter(250)).toEqual({ writes: 2, agoMs: 0 });
});

test("a process that ended begins again at nothing", async () => {
  board.update({ node: openNode() });
  await lookAfter(250);
  await writeLog();
  expect(await lookAfter(500)).toEqual({ writes: 1, agoMs: 0 });
  board.update({ node: closedNode() });
  expect(await lookAfter(250)).toBeUndefined();
  board.update({ node: openNode() });
  expect(await lookAfter(250)).toEqual({ writes: 0, agoMs: 0 });
});

test("a log that is not there is none", async () => {
  await rm(join(folder, LOG_FILE));
  board.update({ node: openNode() });
  expect(await lookAfter(250)).toBeUndefined();
});

test("that the log grows is no news by itself", async () => {
  board.update({ node: openNode() });
  await lookAfter(250);
  const { version } = board.answer();
  await writeLog();
  expect(await lookAfter(500)).toEqual({ writes: 1, agoMs: 0 });
  expect(board.answer().version).toBe(version);
});
