import { beforeEach, describe, expect, test } from "vitest";
import { type Board, newBoard } from "../../src/agent/board.ts";
import type { Findings } from "../../src/agent/findings.ts";
import { agentAnswerSchema } from "../../src/model/agent-protocol.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { closedNode, handover, inSync, layer, NOW, openNode, peer } from "./findings.ts";
import { type RecordedLog, recordedLog } from "./recorded-log.ts";

let clock: VirtualClock;
let log: RecordedLog;
let board: Board;

beforeEach(async () => {
  clock = new VirtualClock();
  log = recordedLog();
  await clock.advance(NOW);
  board = newBoard({ member: "chain-0", podUid: "uid-0", maxBlocksBehind: 10, bootId: "boot" }, clock, log);
  board.update(inSync);
});

const refusedPrepare = { kind: "refused", reason: "Volume", message: "one" } as const;

describe("the version changes with the meaning", () => {
  const cases: readonly [title: string, changes: Partial<Findings>][] = [
    ["another leader", { node: openNode({ isLeader: true }) }],
    ["a leader that is not known", { node: openNode({ isLeader: undefined }) }],
    ["a closed server", { node: closedNode() }],
    ["another peer id", { node: openNode({ peerId: "12D4" }) }],
    ["another namespace", { node: openNode({ daNamespace: "0x02" }) }],
    [
      "a blocked raft port",
      { peers: [peer("chain-1", { raft: { kind: "timedOut", atMs: NOW } }), peer("chain-2")] },
    ],
    [
      "a refused P2P port",
      { peers: [peer("chain-1"), peer("chain-2", { p2p: { kind: "refused", rttMs: 1, atMs: NOW } })] },
    ],
    [
      "round trips that have become a measure",
      {
        peers: [
          peer("chain-1", { roundTrips: Array.from({ length: 10 }, () => ({ value: 9, atMs: NOW })) }),
          peer("chain-2"),
        ],
      },
    ],
    [
      "a path that has been blocked for long",
      { peers: [peer("chain-1", { raftTrouble: { sinceMs: NOW, lasts: true } }), peer("chain-2")] },
    ],
    [
      "the same of a P2P port",
      { peers: [peer("chain-1", { p2pTrouble: { sinceMs: NOW, lasts: true } }), peer("chain-2")] },
    ],
    [
      "a name that is gone",
      { peers: [peer("chain-1"), peer("chain-2", { p2p: { kind: "unresolved", atMs: NOW } })] },
    ],
    ["a damaged volume", { volume: { kind: "damaged", message: "x" } }],
    ["a volume that may start", { volume: { kind: "intact", epoch: 1, started: false } }],
    ["prepare at another step", { prepare: refusedPrepare }],
    ["another config revision", { configRevision: "abcdef0123" }],
    ["a config revision that waits", { pendingConfig: { revision: "abcdef0123", message: "x" } }],
    ["another restart token", { restartToken: "token-2" }],
    ["another executed order", { executedOrder: "rejoin-1" }],
    ["a refused order", { refusedOrder: { id: "rejoin-2", message: "x" } }],
    ["a height too far behind to be ready", { node: openNode({ height: { value: 1, atMs: NOW } }) }],
    ["another cluster", { clusterId: "def" }],
    ["a lead that was taken", { handover: handover() }],
    ["an execution client", { execution: layer() }],
    [
      "an execution layer too far behind to be ready",
      { execution: layer({ blocksBehind: { value: 11, atMs: NOW } }) },
    ],
  ];
  test.each(cases)("%s", (_, changes) => {
    const before = board.version();
    board.update(changes);
    expect(board.version()).not.toBe(before);
  });
});

describe("the version stays with what moves by itself", () => {
  const cases: readonly [title: string, first: Partial<Findings>, changes: Partial<Findings>][] = [
    ["heights", {}, { node: openNode({ height: { value: 51, atMs: NOW } }) }],
    [
      "the head",
      {},
      { node: openNode({ head: { value: { height: 51, hash: "cd", timeMs: 2 }, atMs: NOW } }) },
    ],
    [
      "round trips",
      {},
      { peers: [peer("chain-1", { raft: { kind: "reached", rttMs: 9, atMs: NOW } }), peer("chain-2")] },
    ],
    [
      "round trips that are remembered",
      {},
      { peers: [peer("chain-1", { roundTrips: [{ value: 9, atMs: NOW }] }), peer("chain-2")] },
    ],
    [
      "trouble that has not lasted",
      {},
      { peers: [peer("chain-1", { raftTrouble: { sinceMs: NOW, lasts: false } }), peer("chain-2")] },
    ],
    [
      "heights of peers",
      {},
      { peers: [peer("chain-1", { height: { value: 55, atMs: NOW } }), peer("chain-2")] },
    ],
    [
      "the height of the execution layer",
      { execution: layer() },
      { execution: layer({ height: { value: 51, atMs: NOW }, blocksBehind: { value: 1, atMs: NOW } }) },
    ],
    ["free space", {}, { disk: { freeBytes: 1, totalBytes: 2_000 } }],
    [
      "the words of a refusal",
      { prepare: refusedPrepare },
      { prepare: { ...refusedPrepare, message: "two" } },
    ],
    [
      "the words of a damage",
      { volume: { kind: "damaged", message: "one" } },
      { volume: { kind: "damaged", message: "two" } },
    ],
    ["how long a server has been closed", { node: closedNode() }, { node: closedNode({ sinceMs: NOW - 1 }) }],
    [
      "when the lead was taken",
      { handover: handover() },
      { handover: handover({ atMs: NOW - 1, gapMs: 1 }) },
    ],
    ["nothing", {}, {}],
  ];
  test.each(cases)("%s", (_, first, changes) => {
    board.update(first);
    const before = board.version();
    const lineCount = log.lines.length;
    board.update(changes);
    expect(board.version()).toBe(before);
    expect(log.lines.length).toBe(lineCount);
  });
});

test("another reason why a config revision waits is news", () => {
  board.update({ pendingConfig: { revision: "abcdef0123", message: "not mounted" } });
  const before = board.version();
  board.update({ pendingConfig: { revision: "abcdef0123", message: "refused" } });
  expect(board.version()).not.toBe(before);
});

test.each([{ lastHeight: 51 }, { lastHash: "ef" }])(
  "another block before the lead was taken is news: %j",
  (changes) => {
    board.update({ handover: handover() });
    const before = board.version();
    board.update({ handover: handover(changes) });
    expect(board.version()).not.toBe(before);
  },
);

test("readiness that runs out with time is news too", async () => {
  const before = board.version();
  await clock.advance(5_001);
  expect(board.readiness().ok).toBe(false);
  expect(board.version()).not.toBe(before);
});

test("a version never recurs after a restart", () => {
  const restarted = newBoard(
    { member: "chain-0", podUid: "uid-0", maxBlocksBehind: 10, bootId: "later" },
    clock,
    log,
  );
  restarted.update(inSync);
  expect([board.version(), restarted.version()]).toEqual(["boot.1", "later.1"]);
});

test("one line is logged for a change of meaning, with what was and what is", () => {
  board.update({ volume: { kind: "damaged", message: "the folder raft-1 is missing" } });
  expect(log.lines.at(-1)).toEqual({
    message: "changed",
    fields: {
      changes: { volume: "intact started -> damaged" },
      volume: "the folder raft-1 is missing",
      ready: "in sync",
    },
  });
});

test("who waits is told once, and not after it took its request back", () => {
  const told: string[] = [];
  board.onChange(() => told.push("first"));
  const forget = board.onChange(() => told.push("second"));
  forget();
  board.update({ node: closedNode() });
  board.update({ node: openNode() });
  expect(told).toEqual(["first"]);
});

describe("the answer", () => {
  test("tells ages instead of times, and passes the protocol's schema", async () => {
    const pendingConfig = { revision: "abcdef0123", message: "it needs a new pod" };
    const refusedOrder = { message: "no JSON" };
    board.update({ node: closedNode({ sinceMs: NOW - 250 }), refusedOrder, pendingConfig });
    await clock.advance(1_000);
    const answer = board.answer();
    expect(answer).toEqual({
      protocol: 1,
      version: "boot.2",
      member: "chain-0",
      podUid: "uid-0",
      clusterId: "abc",
      configRevision: "0123456789",
      pendingConfig: { revision: "abcdef0123", message: "it needs a new pod" },
      restartToken: "token-1",
      leadAgesMs: [],
      fingerprints: { genesis: "genesis-1", voters: "voters-1" },
      executedOrder: "start-1",
      refusedOrder: { message: "no JSON" },
      prepare: { kind: "done" },
      volume: { kind: "intact", epoch: 1, started: true },
      mode: { kind: "raft" },
      node: { kind: "closed", metricsPortOpen: false, raftPortOpen: false, sinceMs: 1_250 },
      peers: ["chain-1", "chain-2"].map((name) => ({
        name,
        raft: { kind: "reached", rttMs: 1, ageMs: 1_000 },
        p2p: { kind: "reached", rttMs: 1, ageMs: 1_000 },
        height: 50,
      })),
      ready: { ok: false, message: "ev-node does not run", forMs: 1_000 },
      disk: { freeBytes: 1_000, totalBytes: 2_000 },
    });
    expect(agentAnswerSchema.parse(answer)).toEqual(answer);
  });

  test("tells for how long readiness has been as it is, whatever its words were meanwhile", async () => {
    const forMs = () => board.answer().ready.forMs;
    await clock.advance(2_000);
    expect(forMs()).toBe(2_000);
    await clock.advance(3_001);
    // Nothing was heard for too long.
    expect(forMs()).toBe(0);
    await clock.advance(500);
    board.update({ node: closedNode() });
    await clock.advance(500);
    expect(forMs()).toBe(1_000);
    const before = board.version();
    await clock.advance(10_000);
    expect([forMs(), board.version()]).toEqual([11_000, before]);
  });

  test("tells how the lead was taken, and how long ago", async () => {
    board.update({ handover: handover() });
    await clock.advance(700);
    const { atMs: _, ...pause } = handover();
    expect(board.answer().handover).toEqual({ ...pause, ageMs: 700 });
    expect(agentAnswerSchema.parse(board.answer())).toEqual(board.answer());
  });

  test("leaves out what is too old to be known", async () => {
    await clock.advance(5_001);
    const { node, peers } = board.answer();
    expect(node).toEqual({ kind: "open", isLeader: false, peerId: "12D3", daNamespace: "0x01" });
    expect(peers.map((shown) => "height" in shown)).toEqual([false, false]);
  });

  test("of an agent that just began says that nothing is known", () => {
    const fresh = newBoard(
      { member: "chain-0", podUid: "uid-0", maxBlocksBehind: 10, bootId: "boot" },
      clock,
      log,
    );
    expect(fresh.answer()).toEqual({
      protocol: 1,
      leadAgesMs: [],
      version: "boot.0",
      member: "chain-0",
      podUid: "uid-0",
      prepare: { kind: "checking" },
      volume: { kind: "unchecked" },
      node: { kind: "closed", metricsPortOpen: false, raftPortOpen: false, sinceMs: 0 },
      peers: [],
      ready: { ok: false, message: "the member is not prepared yet", forMs: 0 },
    });
  });
});
