import type { Secret } from "../../../src/model/objects.ts";
import type { SimulatedAgent } from "./agent.ts";
import type { Block, Head } from "./block.ts";
import type { Volume } from "./volume.ts";

/** One process of ev-node. */
export interface NodeProcess {
  /** As a full node until its blocks are level with the others', or in Raft. */
  mode: "level" | "raft";
  /** A full node for as long as it lives: on a volume that is on its way to another membership. */
  readonly isHeld: boolean;
  /** Of the config that it has read; its Raft directory is the one of this epoch. */
  readonly epoch: number;
  readonly isSingle: boolean;
  role: "leader" | "follower" | "waiting";
  readonly startedMs: number;
  /** Its ports are closed before. */
  readonly upAtMs: number;
  readonly image: string;
  /** What it read when it started, and nothing later. */
  readonly config: InstalledConfig;
  /** Blocks that it stores in one step while it is behind; none, for one that never catches up. */
  readonly catchUp: number;
  /** It was asked to end: when, and when it will have, if it does not lead. */
  stopping: { readonly sinceMs: number; readonly exitAtMs: number } | undefined;
  /** Since when it knows of no leader, while it waits for one. */
  waitingSinceMs: number;
  ledSinceMs: number | undefined;
  /** When it last reached a majority, if it leads. */
  quorumAtMs: number;
  /** The highest block that it knows of, if it is held: heard when it started, or from who made it. */
  known: Head | undefined;
  /** The first block that it made since it leads. */
  firstBlock: Block | undefined;
  /** Leads without making a block, if it comes to lead. */
  isIdle?: true;
}

export interface InstalledConfig {
  readonly revision: string;
  readonly text: string;
}

/** How a process ended, as kubelet tells it. */
export interface ContainerExit {
  readonly code: number;
  readonly message: string;
  readonly containerId: string;
  readonly atMs: number;
}

/** The container of ev-node, over all its starts. */
export interface NodeContainer {
  /** What it has to run, as kubelet has read it. */
  image: string;
  /** Of the last start. */
  id: string | undefined;
  startedMs: number;
  starts: number;
  lastExit: ContainerExit | undefined;
  /** Exits that each make kubelet wait longer. */
  backOffs: number;
  /** Kubelet does not start it before. */
  startAtMs: number;
  /** Why kubelet cannot start it. */
  refusal: { readonly reason: string; readonly message: string } | undefined;
  /** The registry does not give the image out until then, whatever it is. */
  noImageUntilMs: number;
}

/** A pod as its node runs it. It may outlive its object in the API by some seconds. */
export interface PodRun {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly cluster: string;
  readonly ip: string;
  readonly node: string;
  readonly volume: Volume;
  readonly container: NodeContainer;
  agent: SimulatedAgent;
  agentImage: string;
  agentStarts: number;
  /** The agent's container is being started again until then. */
  agentAwayUntilMs: number;
  /** The config Secret as kubelet mounted it last. */
  configs: Secret;
  process: NodeProcess | undefined;
  /** Whether an execution client runs beside ev-node. */
  readonly hasLayer: boolean;
  /** What kubelet's probes said last. */
  isReady: boolean;
  /** What kubelet told last, of which version of the pod. */
  told: string;
  /** Since when the member is too far behind, or takes no part, without a break; see `participation.ts`. */
  behindSinceMs: number | undefined;
  absentSinceMs: number | undefined;
  /** Since when nobody leads its group, as long as it runs itself. */
  leaderlessSinceMs: number | undefined;
  /** Kubelet ends the containers then; absent while the pod is to run. */
  endAtMs: number | undefined;
}
