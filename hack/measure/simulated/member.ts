import { type AgentAnswer, type Order, orderSchema } from "../../../src/model/agent-protocol.ts";

/** How far a simulated member has come; each step but the last takes an order of the operator. */
export type Stage = "empty" | "bootstrapped" | "started" | "running";

/** What of a member does not change. */
export interface MemberFacts {
  readonly name: string;
  readonly ordinal: number;
  readonly podUid: string;
  readonly peers: readonly string[];
  readonly clusterId: string;
  readonly configRevision: string;
  readonly daNamespace: string;
}

export interface MemberState {
  readonly stage: Stage;
  readonly epoch: number;
  readonly executedOrder: string | undefined;
}

export const newMember: MemberState = { stage: "empty", epoch: 0, executedOrder: undefined };

/** Obeys as an agent does: each order once, and only on a volume that it fits. */
export function obey(state: MemberState, text: string | undefined): MemberState {
  const order = readOrder(text);
  if (!order || order.id === state.executedOrder) return state;
  const { id, kind, epoch } = order;
  if (kind === "bootstrap" && state.stage === "empty")
    return { stage: "bootstrapped", epoch, executedOrder: id };
  if (kind === "start" && state.stage === "bootstrapped")
    return { stage: "started", epoch, executedOrder: id };
  return state;
}

function readOrder(text: string | undefined): Order | undefined {
  return text === undefined ? undefined : orderSchema.parse(JSON.parse(text));
}

/** ev-node is up: with the first leader known, its API opens. */
export function run(state: MemberState): MemberState {
  return state.stage === "started" ? { ...state, stage: "running" } : state;
}

interface Moment {
  readonly version: string;
  readonly height: number;
  readonly timeMs: number;
}

/** The member with ordinal 0 leads, and all members of a chain are at one height. */
export function answerOf(facts: MemberFacts, state: MemberState, moment: Moment): AgentAnswer {
  const { name, podUid, clusterId, configRevision } = facts;
  const { stage, executedOrder } = state;
  return {
    protocol: 1,
    version: moment.version,
    member: name,
    podUid,
    clusterId,
    configRevision,
    ...(executedOrder === undefined ? {} : { executedOrder }),
    prepare: prepareOf(stage),
    volume: volumeOf(state),
    node: stage === "running" ? openNode(facts, moment) : closedNode,
    peers: facts.peers.map((peer) => ({
      name: peer,
      raft: { kind: "reached", rttMs: 0.2, ageMs: 300 },
      p2p: { kind: "reached", rttMs: 0.2, ageMs: 300 },
      rtt: { medianMs: 0.2, samples: 60 },
      ...(stage === "running" ? { height: moment.height } : {}),
    })),
    ready:
      stage === "running" ? { ok: true, message: "in sync" } : { ok: false, message: "ev-node does not run" },
    disk: { freeBytes: 900_000_000, totalBytes: 1_000_000_000 },
  };
}

function prepareOf(stage: Stage): AgentAnswer["prepare"] {
  if (stage === "empty") return { kind: "waiting", for: "bootstrap", message: "the volume is empty" };
  if (stage === "bootstrapped")
    return { kind: "waiting", for: "start", message: "waits for the order to start" };
  return { kind: "done" };
}

function volumeOf({ stage, epoch }: MemberState): AgentAnswer["volume"] {
  return stage === "empty" ? { kind: "empty" } : { kind: "intact", epoch, started: stage !== "bootstrapped" };
}

const closedNode: AgentAnswer["node"] = {
  kind: "closed",
  metricsPortOpen: false,
  raftPortOpen: false,
  sinceMs: 1_000,
};

function openNode({ ordinal, daNamespace }: MemberFacts, { height, timeMs }: Moment): AgentAnswer["node"] {
  const hash = height.toString(16).padStart(64, "0");
  const peerId = `12D3KooW${String(ordinal).padStart(44, "1")}`;
  return {
    kind: "open",
    isLeader: ordinal === 0,
    height,
    head: { height, hash, timeMs },
    peerId,
    daNamespace,
  };
}
