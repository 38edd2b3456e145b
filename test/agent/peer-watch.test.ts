import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Board, newBoard } from "../../src/agent/board.ts";
import type { PeerFinding } from "../../src/agent/findings.ts";
import { type HttpClient, newHttpClient } from "../../src/agent/http-client.ts";
import { isP2pDue, lookAtPeer, unknownPeers } from "../../src/agent/peer-watch.ts";
import type { Resolve } from "../../src/agent/resolve.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { NOW, peer as peerFinding } from "./findings.ts";
import { recordedLog } from "./recorded-log.ts";
import { closedPort, type LocalServer, startHttp, startTcp } from "./servers.ts";

const clock = new VirtualClock();
const peer = { name: "chain-1", host: "chain-1.tests", raftPort: 0, p2pPort: 0 };

let http: HttpClient;
let board: Board;
let servers: LocalServer[];
let forgotten: string[];

beforeEach(() => {
  http = newHttpClient(clock);
  board = newBoard(
    { member: "chain-0", podUid: "uid-0", maxBlocksBehind: 10, bootId: "boot" },
    clock,
    recordedLog(),
  );
  servers = [];
  forgotten = [];
  board.update({ peers: unknownPeers([peer, { ...peer, name: "chain-2" }]) });
});
afterEach(async () => {
  http.close();
  await Promise.all(servers.map((server) => server.close()));
});

async function tcp(): Promise<number> {
  const server = await startTcp();
  servers.push(server);
  return server.port;
}

async function agent(answer: unknown): Promise<number> {
  const server = await startHttp((_, response) => response.end(JSON.stringify(answer)));
  servers.push(server);
  return server.port;
}

async function look(
  ports: { raft: number; p2p: number; agent: number },
  address: string | undefined = "127.0.0.1",
) {
  const resolve: Resolve = Object.assign(async () => address, {
    forget: (host: string) => forgotten.push(host),
  });
  await lookAtPeer(
    { ...peer, raftPort: ports.raft, p2pPort: ports.p2p },
    { http, resolve, clock, board, clusterId: "abc", agentPort: ports.agent },
  );
  return board.answer().peers;
}

const answering = (changes: object = {}) => ({
  member: "chain-1",
  clusterId: "abc",
  node: { height: 41 },
  ...changes,
});
const reached = { kind: "reached", rttMs: 0, ageMs: 0 };
const rtt = { medianMs: 0, samples: 1 };

test("a peer in order is reached on both ports, and tells its height", async () => {
  const ports = { raft: await tcp(), p2p: await tcp(), agent: await agent(answering()) };
  expect(await look(ports)).toEqual([
    { name: "chain-1", raft: reached, p2p: reached, rtt, height: 41 },
    { name: "chain-2", raft: { kind: "unknown" }, p2p: { kind: "unknown" } },
  ]);
  expect(forgotten).toEqual([]);
});

test("a raft port that refuses shows by itself, and its address is asked anew", async () => {
  const ports = { raft: await closedPort(), p2p: await tcp(), agent: await agent(answering()) };
  expect((await look(ports))[0]).toEqual({
    name: "chain-1",
    raft: { kind: "refused", ageMs: 0 },
    p2p: reached,
    rtt,
    height: 41,
  });
  expect(forgotten).toEqual(["chain-1.tests"]);
});

describe("libp2p counts connections, so its port is looked at", () => {
  const at = (kind: "reached" | "refused", agoMs: number) => ({ kind, rttMs: 1, atMs: NOW - agoMs }) as const;
  const cases: readonly [title: string, known: PeerFinding, isDue: boolean][] = [
    ["at first", peerFinding("chain-1", { p2p: { kind: "unknown" } }), true],
    ["again when it was refused", peerFinding("chain-1", { p2p: at("refused", 1) }), true],
    [
      "not again for a minute when it was reached",
      peerFinding("chain-1", { p2p: at("reached", 59_999) }),
      false,
    ],
    ["once a minute when it was reached", peerFinding("chain-1", { p2p: at("reached", 60_000) }), true],
    [
      "not again for ten seconds when the raft port is out of reach",
      peerFinding("chain-1", { raft: at("refused", 0), p2p: at("reached", 9_999) }),
      false,
    ],
    [
      "every ten seconds when the raft port is out of reach",
      peerFinding("chain-1", { raft: at("refused", 0), p2p: at("reached", 10_000) }),
      true,
    ],
  ];
  test.each(cases)("%s", (_, known, isDue) => {
    expect(isP2pDue(known, NOW)).toBe(isDue);
  });

  test("once in a quiet minute, while the raft port is looked at each time", async () => {
    const ports = { raft: await tcp(), p2p: await tcp(), agent: await agent(answering()) };
    for (let second = 0; second < 60; second += 1) {
      await look(ports);
      await clock.advance(1_000);
    }
    const [raft, p2p] = servers;
    expect([raft?.connections(), p2p?.connections()]).toEqual([60, 1]);
  });
});

test("a name without an address is an answer of its own", async () => {
  const resolve: Resolve = Object.assign(async () => undefined, { forget: () => {} });
  await lookAtPeer(peer, { http, resolve, clock, board, clusterId: "abc" });
  expect(board.answer().peers[0]).toEqual({
    name: "chain-1",
    raft: { kind: "unresolved", ageMs: 0 },
    p2p: { kind: "unresolved", ageMs: 0 },
  });
});

test.each([
  ["of an agent that does not know its height yet", answering({ node: { kind: "closed" } })],
  ["of something that is no agent", { hello: "world" }],
])("an answer %s tells no height", async (_, answer) => {
  const ports = { raft: await tcp(), p2p: await tcp(), agent: await agent(answer) };
  expect((await look(ports))[0]).toEqual({ name: "chain-1", raft: reached, p2p: reached, rtt });
});

test.each([
  ["another member", answering({ member: "chain-7" })],
  ["a member of another cluster", answering({ clusterId: "def" })],
])("where %s answers, nothing that is reached counts, and the name is asked anew", async (_, answer) => {
  const ports = { raft: await tcp(), p2p: await tcp(), agent: await agent(answer) };
  expect((await look(ports))[0]).toEqual({
    name: "chain-1",
    raft: { kind: "unresolved", ageMs: 0 },
    p2p: { kind: "unresolved", ageMs: 0 },
  });
  expect(forgotten).toEqual(["chain-1.tests"]);
});

describe("trouble that lasts is told", () => {
  const listening = { mode: { kind: "raft" }, node: { kind: "closed", raftPortOpen: true, height: 41 } };

  async function lookFor(seconds: number, once: () => Promise<unknown>): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      await once();
      await clock.advance(1_000);
    }
  }

  test("of a port that refuses although the peer's agent says that ev-node listens there, 45 s after the start", async () => {
    board.update({ prepare: { kind: "done" } });
    const ports = { raft: await closedPort(), p2p: await tcp(), agent: await agent(answering(listening)) };
    await lookFor(45, () => look(ports));
    expect((await look(ports))[0]?.raft).toEqual({ kind: "refused", ageMs: 0, lasting: true });
    const open = { ...ports, raft: await tcp() };
    expect((await look(open))[0]?.raft).toEqual(reached);
  });

  test("not of one that refuses while nobody is known to listen", async () => {
    const ports = { raft: await closedPort(), p2p: await tcp(), agent: await agent(answering()) };
    await lookFor(60, () => look(ports));
    expect((await look(ports))[0]?.raft).toEqual({ kind: "refused", ageMs: 0 });
  });

  test("of a name without an address, after five seconds before the start, on both ports", async () => {
    const resolve: Resolve = Object.assign(async () => undefined, { forget: () => {} });
    const once = () => lookAtPeer(peer, { http, resolve, clock, board, clusterId: "abc" });
    await lookFor(5, once);
    await once();
    const gone = { kind: "unresolved", ageMs: 0, lasting: true };
    expect(board.answer().peers[0]).toMatchObject({ raft: gone, p2p: gone });
  });
});

test("the height of an agent that falls silent is kept for a while, then it is no longer known", async () => {
  const ports = { raft: await tcp(), p2p: await tcp(), agent: await agent(answering()) };
  await look(ports);
  await clock.advance(5_000);
  const silent = { ...ports, agent: await closedPort() };
  expect((await look(silent))[0]).toHaveProperty("height", 41);
  await clock.advance(1);
  expect((await look(silent))[0]).not.toHaveProperty("height");
});
