import { type Findings, nothingKnown, type PeerFinding, type Reach } from "../../../src/agent/findings.ts";
import { type Trouble, troubleWith } from "../../../src/agent/path-trouble.ts";
import { judgeReadiness } from "../../../src/agent/readiness.ts";
import { roundTripOf, withRoundTrip } from "../../../src/agent/round-trips.ts";
import { namespaceHex } from "../../../src/evnode/da-namespace.ts";
import {
  type AgentAnswer,
  type BlockAnswer,
  CHECKPOINT_EVERY,
  type Checkpoint,
  LEADS_KEPT,
} from "../../../src/model/agent-protocol.ts";
import { remembered } from "../../../src/model/remembered.ts";
import type { PathMemory, SimulatedAgent } from "./agent.ts";
import { blockAt, heightOf, isPartOf } from "./block.ts";
import { layerOf } from "./execution-layer.ts";
import type { NodeProcess, PodRun } from "./pod-run.ts";
import { storedHeight, toldId, type Volume } from "./volume.ts";

type Node = AgentAnswer["node"];
type Peer = AgentAnswer["peers"][number];

/** What an agent sees beside its own member. */
export interface Surroundings {
  readonly group: readonly PodRun[];
  readonly isCut: (one: PodRun, other: PodRun) => boolean;
  /** Whether nothing can be heard from where a pod runs. */
  readonly isLost: (run: PodRun) => boolean;
  readonly nowMs: number;
  /** As block times are told. */
  readonly epochMs: number;
}

/** What the agent of a pod says now. */
export function answerOf(run: PodRun, around: Surroundings): AgentAnswer {
  const { agent, process } = run;
  const peers = othersOf(run)
    .filter((id) => id !== run.name)
    .map((id) => inHindsight(agent, peerOf(run, id, around), around));
  for (const { name, raft } of peers) if (raft.kind === "reached") agent.reachedAtMs.set(name, around.nowMs);
  const node = nodeOf(run, around);
  noteHandover(run);
  noteLead(run);
  const mode = process === undefined ? undefined : modeOf(run, process);
  const layer = layerOf(run, node, around.nowMs);
  const seen = { node, peers, ...(mode === undefined ? {} : { mode }), ...layer };
  const ready = judgeReadiness(
    findingsOf(agent, seen, around.nowMs),
    agent.mounted.maxBlocksBehind,
    around.nowMs,
  );
  return agent.answer(run.uid, around.nowMs, { ...seen, ready }, process?.isHeld === true);
}

/** By its membership; on the way to another one, by its config. */
function othersOf({ agent, volume }: PodRun): readonly string[] {
  if (volume.record?.change === undefined) return volume.raft?.voters.map(({ id }) => id) ?? [];
  return agent.facts?.peers.map(({ name }) => name) ?? [];
}

/** As the real agent has them before it judges its readiness. */
function findingsOf(
  agent: SimulatedAgent,
  { node, peers, mode, execution }: Pick<AgentAnswer, "node" | "peers" | "mode" | "execution">,
  nowMs: number,
): Findings {
  const seen = <T>(value: T | undefined) => (value === undefined ? undefined : { value, atMs: nowMs });
  const open = {
    kind: "open",
    isLeader: node.kind === "open" ? node.isLeader : undefined,
    height: node.kind === "open" ? seen(node.height) : undefined,
    blockTimeMs: undefined,
    head: undefined,
    checkpoints: [],
    peerId: undefined,
    daNamespace: undefined,
  } as const;
  return {
    ...nothingKnown(nowMs),
    prepare: agent.prepare,
    mode,
    volume: agent.volume,
    node: node.kind === "closed" ? node : open,
    execution: execution && {
      height: seen(execution.height),
      blocksBehind: seen(execution.blocksBehind),
      engine: "open",
    },
    peers: peers.map(({ name, height }): PeerFinding => {
      const raftReachedAtMs = agent.reachedAtMs.get(name);
      const unknown = { kind: "unknown" } as const;
      const path = agent.paths.get(name) ?? newPath;
      const heights = { height: seen(height), heightBefore: undefined };
      const rest = { ...heights, stance: undefined, listening: undefined };
      return { name, raft: unknown, p2p: unknown, ...path, raftReachedAtMs, ...rest };
    }),
  };
}

const newPath: PathMemory = {
  raftTrouble: undefined,
  p2pTrouble: undefined,
  roundTrips: [],
  rtt: undefined,
};

/** As the real agent makes more of a look by those before it. */
function inHindsight(agent: SimulatedAgent, peer: Peer, { nowMs }: Surroundings): Peer {
  const known = agent.paths.get(peer.name) ?? newPath;
  const view = { listens: undefined, mayRun: agent.prepare.kind === "done", nowMs };
  const raftTrouble = troubleWith(reachOf(peer.raft, nowMs), { ...view, before: known.raftTrouble });
  const p2pTrouble = troubleWith(reachOf(peer.p2p, nowMs), { ...view, before: known.p2pTrouble });
  const isDue = nowMs - (known.roundTrips.at(-1)?.atMs ?? 0) >= LOOK_EVERY_MS;
  const roundTrips = isDue ? withRoundTrip(known.roundTrips, reachOf(peer.raft, nowMs)) : known.roundTrips;
  const rtt = isDue ? roundTripOf(roundTrips, nowMs) : known.rtt;
  agent.paths.set(peer.name, { raftTrouble, p2pTrouble, roundTrips, rtt });
  return {
    ...peer,
    raft: lasting(peer.raft, raftTrouble),
    p2p: lasting(peer.p2p, p2pTrouble),
    ...(rtt === undefined ? {} : { rtt }),
  };
}

const LOOK_EVERY_MS = 1_000;

/** Takes a millisecond, and as much longer as chance would have it. */
function reachOf({ kind }: Peer["raft"], nowMs: number): Reach {
  if (kind === "unknown") return { kind };
  if (kind === "timedOut" || kind === "unresolved") return { kind, atMs: nowMs };
  return { kind, rttMs: 1 + ((nowMs / 50) % 17) / 4, atMs: nowMs };
}

const lasting = (reach: Peer["raft"], trouble: Trouble | undefined): Peer["raft"] =>
  trouble?.lasts === true && reach.kind !== "reached" && reach.kind !== "unknown"
    ? { ...reach, lasting: true }
    : reach;

function modeOf({ volume, agent }: PodRun, { mode }: NodeProcess): NonNullable<AgentAnswer["mode"]> {
  const { record, raft } = volume;
  const isHeld = record?.change !== undefined || agent.memory.runKind === "fullNode";
  if (isHeld) return { kind: "level", ...(raft?.isSpoilt ? {} : { loggedHeight: heightOf(raft?.log) }) };
  if (agent.facts?.isSingle) return { kind: "single" };
  return mode === "raft" ? { kind: "raft" } : { kind: "level", loggedHeight: heightOf(raft?.log) };
}

/** ev-node answers when it knows a leader, or runs without Raft. */
function nodeOf({ process, volume, agent }: PodRun, { nowMs, epochMs }: Surroundings): Node {
  const isUp = process !== undefined && process.upAtMs <= nowMs;
  const sinceMs = isUp ? nowMs - Math.max(process.startedMs, process.waitingSinceMs) : 0;
  const isSingle = process?.isSingle ?? agent.facts?.isSingle ?? false;
  const closed = { kind: "closed", metricsPortOpen: isUp, raftPortOpen: isUp && !isSingle, sinceMs } as const;
  if (!isUp) return closed;
  const block = volume.stored;
  const height = heightOf(block);
  const head =
    block === undefined
      ? {}
      : {
          blockTimeMs: epochMs - nowMs + block.timeMs,
          head: { height, hash: toldId(volume, block), timeMs: epochMs - nowMs + block.timeMs },
          checkpoints: checkpointsOf(volume),
        };
  const proven = provenOf(process, agent);
  // Before its first block a single sequencer answers, and is not known to make any.
  const hasNoRole = process.mode === "level" || (isSingle && process.role === "waiting");
  if (hasNoRole) return { kind: "open", height, ...head, ...proven };
  if (process.role === "waiting") return closed;
  return { kind: "open", isLeader: process.role === "leader", height, ...head, ...proven };
}

/** Of the config that this process has read. */
function provenOf({ config }: NodeProcess, { mounted: { peerId } }: SimulatedAgent) {
  const daNamespace = daNamespaceOf(config);
  return {
    ...(peerId === undefined ? {} : { peerId }),
    ...(daNamespace === undefined ? {} : { daNamespace }),
  };
}

const daNamespaceOf = remembered(({ text }: NodeProcess["config"]): string | undefined => {
  const [, namespace] = /namespace: "([^"]*)"/.exec(text) ?? [];
  return namespace && namespaceHex(namespace);
});

/** Blocks at heights that all members choose alike, the last one first. */
function checkpointsOf(volume: Volume): Checkpoint[] {
  const { stored: head } = volume;
  if (head === undefined) return [];
  const last = head.height - (head.height % CHECKPOINT_EVERY);
  const newest = blockAt(head, last);
  const recent = [newest, blockAt(newest, last - CHECKPOINT_EVERY)];
  const told = recent.flatMap((block) =>
    block ? [{ height: block.height, id: toldId(volume, block) }] : [],
  );
  return told.at(-1)?.height === 1
    ? told
    : [...told, { height: 1, id: toldId(volume, { height: 1, id: head.firstId }) }];
}

/** The first block of a leader and the one before it, as soon as a majority has both. */
function noteHandover({ process, volume, agent }: PodRun): void {
  const first = process?.firstBlock;
  if (first?.parent === undefined || agent.handover?.firstHash === first.id) return;
  if (!isPartOf(first, volume.stored)) return;
  const { parent } = first;
  agent.handover = {
    lastHeight: parent.height,
    lastHash: parent.id,
    parentHash: parent.id,
    firstHash: first.id,
    gapMs: first.timeMs - parent.timeMs,
    atMs: first.timeMs,
  };
}

function noteLead({ process, agent }: PodRun): void {
  const ledSinceMs = process?.ledSinceMs;
  if (ledSinceMs === undefined || agent.leadsAtMs[0] === ledSinceMs) return;
  agent.leadsAtMs = [ledSinceMs, ...agent.leadsAtMs].slice(0, LEADS_KEPT);
}

function peerOf(run: PodRun, name: string, { group, isCut, isLost, nowMs }: Surroundings): Peer {
  const peer = group.find((one) => one.name === name);
  const of = <Kind extends "refused" | "timedOut" | "unresolved">(kind: Kind) => ({ kind, ageMs: 0 });
  if (peer === undefined) return { name, raft: of("unresolved"), p2p: of("unresolved") };
  if (isLost(peer)) return { name, raft: of("timedOut"), p2p: of("timedOut") };
  const { process } = peer;
  const reached = { kind: "reached", rttMs: 1, ageMs: 0 } as const;
  const isUp = process !== undefined && process.upAtMs <= nowMs;
  const raft = isUp && process.mode === "raft" ? reached : of("refused");
  const ports = { raft: isCut(run, peer) ? of("timedOut") : raft, p2p: isUp ? reached : of("refused") };
  if (!isUp || (process.mode === "raft" && process.role === "waiting")) return { name, ...ports };
  return { name, ...ports, height: storedHeight(peer.volume) };
}

/** What ev-node tells of one height; nothing while its answer says that its port is closed. */
export function blockOf({ volume }: PodRun, { node }: AgentAnswer, height: number): BlockAnswer {
  if (node.kind !== "open") return { kind: "unknown", why: "ev-node does not answer" };
  const block = blockAt(volume.stored, height);
  return block
    ? { kind: "held", hash: toldId(volume, block) }
    : { kind: "unknown", why: "ev-node has not come so far" };
}
