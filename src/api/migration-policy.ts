import type { Spec } from "./evnodecluster.ts";

/** The sequencer outside the cluster whose chain is taken over. It reaches no pod template. */
export interface MigrationPolicy {
  /** Multiaddress. */
  readonly peer: string;
  /** Scheme, host and port. */
  readonly rpcAddress: string;
  /** What its owner says of it. */
  readonly oldSequencer: "Running" | "Stopped";
  /** Whether members may follow from what somebody copied onto their volumes. */
  readonly copies: "Refuse" | "Accept";
}

/** Undefined where the chain begins, or began, in the cluster. */
export function migrationPolicy({ migration }: Spec): MigrationPolicy | undefined {
  return migration && { oldSequencer: "Running", copies: "Refuse", ...migration };
}
