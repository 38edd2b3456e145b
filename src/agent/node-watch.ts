import { createHash } from "node:crypto";
import {
  blockRequest,
  namespaceRequest,
  netInfoRequest,
  parseBlock,
  parseNamespaces,
  parseNetInfo,
  parseRaftNode,
  parseState,
  parseStoreInfo,
  READY,
  raftNodeRequest,
  readyRequest,
  stateRequest,
  storeInfoRequest,
} from "../evnode/rpc.ts";
import { CHECKPOINT_EVERY, type Checkpoint } from "../model/agent-protocol.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Board } from "./board.ts";
import type { NodeFinding } from "./findings.ts";
import type { HttpClient } from "./http-client.ts";
import type { MemberFacts } from "./member-facts.ts";
import { type AskNode, LOOPBACK, newAskNode } from "./node-rpc.ts";
import type { Resolve } from "./resolve.ts";
import { probeTcp } from "./tcp-probe.ts";

const LEADER_DEADLINE_MS = 500;
const PORT_DEADLINE_MS = 500;
/** A peer id and a namespace only change with a restart, and a restart closes the port in between. */
const IDENTITY_LIFETIME_MS = 30_000;
/** Enough that members which are apart by many blocks have one in common. */
const CHECKPOINTS_KEPT = 8;

export interface NodeWatchDependencies {
  readonly http: HttpClient;
  readonly resolve: Resolve;
  readonly clock: Clock;
  readonly board: Board;
  readonly member: string;
  readonly facts: MemberFacts;
  /** Whether what is installed is the config of a lazy chain's sequencer. Asked of a single one that does not lead. */
  readonly isLazy?: () => Promise<boolean>;
}

type Open = Extract<NodeFinding, { kind: "open" }>;

/** Looks at ev-node from inside its pod. */
export class NodeWatch {
  readonly #given: NodeWatchDependencies;
  readonly #ask: AskNode;
  #identityAtMs: number | undefined;
  /** Earlier checkpoints that were asked for since the HTTP server opened: what is pruned is not asked for again. */
  readonly #tried = new Set<number>();

  constructor(given: NodeWatchDependencies) {
    this.#given = given;
    this.#ask = newAskNode(given.http, given.clock, given.facts.rpcPort);
  }

  /**
   * Who leads: cheap enough to be asked several times a second. When the HTTP server opened or closed, the rest is
   * looked at too, so that no answer is made of before and after.
   */
  async lookAtLeadership(): Promise<void> {
    const { http, board, member, facts } = this.#given;
    const result = await http.send(
      { address: LOOPBACK, port: facts.rpcPort },
      // ev-node without Raft panics when it is asked for its role in Raft.
      facts.isSingle ? readyRequest : raftNodeRequest,
      LEADER_DEADLINE_MS,
    );
    if (result.kind === "refused") {
      if (board.findings().node.kind === "open") await this.#lookAtPorts();
      return;
    }
    const body = result.kind === "answered" && result.status === 200 ? result.body : undefined;
    const isLeader = facts.isSingle
      ? await this.#leadsAlone(body, result.kind === "answered")
      : leads(body, member);
    const before = board.findings().node;
    board.update({ node: { ...(before.kind === "open" ? before : opened), isLeader } });
    if (before.kind === "open") return;
    this.#identityAtMs = undefined;
    this.#tried.clear();
    await this.#lookAtChain();
  }

  /**
   * A single sequencer leads as soon as its process is seen to make blocks. That it makes fewer than it should later on
   * is no loss of the lead: nobody else could take it. Of a lazy chain it leads at once: what it waits for may be the
   * transactions that go to the leader.
   */
  async #leadsAlone(body: string | undefined, isAnswered: boolean): Promise<true | undefined> {
    const { board, isLazy = async () => false } = this.#given;
    const { node, volume, mode } = board.findings();
    // It runs as a full node, and the end of the process before may not have been seen.
    if (volume.kind === "damaged" || mode?.kind === "level") return undefined;
    if (volume.kind === "intact" && volume.change !== undefined) return undefined;
    if ((node.kind === "open" && node.isLeader === true) || body?.trim() === READY) return true;
    return isAnswered && (await isLazy()) ? true : undefined;
  }

  /** Height, head and identity while the HTTP server is open, the other ports while it is closed. */
  async lookAtState(): Promise<void> {
    const { kind } = this.#given.board.findings().node;
    await (kind === "closed" ? this.#lookAtPorts() : this.#lookAtChain());
  }

  async #lookAtPorts(): Promise<void> {
    const { resolve, clock, board, facts } = this.#given;
    const { node: before } = board.findings();
    const sinceMs = before.kind === "closed" ? before.sinceMs : clock.monotonicMs();
    const [metricsPortOpen, raftPortOpen] = await Promise.all([
      isOpen(LOOPBACK, facts.metricsPort, clock),
      isRaftPortOpen(facts, resolve, clock),
    ]);
    // Opened meanwhile.
    if (before.kind === "closed" && board.findings().node.kind === "open") return;
    board.update({ node: { kind: "closed", metricsPortOpen, raftPortOpen, sinceMs } });
  }

  async #lookAtChain(): Promise<void> {
    const { board } = this.#given;
    const [state, heads, identity] = await Promise.all([
      this.#ask(stateRequest, parseState),
      this.#ask(storeInfoRequest, parseStoreInfo),
      this.#identityIfDue(),
    ]);
    // Closed meanwhile: what was asked is about a process that is gone.
    if (board.findings().node.kind !== "open") return;
    const checkpoint = state === undefined ? undefined : await this.#checkpointIfDue(state.value.height);
    const { node } = board.findings();
    if (node.kind !== "open") return;

    const header = heads?.value.header;
    board.update({
      node: {
        ...node,
        height: state === undefined ? node.height : { value: state.value.height, atMs: state.atMs },
        blockTimeMs: state === undefined ? node.blockTimeMs : state.value.lastBlockTimeMs,
        head: heads === undefined || header === undefined ? node.head : { value: header, atMs: heads.atMs },
        checkpoints:
          checkpoint === undefined ? node.checkpoints : withCheckpoint(node.checkpoints, checkpoint),
        peerId: identity?.peerId ?? node.peerId,
        daNamespace: identity?.daNamespace ?? node.daNamespace,
      },
    });
  }

  /**
   * The newest one as soon as it is there, and one of those before with each look. ev-node tolerates the first block of
   * a process that does not follow from the one before, so other blocks may lie below a head that is as all others'.
   */
  async #checkpointIfDue(head: number): Promise<Checkpoint | undefined> {
    const { node } = this.#given.board.findings();
    const known = node.kind === "open" ? node.checkpoints.map(({ height }) => height) : [];
    const heights = checkpointHeights(head);
    const missing = heights.filter((height) => !known.includes(height));
    const height = missing.find((one) => one === heights[0] || !this.#tried.has(one));
    if (height === undefined) return undefined;
    if (height !== heights[0]) this.#tried.add(height);
    const block = await this.#ask(blockRequest(height), parseBlock);
    if (block?.value.height !== height || block.value.signature === "") return undefined;
    return { height, id: createHash("sha256").update(block.value.signature).digest("hex").slice(0, 16) };
  }

  async #identityIfDue(): Promise<Pick<Open, "peerId" | "daNamespace"> | undefined> {
    const nowMs = this.#given.clock.monotonicMs();
    if (this.#identityAtMs !== undefined && nowMs - this.#identityAtMs < IDENTITY_LIFETIME_MS)
      return undefined;

    const [net, names] = await Promise.all([
      this.#ask(netInfoRequest, parseNetInfo),
      this.#ask(namespaceRequest, parseNamespaces),
    ]);
    if (net !== undefined && names !== undefined) this.#identityAtMs = nowMs;
    return { peerId: net?.value.peerId, daNamespace: names?.value.header };
  }
}

/** The newest first. Before the first multiple it is the first block. */
function checkpointHeights(head: number): readonly number[] {
  const last = Math.floor(head / CHECKPOINT_EVERY);
  const heights = Array.from({ length: Math.min(last, CHECKPOINTS_KEPT) }, (_, back) => {
    return (last - back) * CHECKPOINT_EVERY;
  });
  return heights.length > 0 || head === 0 ? heights : [1];
}

function withCheckpoint(known: readonly Checkpoint[], found: Checkpoint): readonly Checkpoint[] {
  const all = [found, ...known.filter(({ height }) => height !== found.height)];
  return all.sort((one, other) => other.height - one.height).slice(0, CHECKPOINTS_KEPT);
}

const opened: Open = {
  kind: "open",
  isLeader: undefined,
  height: undefined,
  blockTimeMs: undefined,
  head: undefined,
  checkpoints: [],
  peerId: undefined,
  daNamespace: undefined,
};

/** An answer about another node, or none that can be read, leaves it unknown who leads. */
function leads(body: string | undefined, member: string): boolean | undefined {
  if (body === undefined) return undefined;
  const reading = parseRaftNode(body);
  return reading.kind === "parsed" && reading.value.nodeId === member ? reading.value.isLeader : undefined;
}

/** Whether a process of ev-node holds one of the ports that are open before it knows a leader. */
export async function nodeRuns(facts: MemberFacts, resolve: Resolve, clock: Clock): Promise<boolean> {
  const open = await Promise.all([
    isOpen(LOOPBACK, facts.metricsPort, clock),
    isRaftPortOpen(facts, resolve, clock),
    isOpen(LOOPBACK, facts.rpcPort, clock),
  ]);
  return open.includes(true);
}

/** Whether ev-node got past its stores: it opens this port after its blocks, its signer and its Raft state. */
export const nodeIsUp = ({ metricsPort }: MemberFacts, clock: Clock): Promise<boolean> =>
  isOpen(LOOPBACK, metricsPort, clock);

/** Raft listens on the address that its own name has, not on loopback. */
export async function isRaftPortOpen(
  { raftHost, raftPort }: MemberFacts,
  resolve: Resolve,
  clock: Clock,
): Promise<boolean> {
  const address = await resolve(raftHost);
  return address !== undefined && (await isOpen(address, raftPort, clock));
}

async function isOpen(address: string, port: number, clock: Clock): Promise<boolean> {
  return (await probeTcp(address, port, PORT_DEADLINE_MS, clock)).kind === "reached";
}
