export interface RaftTiming {
  readonly heartbeatTimeoutMs: number;
  readonly electionTimeoutMs: number;
  readonly leaderLeaseTimeoutMs: number;
  readonly sendTimeoutMs: number;
}

/** ev-node's own defaults. */
export const defaultTiming: RaftTiming = {
  heartbeatTimeoutMs: 350,
  electionTimeoutMs: 1_000,
  leaderLeaseTimeoutMs: 175,
  sendTimeoutMs: 200,
};

/** ev-node's guide gives one row for all round trips up to this. */
const FAST_NETWORK_MS = 25;
// Below it a pause of the processor or the disk costs the leader its lease, so a faster network never lowers it. The
// guide rounds down: by its own formulas 25 ms would take a heartbeat of 100 ms.
const fastTiming: RaftTiming = {
  heartbeatTimeoutMs: 92,
  electionTimeoutMs: 368,
  leaderLeaseTimeoutMs: 46,
  sendTimeoutMs: 50,
};

const libraryMinimumMs = 5;

/** ev-node's formulas for the slowest round trip between two members, and its row for those of a fast network. */
export function timingFromRtt(rttMaxMs: number): RaftTiming {
  if (!Number.isFinite(rttMaxMs) || rttMaxMs <= 0)
    throw new RangeError(`a round trip cannot take ${rttMaxMs} ms`);
  if (rttMaxMs <= FAST_NETWORK_MS) return fastTiming;

  const heartbeatTimeoutMs = Math.ceil(4 * rttMaxMs);
  return {
    heartbeatTimeoutMs,
    electionTimeoutMs: 4 * heartbeatTimeoutMs,
    leaderLeaseTimeoutMs: Math.floor(heartbeatTimeoutMs / 2),
    sendTimeoutMs: Math.ceil(3 * rttMaxMs),
  };
}

/**
 * Whether a follower stands for election, or a leader gives up, sooner than by the formulas. Time-outs below the row of
 * a fast network are not too short by that alone: that row is about processors and disks.
 */
export function isTooShort(
  timing: Pick<RaftTiming, "heartbeatTimeoutMs" | "leaderLeaseTimeoutMs">,
  rttMs: number,
): boolean {
  const needed = timingFromRtt(rttMs);
  return (
    timing.heartbeatTimeoutMs < Math.min(needed.heartbeatTimeoutMs, 4 * rttMs) ||
    timing.leaderLeaseTimeoutMs < Math.min(needed.leaderLeaseTimeoutMs, 2 * rttMs)
  );
}

/** The rules of ev-node and of its raft library, in words; a time-out that breaks one stops every member at its start. */
export function checkTiming(timing: RaftTiming): readonly string[] {
  return [
    ...wholeAndAtLeast("heartbeat time-out", timing.heartbeatTimeoutMs, libraryMinimumMs),
    ...wholeAndAtLeast("election time-out", timing.electionTimeoutMs, libraryMinimumMs),
    ...wholeAndAtLeast("leader lease time-out", timing.leaderLeaseTimeoutMs, libraryMinimumMs),
    ...wholeAndAtLeast("send time-out", timing.sendTimeoutMs, 1),
    ...notAbove(
      "leader lease time-out",
      timing.leaderLeaseTimeoutMs,
      "heartbeat time-out",
      timing.heartbeatTimeoutMs,
    ),
    ...notAbove(
      "heartbeat time-out",
      timing.heartbeatTimeoutMs,
      "election time-out",
      timing.electionTimeoutMs,
    ),
  ];
}

function wholeAndAtLeast(name: string, valueMs: number, minimumMs: number): readonly string[] {
  if (Number.isSafeInteger(valueMs) && valueMs >= minimumMs) return [];
  return [`the ${name} must be a whole number of at least ${minimumMs} ms, not ${valueMs} ms`];
}

function notAbove(name: string, valueMs: number, limitName: string, limitMs: number): readonly string[] {
  if (valueMs <= limitMs) return [];
  return [`the ${name} (${valueMs} ms) must not exceed the ${limitName} (${limitMs} ms)`];
}
