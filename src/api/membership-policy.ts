import { defaultsV1 } from "./defaults.ts";
import type { Spec } from "./evnodecluster.ts";

/** When the number of members may change. It reaches no pod, so it takes effect at once. */
export interface MembershipPolicy {
  /** The epoch that the chain may be stopped for; undefined where none is approved. */
  readonly approvedEpoch: number | undefined;
  readonly stopWithinMs: number;
}

export function membershipPolicy({ membership }: Spec): MembershipPolicy {
  const { approvedEpoch, stopWithinSeconds } = { ...defaultsV1.membership, ...membership };
  return { approvedEpoch, stopWithinMs: stopWithinSeconds * 1_000 };
}
