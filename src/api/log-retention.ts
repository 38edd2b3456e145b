/** Two that prove the quorum and the block itself. */
const ENTRIES_PER_BLOCK = 3;

/** The largest number of entries that the spec can ask for. */
export const MOST_TRAILING_LOGS = 100_000_000;

/**
 * Raft log entries that are kept after a snapshot so that a member can catch up from the log after so long an absence.
 * A lazy chain makes its blocks `blockTimeMs` apart when it is busy, so it needs no fewer.
 */
export function trailingLogsFor(absenceMs: number, blockTimeMs: number): number {
  return ENTRIES_PER_BLOCK * Math.ceil(absenceMs / blockTimeMs);
}

/** The absence that a log of this length covers at the least, in ms. */
export function absenceCoveredMs(trailingLogs: number, blockTimeMs: number): number {
  return Math.floor(trailingLogs / ENTRIES_PER_BLOCK) * blockTimeMs;
}
