import type { Condition, Status } from "../../src/api/evnodecluster.ts";
import { NOW_MS } from "../builders.ts";

const hoursAgo = (hours: number) => new Date(NOW_MS - hours * 3_600_000).toISOString();

export function condition(
  type: string,
  status: Condition["status"],
  reason: string,
  message: string,
): Condition {
  return { type, status, reason, message, observedGeneration: 1, lastTransitionTime: hoursAgo(1) };
}

const member = (ordinal: number, height: number) =>
  ({
    name: `seq-${ordinal}`,
    role: ordinal === 0 ? "Leader" : "Follower",
    state: "Running",
    ready: true,
    height,
    blocksBehind: 100 - height,
    node: `node-${"abc"[ordinal]}`,
  }) as const;

/** Of a cluster of three that is well; conditions in the operator's own words. */
export const wellStatus: Status = {
  observedGeneration: 1,
  phase: "Running",
  leader: "seq-0",
  height: 100,
  leaderChangesLastHour: 1,
  readyMembers: "3/3",
  replicas: 3,
  quorum: "Healthy",
  chainId: "rollup-1",
  image: "example.org/testapp:1",
  updatedMembers: "3/3",
  members: [member(0, 100), member(1, 100), member(2, 99)],
  network: {
    maximum: { from: "seq-0", to: "seq-2", rttMs: 3 },
    roundTrips: [
      { from: "seq-0", to: "seq-1", rttMs: 2 },
      { from: "seq-0", to: "seq-2", rttMs: 3 },
      { from: "seq-1", to: "seq-0", rttMs: 1 },
    ],
  },
  lastDrill: {
    request: "monday",
    result: "Succeeded",
    at: hoursAgo(2),
    from: "seq-1",
    to: "seq-0",
    gapMs: 600,
    blocksMissed: 2,
    message: "seq-1 stepped down and seq-0 leads.",
  },
  repairs: [{ member: "seq-2", order: "rejoin-1", at: hoursAgo(3), doneAt: hoursAgo(2) }],
  conditions: [
    condition("Ready", "True", "AllMembersReady", "One member leads and all are ready."),
    condition("Reconciling", "False", "Converged", "Nothing is changed."),
    condition("Stalled", "False", "NotStalled", "Nothing needs a person."),
    condition("LeaderElected", "True", "LeaderElected", "seq-0 leads."),
    condition("Quorate", "True", "QuorumHealthy", "A majority remains without any one member."),
    condition("InSync", "True", "MembersInSync", "Every member follows the chain."),
    condition("ConfigValid", "True", "ConfigAccepted", "The spec is accepted."),
    condition("ChainSafe", "True", "NoForkSeen", "Members hold equal blocks."),
    condition("VolumesReady", "True", "VolumesIntact", "Every member has its own volume."),
    condition("RolloutComplete", "True", "UpToDate", "Every member runs the spec."),
    condition("MembershipComplete", "True", "MembershipAsAsked", "The cluster has 3 members."),
    condition("Connected", "True", "PathsOpen", "Every member reaches every other one."),
    condition("TimingFits", "True", "RoundTripsFit", "The time-outs are long enough."),
  ],
};

/** The same with another condition in place of the one of its type. */
export function withCondition(...changed: readonly Condition[]): Status {
  const conditions =
    wellStatus.conditions?.map((one) => changed.find(({ type }) => type === one.type) ?? one) ?? [];
  return { ...wellStatus, conditions };
}
