import pino from "pino";
import { AGENT_PORT } from "../model/agent-protocol.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { type Random, systemRandom } from "../runtime/random.ts";
import { BlockLook } from "./block-look.ts";
import { type Board, newBoard } from "./board.ts";
import { type IdentityCheck, newIdentityCheck } from "./check-identity.ts";
import { realDisk } from "./disk.ts";
import { closedSince, heightOf } from "./findings.ts";
import { type HttpClient, newHttpClient } from "./http-client.ts";
import { startServer } from "./http-server.ts";
import type { Log } from "./log.ts";
import type { MemberFacts } from "./member-facts.ts";
import { nodeCpuStat, nodeProcesses, stopNode } from "./node-process.ts";
import { nodeIsUp, nodeRuns } from "./node-watch.ts";
import { PeerLooks } from "./peer-looks.ts";
import { prepareUntilDone } from "./prepare.ts";
import { newResolve, type Resolve } from "./resolve.ts";
import { Restarter } from "./restarter.ts";
import { isHeld } from "./run-kind.ts";
import { type AgentPaths, podPaths, readSettings, type Settings } from "./settings.ts";
import type { NodeLife } from "./volume-keeper.ts";
import { watch } from "./watch.ts";

/** Without a round of the innermost loop for this long the agent hangs, and a new one is better. */
const STUCK_AFTER_MS = 30_000;

/** What a pod gives, and what a test puts in its place. */
export interface AgentSurroundings {
  readonly paths: AgentPaths;
  readonly port: number;
  readonly peerAgentPort: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly resolve: Resolve;
  readonly log: Log;
  readonly stopNode: (home: string) => Promise<boolean>;
  readonly nodeProcesses: (home: string) => Promise<readonly string[]>;
  readonly nodeCpuStat: (home: string) => Promise<string | undefined>;
}

/**
 * Runs the agent of one member until the signal aborts: prepares the member, lets ev-node start, and watches it.
 * Rejects when the environment is unusable, naming every problem.
 */
export async function runAgent(
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
  given: Partial<AgentSurroundings> = {},
): Promise<void> {
  const reading = readSettings(env);
  if (reading.kind === "invalid")
    throw new Error(`the agent's environment is unusable: ${reading.problems.join("; ")}`);

  await runMember(reading.settings, signal, inPod(reading.settings, given));
}

function inPod(settings: Settings, given: Partial<AgentSurroundings>): AgentSurroundings {
  const clock = given.clock ?? systemClock;
  return {
    paths: podPaths,
    port: AGENT_PORT,
    peerAgentPort: AGENT_PORT,
    clock,
    random: systemRandom,
    stopNode,
    nodeProcesses,
    nodeCpuStat,
    resolve: given.resolve ?? newResolve(clock),
    log:
      given.log ??
      pino({
        base: { namespace: settings.namespace, member: settings.member },
        timestamp: pino.stdTimeFunctions.isoTime,
      }),
    ...given,
  };
}

async function runMember(
  settings: Settings,
  signal: AbortSignal,
  surroundings: AgentSurroundings,
): Promise<void> {
  const { port, clock, random, log } = surroundings;
  const { member, ordinal, podUid, maxBlocksBehind } = settings;
  const bootId = Buffer.from(random.bytes(6)).toString("hex");
  const board = newBoard({ member, podUid, maxBlocksBehind, bootId }, clock, log);
  const heart = newHeart(clock);
  const http = newHttpClient(clock);
  const blocks = new BlockLook({ http, board, clock });
  const blockAt = (height: number) => blocks.at(height);
  const server = await startServer(port, { board, clock, stuck: heart.stuck, blockAt });
  log.info({ epoch: settings.epoch, port: server.port }, "the agent runs");

  // Who waits for an answer gets it at once; the looks in flight end by themselves, or with their connections.
  let closed = Promise.resolve();
  const close = () => {
    http.close();
    closed = server.close();
  };
  signal.addEventListener("abort", close, { once: true });
  if (signal.aborted) close();
  try {
    const checkIdentity = newIdentityCheck(ordinal);
    const given = { settings, surroundings, board, http, blocks, checkIdentity, beat: heart.beat };
    while (!signal.aborted) await runRound(given, signal);
  } finally {
    if (!signal.aborted) close();
    await closed;
    log.info({}, "the agent stops");
  }
}

interface MemberRun {
  readonly settings: Settings;
  readonly surroundings: AgentSurroundings;
  readonly board: Board;
  readonly http: HttpClient;
  readonly blocks: BlockLook;
  readonly checkIdentity: IdentityCheck;
  readonly beat: () => void;
}

/**
 * Prepares the member and watches it, until an order takes its volume another step between two memberships. Then its
 * config, its peers, and how ev-node may run are others: as for an agent that starts anew.
 */
async function runRound(given: MemberRun, whole: AbortSignal): Promise<void> {
  const { settings, surroundings, board, http, beat } = given;
  const { paths, peerAgentPort, clock, random, resolve, log } = surroundings;
  const { stopNode, nodeProcesses, nodeCpuStat } = surroundings;
  const round = new AbortController();
  const signal = AbortSignal.any([whole, round.signal]);
  const around = { http, resolve, clock, random, board, signal };
  const peers = new PeerLooks({ ...around, agentPort: peerAgentPort });
  // They end with the signal, as everything here does.
  let looks = Promise.resolve();
  const lookAround = (facts: MemberFacts, clusterId: string) => {
    peers.name(facts.peers, clusterId);
    looks = peers.run();
  };
  const nodeLife = newNodeLife(surroundings, board);
  const member = { settings, paths, disk: realDisk, board, nodeLife };
  const prepared = await prepareUntilDone(
    { ...member, checkIdentity: given.checkIdentity, lookAround },
    { clock, log, signal, beat },
  );
  if (prepared === undefined) return looks;
  given.blocks.use(prepared.facts.rpcPort);
  const ofNode = { stopNode, nodeProcesses, nodeCpuStat };
  const endRound = () => round.abort();
  const blockAt = (height: number) => given.blocks.at(height);
  await watch(prepared, { ...around, ...member, ...ofNode, log, beat, peers, blockAt, endRound });
  // Whatever was heard was heard of the member as it was.
  board.update({ node: closedSince(clock.monotonicMs()), isSettled: false });
}

function newNodeLife(surroundings: AgentSurroundings, board: Board): (facts: MemberFacts) => NodeLife {
  const { paths, resolve, clock, nodeProcesses, stopNode } = surroundings;
  const restarter = new Restarter(clock, () => stopNode(paths.home));
  // A process opens its stores before its first port.
  return (facts) => ({
    runs: async () => (await nodeProcesses(paths.home)).length > 0 || (await nodeRuns(facts, resolve, clock)),
    isUp: () => nodeIsUp(facts, clock),
    isHeld: async () => isHeld(paths.config, await nodeProcesses(paths.home)),
    height: () => {
      const { node } = board.findings();
      return heightOf(node, clock.monotonicMs());
    },
    leads: () => {
      const { node } = board.findings();
      return node.kind === "open" && node.isLeader === true;
    },
    end: async (isAnother = false) => {
      if (isAnother) restarter.forget();
      await restarter.restart();
    },
  });
}

function newHeart(clock: Clock) {
  let lastBeatMs = clock.monotonicMs();
  return {
    beat: () => {
      lastBeatMs = clock.monotonicMs();
    },
    stuck: () => {
      const silentMs = Math.round(clock.monotonicMs() - lastBeatMs);
      return silentMs <= STUCK_AFTER_MS ? undefined : `the agent's loop has not run for ${silentMs} ms`;
    },
  };
}
