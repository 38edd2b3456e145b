import { type Findings, nothingKnown, type PeerFinding } from "../../../src/agent/findings.ts";
import { judgeReadiness } from "../../../src/agent/readiness.ts";
import { namespaceHex } from "../../../src/evnode/da-namespace.ts";
import {
  type AgentAnswer,
  CHECKPOINT_EVERY,
  type Checkpoint,
  LEADS_KEPT,
} from "../../../src/model/agent-protocol.ts";
import type { SimulatedAgent } from "./agent.ts";
import { blockAt, heightOf, isPartOf } from "./block.ts";
import type { NodeProcess, PodRun } from "./pod-run.ts";
import { storedHeight, type Volume } from "./volume.ts";

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
  const { agent, process, volume } = run;
  const voters = volume.raft?.voters.map(({ id }) => id) ?? [];
  const peers = voters.filter((id) => id !== run.name).map((id) => peerOf(run, id, around));
  for (const { name, raft } of peers) if (raft.kind === "reached") agent.reachedAtMs.set(name, around.nowMs);
  const node = nodeOf(run, around);
  noteHandover(run);
  noteLead(run);
  const mode = process === undefined ? undefined : modeOf(run, process);
  const seen = { node, peers, ...(mode === undefined ? {} : { mode }) };
  const ready = judgeReadiness(
    findingsOf(agent, seen, around.nowMs),
    agent.mounted.maxBlocksBehind,
    around.nowMs,
  );
  return agent.answer(run.uid, around.nowMs, { ...seen, ready });
}

/** As the real agent has them before it judges its readiness. */
function findingsOf(
  agent: SimulatedAgent,
  { node, peers, mode }: Pick<AgentAnswer, "node" | "peers" | "mode">,
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
    node: node.kind === "closed" ? node : open,
    peers: peers.map(({ name, height }): PeerFinding => {
      const raftReachedAtMs = agent.reachedAtMs.get(name);
      const unknown = { kind: "unknown" } as const;
      return { name, raft: unknown, p2p: unknown, raftReachedAtMs, height: seen(height), stance: undefined };
    }),
  };
}

function modeOf({ volume }: PodRun, { mode }: NodeProcess): NonNullable<AgentAnswer["mode"]> {
  return mode === "raft" ? { kind: "raft" } : { kind: "level", loggedHeight: heightOf(volume.raft?.log) };
}

/** ev-node answers when it knows a leader, or runs without Raft. */
function nodeOf({ process, volume, agent }: PodRun, { nowMs, epochMs }: Surroundings): Node {
  const isUp = process !== undefined && process.upAtMs <= nowMs;
  const sinceMs = isUp ? nowMs - Math.max(process.startedMs, process.waitingSinceMs) : 0;
  const closed = { kind: "closed", metricsPortOpen: isUp, raftPortOpen: isUp, sinceMs } as const;
  if (!isUp) return closed;
  const block = volume.raft?.stored;
  const height = heightOf(block);
  const head =
    block === undefined
      ? {}
      : {
          blockTimeMs: epochMs - nowMs + block.timeMs,
          head: { height, hash: block.id, timeMs: epochMs - nowMs + block.timeMs },
          checkpoints: checkpointsOf(volume),
        };
  const proven = provenOf(process, agent);
  if (process.mode === "level") return { kind: "open", height, ...head, ...proven };
  if (process.role === "waiting") return closed;
  return { kind: "open", isLeader: process.role === "leader", height, ...head, ...proven };
}

/** Of the config that this process has read. */
function provenOf({ config }: NodeProcess, { mounted: { peerId } }: SimulatedAgent) {
  const [, namespace] = /namespace: "([^"]*)"/.exec(config.text) ?? [];
  return {
    ...(peerId === undefined ? {} : { peerId }),
    ...(namespace === undefined ? {} : { daNamespace: namespaceHex(namespace) }),
  };
}

/** Blocks at heights that all members choose alike, the last one first. */
function checkpointsOf({ raft }: Volume): Checkpoint[] {
  const head = raft?.stored;
  if (head === undefined) return [];
  const last = head.height - (head.height % CHECKPOINT_EVERY);
  const newest = blockAt(head, last);
  const recent = [newest, blockAt(newest, last - CHECKPOINT_EVERY)];
  const told = recent.flatMap((block) => (block ? [{ height: block.height, id: block.id }] : []));
  return told.at(-1)?.height === 1 ? told : [...told, { height: 1, id: head.firstId }];
}

/** The first block of a leader and the one before it, as soon as a majority has both. */
function noteHandover({ process, volume, agent }: PodRun): void {
  const first = process?.firstBlock;
  if (first?.parent === undefined || agent.handover?.firstHash === first.id) return;
  if (!isPartOf(first, volume.raft?.stored)) return;
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
