import type { Finding } from "../api/conditions.ts";
import { parseTimestampMs } from "../evnode/timestamp.ts";
import { appliedRaft, networkOf } from "./network.ts";
import type { Snapshot } from "./snapshot.ts";

/** So long, beside the minute that each figure is a median of, round trips have to be too long. */
const FOR_LONG_MS = 180_000;

/**
 * Whether Raft's time-outs are long enough for the round trips that are measured. That shorter ones would do is no
 * fault: a network that is fast is not the only reason for long ones.
 *
 * | measured | then |
 * | --- | --- |
 * | one member only | fits |
 * | nothing | unknown |
 * | for more than three minutes a heartbeat below four round trips, or a lease below two | too long |
 * | anything else | fits |
 */
export function timingFinding(snapshot: Snapshot): Finding<"TimingFits"> {
  const found = (reason: Finding<"TimingFits">["reason"], message: string) => {
    return { type: "TimingFits", reason, message } as const;
  };
  if (snapshot.members.length === 1) return found("RoundTripsFit", "A single member needs no Raft.");
  const { maximum, timingTooShortSince, recommendedTiming } = networkOf(snapshot) ?? {};
  if (!maximum) return found("RoundTripsUnknown", "No round trip between two members was measured yet.");
  const sinceMs = parseTimestampMs(timingTooShortSince ?? "");
  if (sinceMs === undefined || snapshot.nowMs - sinceMs < FOR_LONG_MS)
    return found(
      "RoundTripsFit",
      "Raft's time-outs are long enough for the round trips between the members.",
    );
  return found("RoundTripsTooLong", tooLongMessage(snapshot, recommendedTiming?.rttMax ?? ""));
}

function tooLongMessage(snapshot: Snapshot, rttMax: string): string {
  const { name, namespace = "default" } = snapshot.cluster.metadata;
  const isExplicit = appliedRaft(snapshot)?.timing.source === "Spec";
  const edit = isExplicit
    ? `spec.raft.rttMax: ${rttMax} in place of spec.raft.timing`
    : `spec.raft.rttMax: ${rttMax}`;
  const patch = JSON.stringify({ spec: { raft: { rttMax, ...(isExplicit ? { timing: null } : {}) } } });
  return `Raft's time-outs are too short for the round trips between the members, which status.network shows: needed are a heartbeat of four of them and a lease of two. To take what fits, set ${edit}; the members are then restarted one after another, the leader last: kubectl patch -n ${namespace} evnodeclusters/${name} --type merge -p '${patch}'.`;
}
