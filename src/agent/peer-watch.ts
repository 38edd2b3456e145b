import * as z from "zod";
import { AGENT_PORT, agentAnswerSchema } from "../model/agent-protocol.ts";
import { readJson } from "../model/json.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Board } from "./board.ts";
import { current, type PeerFinding, type Reach } from "./findings.ts";
import type { HttpClient } from "./http-client.ts";
import type { PeerAddresses } from "./member-facts.ts";
import { type Trouble, type TroubleView, troubleWith } from "./path-trouble.ts";
import type { Resolve } from "./resolve.ts";
import { withRoundTrip } from "./round-trips.ts";
import { probeTcp } from "./tcp-probe.ts";

const PROBE_DEADLINE_MS = 1_000;

export interface PeerWatchDependencies {
  readonly http: HttpClient;
  readonly resolve: Resolve;
  readonly clock: Clock;
  readonly board: Board;
  readonly clusterId: string;
  readonly agentPort?: number;
}

/** What is read of another agent's answer: no more, so that agents of different versions understand each other. */
const peerAnswer = z.object({
  member: z.string(),
  clusterId: z.string(),
  mode: agentAnswerSchema.shape.mode,
  node: z.object({
    kind: z.string().optional(),
    height: z.int().optional(),
    isLeader: z.boolean().optional(),
    metricsPortOpen: z.boolean().optional(),
    raftPortOpen: z.boolean().optional(),
  }),
});
type PeerAnswer = z.infer<typeof peerAnswer>;

/**
 * libp2p takes a connection every 5 s from one address, and 16 at once after a pause. Looks from the same address as
 * ev-node's own dials must leave nearly all of that to them: spent, it keeps a restarted member from its peers.
 */
const P2P_EVERY_MS = 60_000;
/** With the raft port out of reach it matters more whether the P2P port is too. */
const P2P_EVERY_IN_DOUBT_MS = 10_000;

/** One look at another member: its raft and P2P port, and its height as its own agent says it. */
export async function lookAtPeer(peer: PeerAddresses, dependencies: PeerWatchDependencies): Promise<void> {
  const { resolve, clock, board } = dependencies;
  const address = await resolve(peer.host);
  const seen = address === undefined ? undefined : await lookAtAddress(address, peer, dependencies);
  // A pod that was recreated has another address, also while the name servers still give the old one.
  if (seen?.raft.kind !== "reached") resolve.forget(peer.host);
  const nowhere: Reach = { kind: "unresolved", atMs: clock.monotonicMs() };
  const found = seen ?? { raft: nowhere, p2p: nowhere };
  const { peers, prepare } = board.findings();
  const view = { mayRun: prepare.kind === "done", nowMs: clock.monotonicMs() };
  board.update({
    peers: peers.map((known) => (known.name === peer.name ? after({ ...known, ...found }, view) : known)),
  });
}

/** What follows from a look, and from those before it. */
function after(found: PeerFinding, view: Pick<TroubleView, "mayRun" | "nowMs">): PeerFinding {
  const listening = current(found.listening, view.nowMs);
  const troubleOn = (port: "raft" | "p2p", before: Trouble | undefined) =>
    troubleWith(found[port], { ...view, before, listens: listening?.[port] });
  return {
    ...found,
    roundTrips: withRoundTrip(found.roundTrips, found.raft),
    raftTrouble: troubleOn("raft", found.raftTrouble),
    p2pTrouble: troubleOn("p2p", found.p2pTrouble),
  };
}

type Seen = Pick<PeerFinding, "raft" | "p2p"> & Partial<PeerFinding>;

/** Undefined when another pod has the address now: what is reached there says nothing about the peer. */
async function lookAtAddress(
  address: string,
  { name, raftPort, p2pPort }: PeerAddresses,
  dependencies: PeerWatchDependencies,
): Promise<Seen | undefined> {
  const { clock, board, clusterId } = dependencies;
  const known = board.findings().peers.find((peer) => peer.name === name);
  const [raft, p2p, agent] = await Promise.all([
    probeTcp(address, raftPort, PROBE_DEADLINE_MS, clock),
    known !== undefined && !isP2pDue(known, clock.monotonicMs())
      ? known.p2p
      : probeTcp(address, p2pPort, PROBE_DEADLINE_MS, clock),
    askAgent(address, dependencies),
  ]);
  if (agent !== undefined && (agent.member !== name || agent.clusterId !== clusterId)) return undefined;

  return {
    raft,
    p2p,
    ...(raft.kind === "reached" ? { raftReachedAtMs: raft.atMs } : {}),
    ...(agent === undefined ? {} : seenOf(agent, known?.height, clock.monotonicMs())),
  };
}

function seenOf(
  { mode, node }: PeerAnswer,
  heightBefore: PeerFinding["height"],
  atMs: number,
): Pick<PeerFinding, "stance"> & Partial<PeerFinding> {
  const leads = node.isLeader === true && mode?.kind !== "level";
  const isOpen = node.kind === "open";
  const isUp = isOpen || node.metricsPortOpen === true || node.raftPortOpen === true;
  // While its API is closed ev-node may not have begun with P2P yet.
  const raft = mode?.kind === "raft" && (isOpen || node.raftPortOpen === true);
  return {
    stance: { value: { mode, leads, isUp }, atMs },
    listening: { value: { raft, p2p: isOpen }, atMs },
    ...(node.height === undefined ? {} : { height: { value: node.height, atMs }, heightBefore }),
  };
}

/** A port that was not open costs its owner nothing, so it may be tried each time. */
export function isP2pDue(known: PeerFinding, nowMs: number): boolean {
  if (known.p2p.kind !== "reached") return true;
  const everyMs = known.raft.kind === "reached" ? P2P_EVERY_MS : P2P_EVERY_IN_DOUBT_MS;
  return nowMs - known.p2p.atMs >= everyMs;
}

/** Peers of which nothing is known yet. */
export function unknownPeers(peers: readonly PeerAddresses[]): readonly PeerFinding[] {
  return peers.map(({ name }) => ({
    name,
    raft: { kind: "unknown" },
    p2p: { kind: "unknown" },
    raftTrouble: undefined,
    p2pTrouble: undefined,
    roundTrips: [],
    raftReachedAtMs: undefined,
    height: undefined,
    heightBefore: undefined,
    stance: undefined,
    listening: undefined,
  }));
}

async function askAgent(
  address: string,
  { http, agentPort = AGENT_PORT }: PeerWatchDependencies,
): Promise<PeerAnswer | undefined> {
  const request = { method: "GET", path: "/v1/state" } as const;
  const result = await http.send({ address, port: agentPort }, request, PROBE_DEADLINE_MS);
  // Whoever else may listen there is no agent.
  return result.kind === "answered" && result.status === 200 ? readJson(peerAnswer, result.body) : undefined;
}
