import * as z from "zod";

/**
 * What the operator and the agents of the members say to each other.
 *
 * The operator speaks by one annotation on the pod (an order); an agent answers `GET /v1/state` with one JSON
 * document. With `?after=<version>&waitMs=<n>` the agent holds the request until its version differs from
 * `after`, or `waitMs` have passed. `GET /v1/blocks/<height>` tells which block ev-node holds at one height.
 */

/** The agent's HTTP port. */
export const AGENT_PORT = 9090;

/** So many round trips make a measure: fewer are told as well, and do not count. */
export const LEAST_ROUND_TRIPS = 10;

/** The longest time an agent holds a request. */
export const MAX_WAIT_MS = 30_000;

/**
 * Told of a path that could be open and is not, when that has been so for longer than a restart or a new address takes.
 * A refusal lasts only while the peer's own agent says that ev-node listens there. Agents before it never tell it.
 */
const lasting = z.literal(true).optional();

const reach = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("reached"), rttMs: z.number(), ageMs: z.number() }),
  /** Nothing listens, or a firewall says no: the way there is open. */
  z.object({ kind: z.literal("refused"), ageMs: z.number(), lasting }),
  z.object({ kind: z.literal("timedOut"), ageMs: z.number(), lasting }),
  /** The name has no address, or that of another pod. */
  z.object({ kind: z.literal("unresolved"), ageMs: z.number(), lasting }),
  z.object({ kind: z.literal("unknown") }),
]);

const block = z.object({ height: z.number().int(), hash: z.string(), timeMs: z.number() });

/**
 * A block that this member holds at a height that all members choose alike: the first one, and every multiple of
 * `CHECKPOINT_EVERY`. `id` is a digest of its signature, which tells it from any other block.
 */
const checkpoint = z.object({ height: z.number().int(), id: z.string() });

export type Checkpoint = Readonly<z.infer<typeof checkpoint>>;

/** Members look at different moments, so their heads seldom are at one height; these are. */
export const CHECKPOINT_EVERY = 16;

/** What ev-node itself answers on the loopback interface. */
const node = z.discriminatedUnion("kind", [
  /** No answer since so long: the process is down, or its HTTP server is closed because no leader is known. */
  z.object({
    kind: z.literal("closed"),
    metricsPortOpen: z.boolean(),
    raftPortOpen: z.boolean(),
    sinceMs: z.number(),
  }),
  z.object({
    kind: z.literal("open"),
    /**
     * Absent when `/raft/node` gave no usable answer: unknown is not false. A single sequencer leads from the moment on
     * at which its ev-node first said that it makes blocks; of a lazy chain, from when on it answers.
     */
    isLeader: z.boolean().optional(),
    height: z.number().int().optional(),
    /** When the block at `height` was made, in ms since 1970. */
    blockTimeMs: z.number().optional(),
    head: block.optional(),
    /** The newest few, the last one first. */
    checkpoints: z.array(checkpoint).optional(),
    peerId: z.string().optional(),
    daNamespace: z.string().optional(),
  }),
]);

const lastBlock = z.object({ height: z.number().int(), hash: z.string() });

/**
 * Of a volume whose blocks somebody copied from another node. `head` is the last one that came with it, of height 0
 * when none did; absent while it is read. Until it is `proven` to be of the chain that is followed, ev-node runs on it
 * alone, without any peer, and is not `settled`.
 */
const copy = z.object({ head: lastBlock.optional(), proven: z.literal(true).optional() });

/**
 * How far a volume is on its way to another membership. ev-node runs on it as a full node and in no other way, also
 * after restarts of the pod. `prepared`: it has what the next epoch begins with, and waits for the order to start.
 * `settled`: no process that could make a block has run since, and one runs as a full node.
 */
const change = z.discriminatedUnion("kind", [
  /** Of a member of the epoch that ends. */
  z.object({
    kind: z.literal("frozen"),
    to: z.number().int(),
    settled: z.literal(true).optional(),
    prepared: z.literal(true).optional(),
  }),
  /** Of one that is no member yet: the epoch of the volume is the one that it waits for. */
  z.object({
    kind: z.literal("joining"),
    settled: z.literal(true).optional(),
    prepared: z.literal(true).optional(),
    copy: copy.optional(),
  }),
]);

export type VolumeChange = Readonly<z.infer<typeof change>>;

/** What prepare found on the volume. */
const volume = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("unchecked") }),
  /** Nothing on it: a first start, or a lost volume; the operator knows which. */
  z.object({ kind: z.literal("empty") }),
  /**
   * Data without an identity, of another member, of another cluster or of another epoch. `epoch` is told of this
   * member's own; agents of earlier versions do not tell it. `copy`: there is block data without an identity, and no
   * sign of Raft or of an agent, as after a copy of a sequencer's data.
   */
  z.object({
    kind: z.literal("foreign"),
    message: z.string(),
    epoch: z.number().int().optional(),
    copy: z.literal(true).optional(),
  }),
  /** This member's, but a part is gone, such as the raft directory. */
  z.object({ kind: z.literal("damaged"), message: z.string() }),
  z.object({
    kind: z.literal("intact"),
    epoch: z.number().int(),
    started: z.boolean(),
    change: change.optional(),
  }),
]);

const prepare = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("checking"), message: z.string().optional() }),
  z.object({ kind: z.literal("waiting"), for: z.enum(["bootstrap", "start"]), message: z.string() }),
  z.object({
    kind: z.literal("refused"),
    reason: z.enum(["Config", "Identity", "Volume", "Order"]),
    message: z.string(),
  }),
  z.object({ kind: z.literal("done") }),
]);

const peer = z.object({
  name: z.string(),
  raft: reach,
  p2p: reach,
  /** TCP round trips to its Raft port within about the last minute. Absent when there was none. */
  rtt: z.object({ medianMs: z.number(), samples: z.number().int() }).optional(),
  /** From the peer's own agent; absent when it did not answer. */
  height: z.number().int().optional(),
});

/** How ev-node runs. */
const mode = z.discriminatedUnion("kind", [
  /** `levelled`: it went there from levelling, and has known no leader since. Its process may still be on its way up. */
  z.object({ kind: z.literal("raft"), levelled: z.literal(true).optional() }),
  /**
   * As a full node, outside Raft, until it holds every block that its Raft log has. `loggedHeight` is the highest of
   * these; absent until it was read.
   */
  z.object({ kind: z.literal("level"), loggedHeight: z.number().int().optional() }),
  /** The only member of its cluster: without Raft, and it makes the blocks. */
  z.object({ kind: z.literal("single") }),
]);

/**
 * Blocks around a change of the leader, as the new leader holds them: the last one before the longest pause between
 * two blocks, and the first one after it. Hashes in hex; `parentHash` is the one that the first block names.
 */
const handover = z.object({
  lastHeight: z.number().int(),
  lastHash: z.string(),
  parentHash: z.string(),
  firstHash: z.string(),
  gapMs: z.number(),
  ageMs: z.number(),
});

/** A leader that changes more often than this says no more by more. */
export const LEADS_KEPT = 32;

export type Handover = Readonly<z.infer<typeof handover>>;

/** The execution client beside ev-node. What is not known is absent. */
const execution = z.object({
  /** Of its newest block, which has the same height in both layers. */
  height: z.number().int().optional(),
  /** How far that is below ev-node's own height, both looked at together. */
  blocksBehind: z.number().int().min(0).optional(),
  /** Whether its engine takes connections of ev-node. */
  isEngineOpen: z.boolean().optional(),
});

export const agentAnswerSchema = z.object({
  protocol: z.literal(1),
  /** Changes whenever anything but heights, ages, times and round trips changed, or these have become a measure; also when the agent was restarted. */
  version: z.string(),
  member: z.string(),
  podUid: z.string(),
  /** The id in the identity Secret that this agent mounts. */
  clusterId: z.string().optional(),
  /** The revision of the config that is installed: ev-node reads it at its next start. */
  configRevision: z.string().optional(),
  /** The revision on the pod, as long as it is not installed, and why. */
  pendingConfig: z.object({ revision: z.string(), message: z.string() }).optional(),
  /** The restart token of the pod that was acted upon last, or that the pod was made with. */
  restartToken: z.string().optional(),
  /**
   * Digests of what this member is made of: the genesis that was installed for ev-node, and the membership that its
   * raft state was written with. See `model/fingerprints.ts`.
   */
  fingerprints: z.object({ genesis: z.string().optional(), voters: z.string().optional() }).optional(),
  executedOrder: z.string().optional(),
  /** The order on the pod, when the agent will not execute it. A member that may run without it runs all the same. */
  refusedOrder: z.object({ id: z.string().optional(), message: z.string() }).optional(),
  prepare,
  volume,
  /** Absent as long as it was not decided yet. */
  mode: mode.optional(),
  node,
  /** Only of a member of an EVM chain. */
  execution: execution.optional(),
  peers: z.array(peer),
  /** `forMs`: since when it is so, without a break. */
  ready: z.object({ ok: z.boolean(), message: z.string(), forMs: z.number().optional() }),
  /**
   * How often the Raft log was seen to be written to since ev-node knows a leader, and how long ago last. Absent while
   * it knows none.
   */
  raftLog: z.object({ writes: z.number().int(), agoMs: z.number() }).optional(),
  /** How this member took the lead the last time that its agent saw it; absent if it never did. */
  handover: handover.optional(),
  /**
   * How long ago this member took the lead, each time within the last hour that its agent saw, the last one first; at
   * most `LEADS_KEPT`.
   */
  leadAgesMs: z.array(z.number()).optional(),
  /**
   * In which share of the kernel's periods of about the last minute the CPU limit of its container held ev-node back,
   * from 0 to 1. Absent where that cannot be seen, and where there is no limit.
   */
  throttledShare: z.number().optional(),
  disk: z.object({ freeBytes: z.number(), totalBytes: z.number() }).optional(),
});

export type AgentAnswer = Readonly<z.infer<typeof agentAnswerSchema>>;

/** Where an agent is asked for one block. Agents of earlier versions answer with 404 there. */
export const BLOCKS_PATH = "/v1/blocks/";

/** What this member holds at one height, by ev-node's own word at this moment. */
const blockAnswer = z.discriminatedUnion("kind", [
  /** `hash` of the header, in hex. */
  z.object({ kind: z.literal("held"), hash: z.string().max(128) }),
  /** ev-node is further than this height, and has no block there any more. */
  z.object({ kind: z.literal("pruned") }),
  /** It does not answer, has not come so far, or its answer is of no use: `why`. */
  z.object({ kind: z.literal("unknown"), why: z.string().max(256) }),
]);

export const blockAnswerSchema = z.object({
  protocol: z.literal(1),
  podUid: z.string(),
  height: z.number().int(),
  block: blockAnswer,
});

export type BlockAnswer = Readonly<z.infer<typeof blockAnswer>>;

const voter = z.object({ id: z.string(), address: z.string() });

/**
 * `bootstrap` writes the raft directory of the epoch, on an empty volume, with the membership as its first log
 * entry; nothing starts. A single sequencer has no such directory: its volume is only noted as its own. `rejoin` is the
 * same for a member whose volume or raft directory was lost, or cannot be used, while the others kept theirs. `start`
 * allows ev-node to run on a volume that was bootstrapped and has never been started.
 *
 * For another membership, which is another epoch: `join` lets a member that is to come run as a full node, on an empty
 * volume or on one that it had in an earlier epoch. `freeze` makes one of the old epoch run as a full node, `thaw` takes
 * that back. On a volume that is joining or frozen, `bootstrap` of the epoch to come writes its Raft directory beside
 * the old one, and `start` goes over to it: the old epoch can never start on this volume again.
 */
export const orderSchema = z.discriminatedUnion("kind", [
  z.object({ id: z.string(), kind: z.literal("bootstrap"), epoch: z.number().int(), voters: z.array(voter) }),
  z.object({
    id: z.string(),
    kind: z.literal("rejoin"),
    epoch: z.number().int(),
    voters: z.array(voter),
    /** Also on a volume that looks intact, as ev-node cannot use it: the Raft directory, or the blocks, too. */
    anew: z.enum(["raft", "all"]).optional(),
    /**
     * Also while ev-node runs, which is ended for it: its blocks are of a fork. Agents that do not know of it take the
     * order as carried out where ev-node runs, and touch nothing.
     */
    forked: z.literal(true).optional(),
  }),
  z.object({ id: z.string(), kind: z.literal("start"), epoch: z.number().int() }),
  z.object({
    id: z.string(),
    kind: z.literal("join"),
    epoch: z.number().int(),
    voters: z.array(voter),
    /**
     * Also on a volume with the blocks of another node. `proven`: the last one that came with it, which the sequencer
     * outside holds as well. Agents that do not know of it refuse such a volume.
     */
    copy: z.object({ proven: lastBlock.optional() }).optional(),
  }),
  /** `epoch` is the one that ends. */
  z.object({
    id: z.string(),
    kind: z.literal("freeze"),
    epoch: z.number().int(),
    to: z.number().int(),
  }),
  z.object({
    id: z.string(),
    kind: z.literal("thaw"),
    epoch: z.number().int(),
    to: z.number().int(),
  }),
]);

export type Order = Readonly<z.infer<typeof orderSchema>>;
export type Voter = Readonly<z.infer<typeof voter>>;
