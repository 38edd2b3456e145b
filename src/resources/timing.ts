import type { RaftTimeouts, RaftTiming } from "../api/complete-spec.ts";
import { timingFromRtt } from "../evnode/raft-timing.ts";

/** Raft's time-outs in effect: as given, or by upstream's formulas from the largest round trip. */
export function timingOf(timing: RaftTiming): RaftTimeouts {
  if (timing.source === "RttMax") return timingFromRtt(timing.rttMaxMs);
  const { heartbeatTimeoutMs, electionTimeoutMs, leaderLeaseTimeoutMs, sendTimeoutMs } = timing;
  return { heartbeatTimeoutMs, electionTimeoutMs, leaderLeaseTimeoutMs, sendTimeoutMs };
}

/** As a spec has them, and the status tells them. */
export const inDurations = (timing: RaftTimeouts) => ({
  heartbeatTimeout: `${timing.heartbeatTimeoutMs}ms`,
  electionTimeout: `${timing.electionTimeoutMs}ms`,
  leaderLeaseTimeout: `${timing.leaderLeaseTimeoutMs}ms`,
  sendTimeout: `${timing.sendTimeoutMs}ms`,
});
