import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Board, newBoard } from "../../src/agent/board.ts";
import { type HttpClient, newHttpClient } from "../../src/agent/http-client.ts";
import type { MemberFacts } from "../../src/agent/member-facts.ts";
import { NodeWatch, nodeRuns } from "../../src/agent/node-watch.ts";
import { newResolve } from "../../src/agent/resolve.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { closedNode, openNode } from "./findings.ts";
import { recordedLog } from "./recorded-log.ts";
import {
  closedPort,
  type FakeNode,
  type LocalServer,
  nodeAnswers,
  startHttp,
  startNode,
  startTcp,
} from "./servers.ts";
import { until } from "./until.ts";

const clock = new VirtualClock();
const resolve = newResolve(clock, async () => ({ address: "127.0.0.1", lifetimeMs: 1_000 }));

let http: HttpClient;
let board: Board;
let servers: LocalServer[];
let facts: MemberFacts;
let watch: NodeWatch;

beforeEach(async () => {
  http = newHttpClient(clock);
  board = newBoard(
    { member: "chain-0", podUid: "uid-0", maxBlocksBehind: 10, bootId: "boot" },
    clock,
    recordedLog(),
  );
  servers = [];
  facts = {
    isSingle: false,
    epoch: 1,
    raftAddress: "chain-0.tests:1",
    raftHost: "chain-0.tests",
    raftPort: await closedPort(),
    rpcPort: await closedPort(),
    metricsPort: await closedPort(),
    dbPath: "data",
    signer: "file",
    peers: [],
  };
  watch = newWatch();
});
afterEach(async () => {
  http.close();
  await Promise.all(servers.map((server) => server.close()));
});

function newWatch(): NodeWatch {
  return new NodeWatch({ http, resolve, clock, board, member: "chain-0", facts });
}

async function open(answers: Record<string, unknown>): Promise<FakeNode> {
  const node = await startNode(answers);
  servers.push(node);
  facts = { ...facts, rpcPort: node.port };
  watch = newWatch();
  return node;
}

test.each([true, false])("leadership is what ev-node says: %s", async (isLeader) => {
  await open(nodeAnswers(7, isLeader));
  await watch.lookAtLeadership();
  expect(board.answer().node).toMatchObject({ kind: "open", isLeader });
});

describe("an answer that is none leaves it unknown who leads", () => {
  const cases: readonly [title: string, answers: Record<string, unknown>][] = [
    ["no such page", {}],
    ["no JSON", { "/raft/node": "<html>" }],
    ["JSON of another form", { "/raft/node": { leader: true } }],
    ["the answer of another member", nodeAnswers(7, true, "chain-1")],
  ];
  test.each(cases)("%s", async (_, answers) => {
    await open(answers);
    await watch.lookAtLeadership();
    expect(board.answer().node).not.toHaveProperty("isLeader");
    expect(board.answer().node.kind).toBe("open");
  });

  test("a dropped connection", async () => {
    const server = await startHttp((request) => request.socket.destroy());
    servers.push(server);
    facts = { ...facts, rpcPort: server.port };
    await newWatch().lookAtLeadership();
    expect(board.answer().node).toEqual({ kind: "open" });
  });
});

test("a node that opened shows height, head, peer id and namespace at once", async () => {
  await open(nodeAnswers(7, true));
  await watch.lookAtLeadership();
  expect(board.answer().node).toEqual({
    kind: "open",
    isLeader: true,
    height: 7,
    blockTimeMs: Date.UTC(2030, 0, 1),
    head: { height: 7, hash: "abcd", timeMs: Date.UTC(2030, 0, 1) },
    peerId: "12D3KooW",
    daNamespace: "0x01",
  });
});

test("a chain without a block has the height 0 and no head", async () => {
  const answers = nodeAnswers(0, true);
  await open({
    ...answers,
    "/evnode.v1.StoreService/GetState": { state: { chainId: "c", lastBlockTime: "2030-01-01T00:00:00Z" } },
    "/evnode.v1.StoreService/GetP2PStoreInfo": { stores: [{ label: "Header Store" }] },
  });
  await watch.lookAtLeadership();
  await watch.lookAtState();
  expect(board.answer().node).toEqual({
    kind: "open",
    isLeader: true,
    height: 0,
    blockTimeMs: Date.UTC(2030, 0, 1),
    peerId: "12D3KooW",
    daNamespace: "0x01",
  });
});

test("identity is asked rarely, and again after a restart", async () => {
  const node = await open(nodeAnswers(7, false));
  const identityCalls = () => node.asked.filter((path) => path.includes("GetNetInfo")).length;
  await watch.lookAtLeadership();
  for (let look = 0; look < 5; look += 1) await watch.lookAtState();
  expect(identityCalls()).toBe(1);

  await clock.advance(30_000);
  await watch.lookAtState();
  expect(identityCalls()).toBe(2);

  await node.close();
  await watch.lookAtLeadership();
  const again = await startNode(nodeAnswers(8, false), node.port);
  servers.push(again);
  await watch.lookAtLeadership();
  expect(again.asked.filter((path) => path.includes("GetNetInfo"))).toHaveLength(1);
  expect(board.answer().node).toMatchObject({ height: 8, peerId: "12D3KooW" });
});

test("a node that was given up as gone is looked at as a whole when it answers again", async () => {
  await open(nodeAnswers(7, false));
  await watch.lookAtLeadership();
  board.update({ node: closedNode() });
  await watch.lookAtLeadership();
  expect(board.answer().node).toMatchObject({ kind: "open", height: 7, peerId: "12D3KooW" });
});

test("blocks at heights that all members choose alike are told, and each is asked for once", async () => {
  const block = (height: number, signature: string) => ({
    block: { header: { header: { chainId: "chain-of-tests", height: String(height) }, signature } },
  });
  const path = "/evnode.v1.StoreService/GetBlock";
  const node = await open(nodeAnswers(0, false));
  await watch.lookAtLeadership();
  expect(node.asked).not.toContain(path);

  const checkpoints = () => {
    const found = board.answer().node;
    return found.kind === "open" ? found.checkpoints : undefined;
  };
  node.answers = { ...nodeAnswers(15, false), [path]: block(1, "AAA=") };
  await watch.lookAtState();
  expect(checkpoints()?.map(({ height }) => height)).toEqual([1]);
  node.asked.length = 0;
  node.answers = { ...nodeAnswers(16, false), [path]: block(16, "AAAA") };
  for (let look = 0; look < 3; look += 1) await watch.lookAtState();
  expect(node.asked.filter((asked) => asked === path)).toHaveLength(1);
  const [first, begin] = checkpoints() ?? [];
  expect([first, begin?.height]).toEqual([{ height: 16, id: expect.stringMatching(/^[0-9a-f]{16}$/) }, 1]);

  node.answers = { ...nodeAnswers(33, false), [path]: block(32, "AAAB") };
  await watch.lookAtState();
  expect(checkpoints()).toEqual([
    { height: 32, id: expect.not.stringMatching(first?.id ?? "") },
    first,
    begin,
  ]);
  // The answer to a question for another height is none.
  node.answers = { ...nodeAnswers(50, false), [path]: block(32, "AAAB") };
  await watch.lookAtState();
  expect(checkpoints()?.map(({ height }) => height)).toEqual([32, 16, 1]);
});

test("those before the newest one are asked for one after another, each once, as many as are told", async () => {
  const path = "/evnode.v1.StoreService/GetBlock";
  const node = await open({ ...nodeAnswers(200, false), [path]: { code: "not_found" } });
  await watch.lookAtLeadership();
  node.asked.length = 0;
  const of = (height: number) => ({
    block: { header: { header: { chainId: "chain-of-tests", height: String(height) }, signature: "AAAA" } },
  });
  for (let height = 192; height >= 48; height -= 16) {
    node.answers = { ...nodeAnswers(200, false), [path]: of(height) };
    await watch.lookAtState();
  }
  const found = board.answer().node;
  const told = found.kind === "open" ? found.checkpoints?.map(({ height }) => height) : [];
  expect(told).toEqual([192, 176, 160, 144, 128, 112, 96, 80]);
  expect(node.asked.filter((asked) => asked === path)).toHaveLength(8);
});

test("a height that is not told again is no longer known after a while", async () => {
  const node = await open(nodeAnswers(7, false));
  await watch.lookAtLeadership();
  await watch.lookAtState();
  node.answers = { "/raft/node": node.answers["/raft/node"] };
  await clock.advance(4_000);
  await watch.lookAtState();
  expect(board.answer().node).toMatchObject({ height: 7 });
  await clock.advance(1_001);
  await watch.lookAtState();
  expect(board.answer().node).not.toHaveProperty("height");
});

test("what a process said is dropped when it is gone by then", async () => {
  const held: ServerResponse[] = [];
  const server = await startHttp((_, response) => held.push(response));
  servers.push(server);
  facts = { ...facts, rpcPort: server.port };
  board.update({ node: openNode() });
  const looking = newWatch().lookAtState();
  await until("all is asked", () => held.length === 4);
  board.update({ node: closedNode() });
  for (const response of held)
    response.end(JSON.stringify(nodeAnswers(7, true)["/evnode.v1.StoreService/GetState"]));
  await looking;
  expect(board.answer().node).toEqual({
    kind: "closed",
    metricsPortOpen: false,
    raftPortOpen: false,
    sinceMs: 0,
  });
});

describe("a closed node", () => {
  test("is closed since its first refusal, which shows its other ports too", async () => {
    const metrics = await startTcp();
    servers.push(metrics);
    facts = { ...facts, metricsPort: metrics.port };
    watch = newWatch();
    board.update({ node: openNode() });
    await watch.lookAtLeadership();
    await clock.advance(3_000);
    await watch.lookAtLeadership();
    await watch.lookAtState();
    expect(board.answer().node).toEqual({
      kind: "closed",
      metricsPortOpen: true,
      raftPortOpen: false,
      sinceMs: 3_000,
    });
  });

  test("shows which of its ports are open", async () => {
    const [metrics, raft] = [await startTcp(), await startTcp()];
    servers.push(metrics, raft);
    facts = { ...facts, metricsPort: metrics.port };
    await newWatch().lookAtState();
    expect(board.answer().node).toMatchObject({ metricsPortOpen: true, raftPortOpen: false });

    facts = { ...facts, raftPort: raft.port };
    await newWatch().lookAtState();
    expect(board.answer().node).toMatchObject({ metricsPortOpen: true, raftPortOpen: true });
  });

  test("runs as long as one of its ports is open", async () => {
    expect(await nodeRuns(facts, resolve, clock)).toBe(false);
    for (const port of ["metricsPort", "raftPort", "rpcPort"] as const) {
      const server = await startTcp();
      servers.push(server);
      expect(await nodeRuns({ ...facts, [port]: server.port }, resolve, clock)).toBe(true);
    }
  });
});
