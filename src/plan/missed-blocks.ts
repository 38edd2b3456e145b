import type { Snapshot } from "./snapshot.ts";
import { appliedIntent } from "./stored-intent.ts";

/**
 * How many blocks would have fitted into a pause between two of them, as far as the time between blocks is known. A
 * lazy chain has no blocks to miss: nobody knows how many would have been made.
 */
export function missedBlocks(gapMs: number, { statefulSet }: Snapshot): { blocksMissed?: number } {
  const chain = appliedIntent(statefulSet)?.spec.chain;
  const blockTimeMs = chain?.lazy === undefined ? chain?.blockTimeMs : undefined;
  return blockTimeMs === undefined ? {} : { blocksMissed: Math.max(0, Math.round(gapMs / blockTimeMs) - 1) };
}
