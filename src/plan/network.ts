import type { Status } from "../api/evnodecluster.ts";
import { isTooShort, timingFromRtt } from "../evnode/raft-timing.ts";
import { recommendedRttMax } from "../evnode/rtt-recommendation.ts";
import { LEAST_ROUND_TRIPS } from "../model/agent-protocol.ts";
import { parseDuration } from "../model/duration.ts";
import { remembered } from "../model/remembered.ts";
import { inDurations, timingOf } from "../resources/timing.ts";
import { type Intents, intentsOf } from "./intent.ts";
import { pairsOf } from "./paths.ts";
import type { Snapshot } from "./snapshot.ts";

export type Network = NonNullable<Status["network"]>;
type RoundTrip = NonNullable<Network["roundTrips"]>[number];

/** A figure in the status moves when what is measured differs by more than both. */
const STEADY_MS = 1;
const STEADY_SHARE = 0.1;

/**
 * What is known of the network between the members. The figures that stand in the status stay as long as what is
 * measured is near them, and so does the recommendation, which rests on them. Asked for by the status and a condition.
 */
export const networkOf = remembered((snapshot: Snapshot): Network | undefined => {
  const before = snapshot.cluster.status?.network;
  const pairs = pairsOf(snapshot.members);
  const roundTrips = pairs.flatMap(({ from, to, peer }): RoundTrip[] => {
    if (peer?.rtt === undefined || peer.rtt.samples < LEAST_ROUND_TRIPS) return [];
    const standing = before?.roundTrips?.find((one) => one.from === from.name && one.to === to.name);
    return [{ from: from.name, to: to.name, rttMs: steady(standing?.rttMs, peer.rtt.medianMs) }];
  });
  const maximum = longestOf(roundTrips, before?.maximum);
  const standing = parseDuration(before?.recommendedTiming?.rttMax ?? "");
  const recommended =
    maximum === undefined
      ? standing
      : recommendedRttMax(standing, maximum.rttMs, roundTrips.length === pairs.length);
  if (recommended === undefined) return undefined;
  return {
    ...(maximum === undefined ? {} : { maximum, roundTrips, ...asymmetry(roundTrips) }),
    recommendedTiming: { rttMax: `${recommended}ms`, ...inDurations(timingFromRtt(recommended)) },
    ...tooShortSince(snapshot, maximum),
  };
});

function steady(standingMs: number | undefined, measuredMs: number): number {
  const isNear =
    standingMs !== undefined &&
    Math.abs(measuredMs - standingMs) <= Math.max(STEADY_MS, STEADY_SHARE * standingMs);
  return isNear ? standingMs : Math.max(1, Math.round(measuredMs));
}

/** Of pairs that are equally far apart, the one that is told already. */
function longestOf(roundTrips: readonly RoundTrip[], told: RoundTrip | undefined): RoundTrip | undefined {
  const longestMs = Math.max(...roundTrips.map(({ rttMs }) => rttMs));
  const longest = roundTrips.filter(({ rttMs }) => rttMs === longestMs);
  return longest.find(({ from, to }) => from === told?.from && to === told.to) ?? longest[0];
}

const ASYMMETRIC_RATIO = 1.5;
const ASYMMETRIC_MS = 5;

/** Pairs of which one side measures at least half as much again as the other, and 5 ms more. */
function asymmetry(roundTrips: readonly RoundTrip[]): Pick<Network, "asymmetric"> {
  const asymmetric = roundTrips.flatMap(({ from, to, rttMs }) => {
    const back = roundTrips.find((other) => other.from === to && other.to === from);
    if (!back || rttMs < ASYMMETRIC_RATIO * back.rttMs || rttMs - back.rttMs < ASYMMETRIC_MS) return [];
    return [{ from, to, rttMs, backMs: back.rttMs }];
  });
  return asymmetric.length === 0 ? {} : { asymmetric };
}

function tooShortSince(
  snapshot: Snapshot,
  maximum: RoundTrip | undefined,
): Pick<Network, "timingTooShortSince"> {
  const raft = appliedRaft(snapshot);
  if (!raft || !maximum || !isTooShort(timingOf(raft.timing), maximum.rttMs)) return {};
  const since = snapshot.cluster.status?.network?.timingTooShortSince;
  return { timingTooShortSince: since ?? new Date(snapshot.nowMs).toISOString() };
}

/** Raft's settings that the members have, or are getting. */
export function appliedRaft(snapshot: Snapshot): Intents["current"]["spec"]["raft"] | undefined {
  const { identity } = snapshot;
  return identity.kind === "present" ? intentsOf(snapshot, identity.identity)?.current.spec.raft : undefined;
}
