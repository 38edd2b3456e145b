import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runAgent } from "../../src/agent/main.ts";
import type { Resolve } from "../../src/agent/resolve.ts";
import { type AgentAnswer, agentAnswerSchema } from "../../src/model/agent-protocol.ts";
import { annotations } from "../../src/model/annotations.ts";
import { seededRandom } from "../runtime/seeded-random.ts";
import { settle, VirtualClock } from "../runtime/virtual-clock.ts";
import { startExecutionClient } from "./execution-client.ts";
import { Chain } from "./headers.ts";
import {
  bootstrapOrder,
  CLUSTER_ID,
  hostOf,
  newPod,
  type Pod,
  rejoinOrder,
  startOrder,
  voters,
} from "./pod.ts";
import { type RecordedLog, recordedLog } from "./recorded-log.ts";
import { closedPort, type LocalServer, nodeAnswers, startHttp, startNode, startTcp } from "./servers.ts";
import { until } from "./until.ts";
import { volumes } from "./volumes.ts";

/** One agent as a whole, with everything around it on the loopback interface and on virtual time. */
let pod: Pod;
let clock: VirtualClock;
let log: RecordedLog;
let servers: LocalServer[];
let stop: AbortController;
let running: Promise<void>;
/** The processes of ev-node, and how often they were asked to end. */
let processes: readonly string[];
let stops: number;
let ports: { agent: number; peerAgent: number; rpc: number; metrics: number; raft: number; p2p: number };

beforeEach(async () => {
  clock = new VirtualClock();
  log = recordedLog();
  stop = new AbortController();
  servers = [];
  processes = [];
  stops = 0;
  ports = {
    agent: await closedPort(),
    peerAgent: await closedPort(),
    rpc: await closedPort(),
    metrics: await closedPort(),
    raft: await closedPort(),
    p2p: await closedPort(),
  };
  pod = await newPod(ports);
  running = Promise.resolve();
});
afterEach(async () => {
  await stopAgent();
  await Promise.all(servers.map((server) => server.close()));
  await pod.remove();
});

function start(more: Readonly<Record<string, string>> = {}): void {
  const { member, namespace, podUid, epoch, maxBlocksBehind } = pod.settings;
  const env = {
    POD_NAME: member,
    POD_NAMESPACE: namespace,
    POD_UID: podUid,
    EPOCH: String(epoch),
    MAX_BLOCKS_BEHIND: String(maxBlocksBehind),
    ...more,
  };
  const resolve: Resolve = Object.assign(async () => "127.0.0.1", { forget: () => {} });
  const stopNode = async () => {
    stops += 1;
    return processes.length > 0;
  };
  const ofNode = { stopNode, nodeProcesses: async () => processes };
  const ofPod = { paths: pod.paths, port: ports.agent, peerAgentPort: ports.peerAgent, resolve };
  const around = { ...ofPod, ...ofNode, clock, log };
  running = runAgent(env, stop.signal, { ...around, random: seededRandom(1) });
}

async function stopAgent(): Promise<void> {
  stop.abort();
  const progress = { isOver: false };
  const over = running.finally(() => {
    progress.isOver = true;
  });
  await eventually("the agent ends", async () => progress.isOver);
  await over;
}

/** Lets time pass in small parts, each with turns of the event loop for the I/O of that time. */
async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let part = 0; part < 4_000; part += 1) {
    if (await holds()) return;
    await clock.advance(50);
    for (let turn = 0; turn < 100; turn += 1) await settle();
    // A disk that is busy elsewhere takes longer, and no deadline may pass for that.
    await until("files and connections are done", () => !isWaitingForSystem());
  }
  throw new Error(`never came true: ${what}`);
}

const isWaitingForSystem = () =>
  process.getActiveResourcesInfo().some((kind) => /^FSReq|ConnectWrap$|WriteWrap$/.test(kind));

const at = (path: string) => fetch(`http://127.0.0.1:${ports.agent}${path}`);
const isOk = async (path: string) => {
  const response = await at(path).catch(() => undefined);
  await response?.text();
  return response?.ok === true;
};
const mayStart = () => isOk("/startupz");
const isReady = () => isOk("/readyz");
const isWaiting = async () => (await isOk("/livez")) && (await answer()).prepare.kind === "waiting";

async function answer(): Promise<AgentAnswer> {
  return agentAnswerSchema.parse(await (await at("/v1/state")).json());
}

async function startPeers(height: number): Promise<void> {
  const state = JSON.stringify({ member: "chain-1", clusterId: CLUSTER_ID, node: { height } });
  servers.push(
    await startTcp(ports.raft),
    await startTcp(ports.p2p),
    await startHttp((_, response) => response.end(state), ports.peerAgent),
  );
}

test("a member comes up, leads and loses its process", async () => {
  await volumes.bootstrapped(pod.paths.home);
  await startPeers(40);
  start();
  await until("the agent waits", isWaiting);
  expect(await mayStart()).toBe(false);

  await pod.setOrder(startOrder);
  await eventually("the member may start", mayStart);
  await eventually("its ports and its peers are looked at", async () => {
    const { node, peers } = await answer();
    return node.kind === "closed" && node.raftPortOpen && peers[0]?.height === 40;
  });
  expect(await answer()).toMatchObject({
    prepare: { kind: "done" },
    volume: { kind: "intact", started: true },
    peers: [
      { name: "chain-1", raft: { kind: "reached" }, p2p: { kind: "reached" }, height: 40 },
      // Its name leads to the agent of chain-1.
      { name: "chain-2", raft: { kind: "unresolved" }, p2p: { kind: "unresolved" } },
    ],
    ready: { ok: false, message: "ev-node runs, but its HTTP server is closed: it knows no leader" },
  });

  const node = await startNode(nodeAnswers(35, true), ports.rpc);
  await eventually("the member is ready", isReady);
  await eventually("the rest is known too", async () => {
    const { node, disk } = await answer();
    return disk !== undefined && node.kind === "open" && node.peerId !== undefined;
  });
  expect(await answer()).toMatchObject({
    node: { kind: "open", isLeader: true, height: 35, peerId: "12D3KooW" },
    ready: { ok: true, message: "in sync" },
  });

  await node.close();
  await eventually("the member is not ready", async () => !(await isReady()));
  expect((await answer()).node.kind).toBe("closed");
});

test("a member of an EVM chain is ready when its execution layer has executed what ev-node holds", async () => {
  await volumes.started(pod.paths.home);
  await startPeers(40);
  servers.push(await startNode(nodeAnswers(40, false), ports.rpc));
  const client = await startExecutionClient(7);
  start({ ETH_PORT: String(client.ports.eth), ENGINE_PORT: String(client.ports.engine) });
  try {
    await eventually("the execution layer is looked at", async () => {
      return (await answer()).execution?.blocksBehind !== undefined;
    });
    expect(await answer()).toMatchObject({
      prepare: { kind: "done" },
      execution: { height: 7, blocksBehind: 33, isEngineOpen: true },
      ready: {
        ok: false,
        message: "the execution layer is 33 blocks behind ev-node's own, tolerated are 10",
      },
    });

    client.height = 30;
    await eventually("it has caught up", isReady);
    await client.close();
    await eventually("it is gone", async () => !(await isReady()));
    expect((await answer()).ready.message).toBe(
      "the execution client does not run: its engine port is closed",
    );
  } finally {
    await client.close();
  }
});

test("a member that waits for its first start tells the paths to the others, and how long they are", async () => {
  await volumes.bootstrapped(pod.paths.home);
  start();
  await until("the agent waits", isWaiting);
  await eventually("each other member was looked at ten times", async () => {
    const { peers } = await answer();
    return peers.length === 2 && peers.every(({ rtt }) => (rtt?.samples ?? 0) >= 10);
  });
  const { prepare, peers } = await answer();
  expect(prepare).toMatchObject({ kind: "waiting", for: "start" });
  // Nobody listens yet, and the refusals took their time.
  expect(peers).toMatchObject([
    { name: "chain-1", raft: { kind: "refused" }, p2p: { kind: "refused" } },
    { name: "chain-2", raft: { kind: "refused" }, p2p: { kind: "refused" } },
  ]);
  expect(peers.some(({ raft, p2p }) => "lasting" in raft || "lasting" in p2p)).toBe(false);
});

test("a member with an empty volume does not look around: the others may not have names yet", async () => {
  start();
  await until("the agent waits", isWaiting);
  expect((await answer()).peers).toEqual([]);
});

test("who waits learns of a new leader within half a second", async () => {
  await volumes.started(pod.paths.home);
  await startPeers(40);
  const node = await startNode(nodeAnswers(40, false), ports.rpc);
  servers.push(node);
  start();
  await eventually("the member is ready", isReady);
  const { version } = await answer();

  const sinceMs = clock.monotonicMs();
  const heard = { atMs: Number.NaN };
  const told = at(`/v1/state?after=${version}&waitMs=30000`).finally(() => {
    heard.atMs = clock.monotonicMs();
  });
  node.answers = nodeAnswers(41, true);
  await eventually("the news arrives", async () => !Number.isNaN(heard.atMs));
  expect(await (await told).json()).toMatchObject({ node: { isLeader: true } });
  expect(heard.atMs - sinceMs).toBeLessThanOrEqual(500);
});

test("a member is updated in place: the config is installed while ev-node runs, which is then restarted once", async () => {
  await volumes.started(pod.paths.home);
  await startPeers(40);
  servers.push(await startNode(nodeAnswers(40, false), ports.rpc));
  processes = ["7 started at 100"];
  start();
  await eventually("the member is ready", isReady);

  const revision = await pod.addConfigs((input) => ({ ...input, blockTimeMs: 250 }));
  const installed = () => readFile(join(pod.paths.config, "evnode.yaml"), "utf8");
  const revisions = { [annotations.configRevision]: revision };
  await pod.setAnnotations(revisions);
  await eventually("it is installed", async () => (await answer()).configRevision === revision);
  expect(await installed()).toContain('block_time: "250ms"');
  expect([stops, await isReady()]).toEqual([0, true]);

  await pod.setAnnotations({ ...revisions, [annotations.restartToken]: "token" });
  await eventually("ev-node is asked to end", async () => stops > 0);
  await clock.advance(5_000);
  expect([stops, (await answer()).restartToken]).toEqual([1, undefined]);
  processes = ["9 started at 200"];
  await eventually("it is done", async () => (await answer()).restartToken === "token");
  expect(stops).toBe(1);
});

test("what a pod asks for before its first process is there for it, and restarts nothing", async () => {
  await volumes.bootstrapped(pod.paths.home);
  start();
  await until("the agent waits", isWaiting);
  const revision = await pod.addConfigs((input) => ({ ...input, blockTimeMs: 250 }));
  await pod.setAnnotations({
    [annotations.configRevision]: revision,
    [annotations.restartToken]: "token",
    [annotations.order]: JSON.stringify(startOrder),
  });
  await eventually("the member may start", mayStart);
  expect(await answer()).toMatchObject({ configRevision: revision, restartToken: "token" });
  expect(stops).toBe(0);
});

test("a member that takes the lead tells how long the chain stood still for it", async () => {
  await volumes.started(pod.paths.home);
  await startPeers(40);
  const chain = new Chain((height) => height * 1_000 + (height > 40 ? 2_000 : 0));
  const blocks = {
    "/evnode.v1.StoreService/GetBlock": ({ height }: { height: string }) => chain.answer(Number(height)),
  };
  const node = await startNode({ ...nodeAnswers(40, false), ...blocks }, ports.rpc);
  servers.push(node);
  start();
  await eventually("the member is ready", isReady);
  node.answers = { ...nodeAnswers(40, true), ...blocks };
  await eventually("it leads", async () => JSON.stringify((await answer()).node).includes('"isLeader":true'));
  expect((await answer()).handover).toBeUndefined();
  node.answers = { ...nodeAnswers(42, true), ...blocks };
  await eventually("it is told", async () => (await answer()).handover !== undefined);
  const [lastHash, firstHash] = [chain.hashOf(40), chain.hashOf(41)];
  expect((await answer()).handover).toMatchObject({
    lastHeight: 40,
    lastHash,
    parentHash: lastHash,
    firstHash,
    gapMs: 3_000,
  });
});

test("a raft folder that vanishes under a running member is reported, and rebuilt once it stopped", async () => {
  const members = voters.map(({ id }) => ({ id, address: `${hostOf(id)}:${ports.raft}` }));
  await pod.setOrder({ ...bootstrapOrder, voters: members });
  start();
  await until(
    "the agent waits",
    async () => (await isWaiting()) && (await answer()).volume.kind === "intact",
  );
  await startPeers(40);
  const node = await startNode(nodeAnswers(40, false), ports.rpc);
  await pod.setOrder(startOrder);
  await eventually("the member is ready", isReady);
  await rename(join(pod.paths.home, "raft-1"), join(pod.root, "gone"));
  await eventually("the damage is seen", async () => (await answer()).volume.kind === "damaged");
  expect(await isReady()).toBe(true);

  await pod.setOrder({ ...rejoinOrder, voters: members });
  const orderWaits = async () =>
    JSON.stringify((await answer()).volume).includes("waits until ev-node stops");
  await eventually("the order waits", orderWaits);
  await node.close();
  for (const server of servers.splice(0)) await server.close();
  await eventually("the folder is rebuilt", async () => (await answer()).volume.kind === "intact");
  expect((await answer()).executedOrder).toBe("rejoin-1");
});

test("the first block is noted on the volume, so that a later loss of blocks is seen", async () => {
  await volumes["started a moment ago"](pod.paths.home);
  await startPeers(1);
  servers.push(await startNode(nodeAnswers(1, true), ports.rpc));
  start();
  await until("the member may start", mayStart);
  expect((await answer()).volume).toEqual({ kind: "intact", epoch: 1, started: true });
  await eventually("the loss is seen", async () => (await answer()).volume.kind === "damaged");
  expect((await answer()).volume).toEqual({ kind: "damaged", message: "the block data is missing" });
});

describe("a start", () => {
  test("is not held back by peers that do not exist", async () => {
    await volumes.started(pod.paths.home);
    start();
    await until("the member may start, without any time passing", mayStart);
    expect((await answer()).peers.map(({ raft }) => raft.kind)).toEqual(["refused", "refused"]);
  });

  test("is refused in an environment that is not whole", async () => {
    await expect(runAgent({}, stop.signal)).rejects.toThrow(
      "the agent's environment is unusable: POD_NAME is missing; POD_NAMESPACE is missing; POD_UID is missing; " +
        "EPOCH is missing; MAX_BLOCKS_BEHIND is missing",
    );
  });
});

test("a stopped agent answers those who wait, closes its port and ends, also while it prepares", async () => {
  start();
  await until("the agent waits", isWaiting);
  const { version } = await answer();
  const waiting = at(`/v1/state?after=${version}&waitMs=30000`);
  await until("the request waits", () => clock.pendingTimers === 2);
  const progress = { isOver: false };
  const over = running.finally(() => {
    progress.isOver = true;
  });
  stop.abort();
  await clock.advance(200);
  await until("the agent ends, without more time passing", () => progress.isOver);
  await over;
  expect((await waiting).status).toBe(200);
  await expect(at("/livez")).rejects.toThrow("fetch failed");
});

test("no line of the log holds a secret", async () => {
  await volumes.started(pod.paths.home);
  await rm(join(pod.paths.identitySecret, "node_key.0.json"));
  start();
  const isRefused = async () => (await isOk("/livez")) && (await answer()).prepare.kind === "refused";
  await until("the identity is refused", isRefused);
  expect(log.lines.length).toBeGreaterThan(1);
  expect(JSON.stringify(log.lines)).not.toContain("correct horse");
});
