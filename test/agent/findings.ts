import type {
  ExecutionFinding,
  Findings,
  HandoverFinding,
  NodeFinding,
  PeerFinding,
} from "../../src/agent/findings.ts";

/** A member of three that is in sync, as seen at this time. */
export const NOW = 100_000;

export const openNode = (changes: Partial<Extract<NodeFinding, { kind: "open" }>> = {}): NodeFinding => ({
  kind: "open",
  isLeader: false,
  height: { value: 50, atMs: NOW },
  blockTimeMs: 1_000,
  head: { value: { height: 50, hash: "ab", timeMs: 1 }, atMs: NOW },
  checkpoints: [],
  peerId: "12D3",
  daNamespace: "0x01",
  ...changes,
});

export const handover = (changes: Partial<HandoverFinding> = {}): HandoverFinding => ({
  lastHeight: 50,
  lastHash: "ab",
  parentHash: "ab",
  firstHash: "cd",
  gapMs: 2_500,
  atMs: NOW,
  ...changes,
});

export const layer = (changes: Partial<ExecutionFinding> = {}): ExecutionFinding => ({
  height: { value: 50, atMs: NOW },
  blocksBehind: { value: 0, atMs: NOW },
  engine: "open",
  ...changes,
});

export const closedNode = (changes: Partial<Extract<NodeFinding, { kind: "closed" }>> = {}): NodeFinding => ({
  kind: "closed",
  metricsPortOpen: false,
  raftPortOpen: false,
  sinceMs: NOW,
  ...changes,
});

export const peer = (name: string, changes: Partial<PeerFinding> = {}): PeerFinding => ({
  name,
  raft: { kind: "reached", rttMs: 1, atMs: NOW },
  p2p: { kind: "reached", rttMs: 1, atMs: NOW },
  raftTrouble: undefined,
  p2pTrouble: undefined,
  roundTrips: [],
  raftReachedAtMs: NOW,
  height: { value: 50, atMs: NOW },
  heightBefore: undefined,
  stance: { value: { mode: { kind: "raft" }, leads: false, isUp: true }, atMs: NOW },
  listening: { value: { raft: true, p2p: true }, atMs: NOW },
  ...changes,
});

export const inSync: Findings = {
  clusterId: "abc",
  configRevision: "0123456789",
  pendingConfig: undefined,
  restartToken: "token-1",
  genesis: "genesis-1",
  voters: "voters-1",
  executedOrder: "start-1",
  refusedOrder: undefined,
  prepare: { kind: "done" },
  volume: { kind: "intact", epoch: 1, started: true },
  isSettled: false,
  mode: { kind: "raft" },
  node: openNode(),
  execution: undefined,
  peers: [peer("chain-1"), peer("chain-2")],
  raftLog: undefined,
  handover: undefined,
  leads: [],
  throttledShare: undefined,
  disk: { freeBytes: 1_000, totalBytes: 2_000 },
};
