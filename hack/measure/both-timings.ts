import { CURRENT_DEFAULTS_VERSION, completeSpec } from "../../src/api/defaults.ts";
import { defaultTiming, type RaftTiming } from "../../src/evnode/raft-timing.ts";
import { manifestOf } from "./operated-cluster.ts";

/** The Raft time-outs that both sides of a comparison have. */
export interface SharedTiming {
  /** As a title of a table says it. */
  readonly name: string;
  readonly timing: RaftTiming;
}

/** Those of the operator, or ev-node's own, which a busy machine does not keep to. */
export function sharedTiming(asEvnode: boolean): SharedTiming {
  if (asEvnode) return { name: "ev-node's own Raft time-outs on both sides", timing: defaultTiming };
  const { spec } = manifestOf({ namespace: "any", name: "any", replicas: 3, blockTime: "1s" });
  const { timing } = completeSpec(spec, CURRENT_DEFAULTS_VERSION).raft;
  if (timing.source !== "Default") throw new Error("a manifest without time-outs has none by default");
  return { name: "the operator's Raft time-outs on both sides", timing };
}
