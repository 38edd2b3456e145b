import type { SimulatedAgent } from "./agent.ts";
import type { Volume } from "./volume.ts";

/** One process of ev-node. */
export interface NodeProcess {
  /** As a full node until its blocks are level with the others', or in Raft. */
  mode: "level" | "raft";
  role: "leader" | "follower" | "waiting";
  readonly startedMs: number;
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
  agent: SimulatedAgent;
  process: NodeProcess | undefined;
  restarts: number;
  lastExitCode: number | undefined;
  /** Kubelet does not start ev-node before. */
  startAtMs: number;
  /** Kubelet ends the containers then; absent while the pod is to run. */
  endAtMs: number | undefined;
  /** The registry does not give the image out until then. */
  noImageUntilMs: number;
}
