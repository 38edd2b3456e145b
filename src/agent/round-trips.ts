import type { AgentAnswer } from "../model/agent-protocol.ts";
import type { Reach, Seen } from "./findings.ts";

/** Times between a SYN and its answer, oldest first. */
export type RoundTrips = readonly Seen<number>[];

/** At one look a second, about a minute. */
const MOST = 60;
/** A path that is not there any more has no round trip. */
const LIFETIME_MS = 120_000;

/** A port that refuses has answered all the same, so there are round trips before anybody listens. */
export function withRoundTrip(known: RoundTrips, reach: Reach): RoundTrips {
  if (reach.kind !== "reached" && reach.kind !== "refused") return known;
  return [...known, { value: reach.rttMs, atMs: reach.atMs }].slice(-MOST);
}

/** The median: one connect in a busy process takes as long as the process is busy, and half of them may. */
export function roundTripOf(known: RoundTrips, nowMs: number): AgentAnswer["peers"][number]["rtt"] {
  const recent = known.filter(({ atMs }) => nowMs - atMs <= LIFETIME_MS);
  const times = Float64Array.from(recent, ({ value }) => value).sort();
  const [low, high] = [times[Math.floor((times.length - 1) / 2)], times[Math.floor(times.length / 2)]];
  if (low === undefined || high === undefined) return undefined;
  return { medianMs: Math.round(((low + high) / 2) * 100) / 100, samples: times.length };
}
