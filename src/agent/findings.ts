import type { AgentAnswer, Checkpoint, Handover } from "../model/agent-protocol.ts";
import type { Trouble } from "./path-trouble.ts";
import type { RoundTrips } from "./round-trips.ts";

/** All that the agent knows at one moment. Times are those of its monotonic clock. */
export interface Findings {
  readonly clusterId: string | undefined;
  readonly configRevision: string | undefined;
  readonly pendingConfig: AgentAnswer["pendingConfig"];
  readonly restartToken: string | undefined;
  readonly genesis: string | undefined;
  readonly voters: string | undefined;
  readonly executedOrder: string | undefined;
  readonly refusedOrder: AgentAnswer["refusedOrder"];
  readonly prepare: AgentAnswer["prepare"];
  readonly volume: AgentAnswer["volume"];
  /** No process that could make a block has run since the volume was frozen or joins, and one runs as a full node. */
  readonly isSettled: boolean;
  readonly mode: AgentAnswer["mode"];
  readonly node: NodeFinding;
  /** Undefined where there is no execution client. */
  readonly execution: ExecutionFinding | undefined;
  readonly peers: readonly PeerFinding[];
  readonly raftLog: RaftLogFinding | undefined;
  readonly handover: HandoverFinding | undefined;
  /** When this member was seen to take the lead, the last time first. */
  readonly leads: readonly number[];
  readonly throttledShare: number | undefined;
  readonly disk: AgentAnswer["disk"];
}

/** `atMs`: when this member was first seen leading. */
export type HandoverFinding = Omit<Handover, "ageMs"> & { readonly atMs: number };

/** Writes to the Raft log since ev-node knows a leader; `atMs` is the last one's, or when it was begun to count. */
export interface RaftLogFinding {
  readonly writes: number;
  readonly atMs: number;
}

export interface Seen<T> {
  readonly value: T;
  readonly atMs: number;
}

export type NodeFinding =
  | {
      readonly kind: "closed";
      readonly metricsPortOpen: boolean;
      readonly raftPortOpen: boolean;
      readonly sinceMs: number;
    }
  | {
      readonly kind: "open";
      readonly isLeader: boolean | undefined;
      readonly height: Seen<number> | undefined;
      /** When the block at that height was made. */
      readonly blockTimeMs: number | undefined;
      readonly head: Seen<Block> | undefined;
      readonly checkpoints: readonly Checkpoint[];
      readonly peerId: string | undefined;
      readonly daNamespace: string | undefined;
    };

export interface ExecutionFinding {
  readonly height: Seen<number> | undefined;
  /** How far that was below ev-node's own height. */
  readonly blocksBehind: Seen<number> | undefined;
  readonly engine: "open" | "closed" | "unknown";
}

export interface Block {
  readonly height: number;
  readonly hash: string;
  readonly timeMs: number;
}

export type Reach =
  | { readonly kind: "reached" | "refused"; readonly rttMs: number; readonly atMs: number }
  | { readonly kind: "timedOut" | "unresolved"; readonly atMs: number }
  | { readonly kind: "unknown" };

export interface PeerFinding {
  readonly name: string;
  readonly raft: Reach;
  readonly p2p: Reach;
  readonly raftTrouble: Trouble | undefined;
  readonly p2pTrouble: Trouble | undefined;
  /** To its raft port. */
  readonly roundTrips: RoundTrips;
  readonly raftReachedAtMs: number | undefined;
  readonly height: Seen<number> | undefined;
  /** The answer before that. */
  readonly heightBefore: Seen<number> | undefined;
  /** From its agent's answer; absent before the first one. */
  readonly stance: Seen<PeerStance> | undefined;
  readonly listening: Seen<Listening> | undefined;
}

/** How a peer stands to Raft, by its own agent. */
export interface PeerStance {
  readonly mode: AgentAnswer["mode"];
  readonly leads: boolean;
  /** Whether a process of ev-node runs there. */
  readonly isUp: boolean;
}

/** On which ports its ev-node takes connections, by its own agent. */
export interface Listening {
  readonly raft: boolean;
  readonly p2p: boolean;
}

/** After this long without a new answer a height is no longer known. */
const HEIGHT_LIFETIME_MS = 5_000;

export function current<T>(seen: Seen<T> | undefined, nowMs: number): T | undefined {
  return seen !== undefined && nowMs - seen.atMs <= HEIGHT_LIFETIME_MS ? seen.value : undefined;
}

/** Of ev-node's blocks, as it told a moment ago; undefined where it did not. */
export const heightOf = (node: NodeFinding, nowMs: number): number | undefined =>
  node.kind === "open" ? current(node.height, nowMs) : undefined;

/**
 * The peer's height as the member last heard it before it looked at its own: a fast chain makes many blocks from one
 * look to the next, and they are no lag.
 */
export function heightBeside(
  own: Seen<number> | undefined,
  { height, heightBefore }: PeerFinding,
  nowMs: number,
): number | undefined {
  if (own === undefined) return current(height, nowMs);
  const heard = [height, heightBefore].find((seen) => seen !== undefined && seen.atMs <= own.atMs);
  return current(heard, nowMs);
}

/** No process of ev-node is known to run, from this moment on. */
export function closedSince(nowMs: number): NodeFinding {
  return { kind: "closed", metricsPortOpen: false, raftPortOpen: false, sinceMs: nowMs };
}

export function nothingKnown(nowMs: number): Findings {
  return {
    clusterId: undefined,
    configRevision: undefined,
    pendingConfig: undefined,
    restartToken: undefined,
    genesis: undefined,
    voters: undefined,
    executedOrder: undefined,
    refusedOrder: undefined,
    prepare: { kind: "checking" },
    volume: { kind: "unchecked" },
    isSettled: false,
    mode: undefined,
    node: closedSince(nowMs),
    execution: undefined,
    peers: [],
    raftLog: undefined,
    handover: undefined,
    leads: [],
    throttledShare: undefined,
    disk: undefined,
  };
}
