import type { CompleteSpec } from "../api/complete-spec.ts";

/** Heights are looked at once a second. */
const LOOK_MS = 1_500;

/** How many blocks two members may be apart in what was seen of them, and be level. */
export function blocksPerLook({ chain }: CompleteSpec): number {
  return Math.max(1, Math.ceil(LOOK_MS / chain.blockTimeMs));
}
