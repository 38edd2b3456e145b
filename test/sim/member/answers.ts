import { type AgentAnswer, CHECKPOINT_EVERY, type Checkpoint } from "../../../src/model/agent-protocol.ts";
import type { NodeProcess, PodRun } from "./pod-run.ts";
import { heightOf, type Volume } from "./volume.ts";

type Node = AgentAnswer["node"];
type Peer = AgentAnswer["peers"][number];

/** What the agent of a pod says now. */
export function answerOf(run: PodRun, group: readonly PodRun[], nowMs: number): AgentAnswer {
  const voters = run.volume.raft?.voters.map(({ id }) => id) ?? [];
  const peers = voters.filter((id) => id !== run.name).map((id) => peerOf(id, group));
  const node = nodeOf(run, nowMs);
  const reached = 1 + peers.filter(({ raft }) => raft.kind === "reached").length;
  const isReady = node.kind === "open" && reached > voters.length / 2 && run.process?.mode === "raft";
  const ready = { ok: isReady, message: isReady ? "" : "ev-node does not take part" };
  const mode = run.process === undefined ? {} : { mode: modeOf(run, run.process) };
  return run.agent.answer(run.uid, { node, peers, ready, ...mode });
}

function modeOf(run: PodRun, { mode }: NodeProcess): NonNullable<AgentAnswer["mode"]> {
  return mode === "raft"
    ? { kind: "raft" }
    : { kind: "level", loggedHeight: run.volume.raft?.log.length ?? 0 };
}

/** ev-node answers when it knows a leader, or runs without Raft. */
function nodeOf({ process, volume }: PodRun, nowMs: number): Node {
  if (process === undefined)
    return { kind: "closed", metricsPortOpen: false, raftPortOpen: false, sinceMs: 0 };
  const height = heightOf(volume);
  const block = volume.raft?.log[height - 1]?.block;
  const head =
    block === undefined
      ? {}
      : { head: { height, hash: block, timeMs: nowMs }, checkpoints: checkpointsOf(volume, height) };
  if (process.mode === "level") return { kind: "open", height, ...head };
  if (process.role === "waiting")
    return { kind: "closed", metricsPortOpen: true, raftPortOpen: true, sinceMs: 0 };
  return { kind: "open", isLeader: process.role === "leader", height, ...head };
}

/** Blocks at heights that all members choose alike, the last one first. */
function checkpointsOf({ raft }: Volume, height: number): Checkpoint[] {
  const last = height - (height % CHECKPOINT_EVERY);
  const heights = [last, last - CHECKPOINT_EVERY, 1].filter((one) => one >= 1);
  return [...new Set(heights)].flatMap((one) => {
    const id = raft?.log[one - 1]?.block;
    return id === undefined ? [] : [{ height: one, id }];
  });
}

function peerOf(name: string, group: readonly PodRun[]): Peer {
  const peer = group.find((run) => run.name === name && run.process !== undefined);
  const reached = { kind: "reached", rttMs: 1, ageMs: 0 } as const;
  const refused = { kind: "refused", ageMs: 0 } as const;
  if (peer === undefined) return { name, raft: refused, p2p: refused };
  const raft = peer.process?.mode === "raft" ? reached : refused;
  return { name, raft, p2p: reached, height: heightOf(peer.volume) };
}
