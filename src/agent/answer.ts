import type { AgentAnswer } from "../model/agent-protocol.ts";
import {
  current,
  type Findings,
  heightBeside,
  type NodeFinding,
  type PeerFinding,
  type Reach,
} from "./findings.ts";
import type { Trouble } from "./path-trouble.ts";
import type { Readiness } from "./readiness.ts";
import { roundTripOf } from "./round-trips.ts";

const LEADS_LIFETIME_MS = 3_600_000;

export interface AnswerFrame {
  readonly version: string;
  readonly member: string;
  readonly podUid: string;
  readonly nowMs: number;
  /** Since when readiness is as it is. */
  readonly readySinceMs: number;
}

/** What is known, as it is told at one moment: times become ages, and what is too old is left out. */
export function answerOf(
  findings: Findings,
  ready: Readiness,
  { nowMs, readySinceMs, ...frame }: AnswerFrame,
): AgentAnswer {
  const { clusterId, configRevision, pendingConfig, restartToken } = findings;
  const { executedOrder, refusedOrder, mode, disk } = findings;
  return {
    protocol: 1,
    ...frame,
    ...ifKnown({ clusterId, configRevision, pendingConfig, restartToken, executedOrder }),
    ...ifKnown({ refusedOrder, mode, disk }),
    ...ifKnown({ fingerprints: fingerprints(findings) }),
    prepare: findings.prepare,
    volume: shownVolume(findings),
    node: shownNode(findings.node, nowMs),
    ...ifKnown({ execution: shownExecution(findings.execution, nowMs) }),
    peers: findings.peers.map((peer) => shownPeer(peer, findings.node, nowMs)),
    ...ifKnown({ raftLog: shownRaftLog(findings.raftLog, nowMs) }),
    ...ifKnown({ throttledShare: findings.throttledShare }),
    leadAgesMs: findings.leads.map((atMs) => age(atMs, nowMs)).filter((ageMs) => ageMs <= LEADS_LIFETIME_MS),
    ...ifKnown({ handover: shownHandover(findings.handover, nowMs) }),
    ready: { ok: ready.ok, message: ready.message, forMs: age(readySinceMs, nowMs) },
  };
}

function fingerprints({ genesis, voters }: Findings): AgentAnswer["fingerprints"] {
  return genesis === undefined && voters === undefined ? undefined : ifKnown({ genesis, voters });
}

function shownVolume({ volume, isSettled }: Findings): AgentAnswer["volume"] {
  if (volume.kind !== "intact" || volume.change === undefined || !isSettled) return volume;
  const copy = volume.change.kind === "joining" ? volume.change.copy : undefined;
  // It runs, but does not follow anybody.
  if (copy && !copy.proven) return volume;
  return { ...volume, change: { ...volume.change, settled: true } };
}

function shownRaftLog(raftLog: Findings["raftLog"], nowMs: number): AgentAnswer["raftLog"] {
  return raftLog && { writes: raftLog.writes, agoMs: age(raftLog.atMs, nowMs) };
}

function shownNode(node: NodeFinding, nowMs: number): AgentAnswer["node"] {
  if (node.kind === "closed") return { ...node, sinceMs: age(node.sinceMs, nowMs) };

  const { isLeader, checkpoints, peerId, daNamespace } = node;
  const height = current(node.height, nowMs);
  const blockTimeMs = height === undefined ? undefined : node.blockTimeMs;
  const head = current(node.head, nowMs);
  const blocks = checkpoints.length === 0 ? {} : { checkpoints: [...checkpoints] };
  return {
    kind: "open",
    ...ifKnown({ isLeader, height, blockTimeMs, head, peerId, daNamespace }),
    ...blocks,
  };
}

function shownExecution(execution: Findings["execution"], nowMs: number): AgentAnswer["execution"] {
  if (execution === undefined) return undefined;
  const { engine } = execution;
  return ifKnown({
    height: current(execution.height, nowMs),
    blocksBehind: current(execution.blocksBehind, nowMs),
    isEngineOpen: engine === "unknown" ? undefined : engine === "open",
  });
}

function shownHandover(handover: Findings["handover"], nowMs: number): AgentAnswer["handover"] {
  if (handover === undefined) return undefined;
  const { atMs, ...pause } = handover;
  return { ...pause, ageMs: age(atMs, nowMs) };
}

function shownPeer(peer: PeerFinding, node: NodeFinding, nowMs: number): AgentAnswer["peers"][number] {
  const { name, raft, raftTrouble, p2p, p2pTrouble } = peer;
  const height = heightBeside(node.kind === "open" ? node.height : undefined, peer, nowMs);
  return {
    name,
    raft: shownReach(raft, raftTrouble, nowMs),
    p2p: shownReach(p2p, p2pTrouble, nowMs),
    ...ifKnown({ rtt: roundTripOf(peer.roundTrips, nowMs), height }),
  };
}

function shownReach(
  reach: Reach,
  trouble: Trouble | undefined,
  nowMs: number,
): AgentAnswer["peers"][number]["raft"] {
  if (reach.kind === "unknown") return { kind: "unknown" };
  const ageMs = age(reach.atMs, nowMs);
  if (reach.kind !== "reached")
    return { kind: reach.kind, ageMs, ...(trouble?.lasts === true ? { lasting: true } : {}) };
  return { kind: "reached", rttMs: Math.round(reach.rttMs * 100) / 100, ageMs };
}

function age(atMs: number, nowMs: number): number {
  return Math.max(0, Math.round(nowMs - atMs));
}

type Known<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Leaves out what is undefined: absent means unknown. */
function ifKnown<T extends object>(values: T): Known<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Known<T>;
}
