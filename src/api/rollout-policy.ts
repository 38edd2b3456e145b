import { defaultsV1 } from "./defaults.ts";
import type { Spec } from "./evnodecluster.ts";

/**
 * How changes are taken to the members. It reaches no pod, so it takes effect at once, and it is no part of what the
 * pods are made from.
 */
export interface RolloutPolicy {
  readonly mode: "Auto" | "Plan" | "Paused";
  readonly maxBlocksBehind: number;
  readonly minReadyMs: number;
  readonly progressDeadlineMs: number;
  readonly onStall: "Revert" | "Hold";
  readonly rehearsal: boolean;
}

export function rolloutPolicy({ rollout }: Spec): RolloutPolicy {
  const given = { ...defaultsV1.rollout, ...rollout };
  return {
    mode: given.mode,
    maxBlocksBehind: given.maxBlocksBehind,
    minReadyMs: given.minReadySeconds * 1_000,
    progressDeadlineMs: given.progressDeadlineSeconds * 1_000,
    onStall: given.onStall,
    rehearsal: given.rehearsal.enabled ?? defaultsV1.rollout.rehearsal.enabled,
  };
}
