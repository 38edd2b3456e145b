import { defaultsV1 } from "./defaults.ts";
import type { Spec } from "./evnodecluster.ts";

/** What the operator may rebuild by itself. It reaches no pod, so it takes effect at once. */
export interface RepairPolicy {
  readonly mode: "Auto" | "Approve";
  readonly maxPerHour: number;
}

export const repairPolicy = ({ repair }: Spec): RepairPolicy => ({ ...defaultsV1.repair, ...repair });
