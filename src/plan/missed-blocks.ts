import type { Snapshot } from "./snapshot.ts";
import { appliedIntent } from "./stored-intent.ts";

/** How many blocks would have fitted into a pause between two of them, as far as the time between blocks is known. */
export function missedBlocks(gapMs: number, { statefulSet }: Snapshot): { blocksMissed?: number } {
  const blockTimeMs = appliedIntent(statefulSet)?.spec.chain.blockTimeMs;
  return blockTimeMs === undefined ? {} : { blocksMissed: Math.max(0, Math.round(gapMs / blockTimeMs) - 1) };
}
