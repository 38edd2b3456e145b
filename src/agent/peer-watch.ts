import { z } from "zod";
import { AGENT_PORT } from "../model/agent-protocol.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Board } from "./board.ts";
import type { PeerFinding, Reach, Seen } from "./findings.ts";
import type { HttpClient } from "./http-client.ts";
import type { PeerAddresses } from "./member-facts.ts";
import type { Resolve } from "./resolve.ts";
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
  node: z.object({ height: z.int().optional() }),
});

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
  if (address === undefined) {
    const reach: Reach = { kind: "unresolved", atMs: clock.monotonicMs() };
    note(board, peer.name, { raft: reach, p2p: reach });
    return;
  }

  const probe = async (port: number, noted: (reach: Reach) => Partial<PeerFinding>) => {
    const reach = await probeTcp(address, port, PROBE_DEADLINE_MS, clock);
    // A pod that was recreated has another address, also while the name servers still give the old one.
    if (reach.kind !== "reached") resolve.forget(peer.host);
    note(board, peer.name, noted(reach));
  };
  const known = board.findings().peers.find(({ name }) => name === peer.name);
  // Noted one by one: a port that does not answer must not make the other one look old.
  await Promise.all([
    probe(peer.raftPort, (raft) =>
      raft.kind === "reached" ? { raft, raftReachedAtMs: raft.atMs } : { raft },
    ),
    isP2pDue(known, clock.monotonicMs()) ? probe(peer.p2pPort, (p2p) => ({ p2p })) : undefined,
    noteHeight(peer, address, dependencies),
  ]);
}

/** A port that was not open costs its owner nothing, so it may be tried each time. */
export function isP2pDue(known: PeerFinding | undefined, nowMs: number): boolean {
  if (known?.p2p.kind !== "reached") return true;
  const everyMs = known.raft.kind === "reached" ? P2P_EVERY_MS : P2P_EVERY_IN_DOUBT_MS;
  return nowMs - known.p2p.atMs >= everyMs;
}

/** Peers of which nothing is known yet. */
export function unknownPeers(peers: readonly PeerAddresses[]): readonly PeerFinding[] {
  return peers.map(({ name }) => ({
    name,
    raft: { kind: "unknown" },
    p2p: { kind: "unknown" },
    raftReachedAtMs: undefined,
    height: undefined,
  }));
}

function note(board: Board, name: string, found: Partial<PeerFinding>): void {
  const peers = board.findings().peers.map((peer) => (peer.name === name ? { ...peer, ...found } : peer));
  board.update({ peers });
}

async function noteHeight(peer: PeerAddresses, address: string, dependencies: PeerWatchDependencies) {
  const height = await askHeight(peer, address, dependencies);
  if (height !== undefined) note(dependencies.board, peer.name, { height });
}

async function askHeight(
  peer: PeerAddresses,
  address: string,
  { http, resolve, clock, clusterId, agentPort = AGENT_PORT }: PeerWatchDependencies,
): Promise<Seen<number> | undefined> {
  const request = { method: "GET", path: "/v1/state" } as const;
  const result = await http.send({ address, port: agentPort }, request, PROBE_DEADLINE_MS);
  if (result.kind !== "answered" || result.status !== 200) return undefined;

  const answer = readAnswer(result.body);
  if (answer === undefined) return undefined;
  if (answer.member !== peer.name || answer.clusterId !== clusterId) {
    // The address went to another pod.
    resolve.forget(peer.host);
    return undefined;
  }
  const { height } = answer.node;
  return height === undefined ? undefined : { value: height, atMs: clock.monotonicMs() };
}

function readAnswer(body: string): z.infer<typeof peerAnswer> | undefined {
  try {
    return peerAnswer.safeParse(JSON.parse(body)).data;
  } catch {
    // Whoever listens there is no agent.
    return undefined;
  }
}
