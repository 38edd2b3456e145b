import { describe, expect, test } from "vitest";
import type { Condition, Status } from "../../src/api/evnodecluster.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { Action } from "../../src/plan/actions.ts";
import { LABELS_CHANGED, noticeOf, noticesOf, SPEC_CHANGED } from "../../src/plan/notices.ts";
import { cluster, member, pod, snapshot } from "../builders.ts";

const seq1 = member(1);
const service = { apiVersion: "v1", kind: "Service", metadata: { name: "seq-rpc" } } as const;
const onService = { resource: kinds.service, object: service } as const;
const labelled = { kind: "labelPod", member: seq1, pod: pod("seq-1"), labels: {} } as const;
const order = (kind: "start" | "rejoin" | "bootstrap"): Action => ({
  kind: "order",
  member: seq1,
  pod: pod("seq-1"),
  order: kind === "start" ? { id: "s", kind, epoch: 1 } : { id: "s", kind, epoch: 1, voters: [] },
});

const drilled = { version: 1, request: "monday", at: "2026-01-01T00:00:00Z" } as const;
const taken = { kind: "succeeded", from: "seq-0", to: "seq-1" } as const;

/** A notice in short, `Normal Reason: note`. */
function told(action: Action, phase: Status["phase"] = "Running"): string | undefined {
  const notice = noticeOf(action, snapshot({ cluster: cluster({ status: { phase } }) }));
  return notice && `${notice.type} ${notice.reason}: ${notice.note}`;
}

test.each<[string, Action, string]>([
  [
    "an identity that was made, and what to do with it",
    { kind: "createIdentity" },
    "Normal IdentityCreated: Secret seq-identity holds signer, node keys and genesis. Back it up: losing the signer is losing the chain.",
  ],
  [
    "the chain lock",
    { kind: "takeChainLock", takeOver: false },
    "Normal ChainLockTaken: No other cluster of this operator may run this chain with this signer.",
  ],
  [
    "the first start",
    { kind: "markBootstrapped", epoch: 1 },
    "Normal Bootstrapped: All 3 members were prepared with the same membership and may start.",
  ],
  [
    "an object that somebody changed",
    { kind: "replace", ...onService, why: "spec.type" },
    "Warning Restored: Service seq-rpc was put back: spec.type.",
  ],
  [
    "an object that somebody took away",
    { kind: "create", ...onService },
    "Warning Restored: Service seq-rpc was put back: it was missing.",
  ],
  [
    "an object that was switched off",
    { kind: "delete", ...onService, why: "switched off in the spec" },
    "Normal Removed: Service seq-rpc: switched off in the spec.",
  ],
  [
    "a repair",
    order("rejoin"),
    "Warning MemberRebuilt: seq-1 is rebuilt from the other members, as spec.repair allows.",
  ],
  [
    "that an approval was used",
    { kind: "endApproval", member: "seq-1", because: "used" },
    "Normal ApprovalUsed: seq-1 was rebuilt: evnode.dev/approve-rejoin was removed, as it is good for one loss. A loss to come needs an approval of its own.",
  ],
  [
    "that an approval was for nothing",
    { kind: "endApproval", member: "seq-1", because: "nothingLost" },
    "Warning ApprovalRemoved: evnode.dev/approve-rejoin named seq-1, which has lost nothing, and was removed. A loss to come needs an approval of its own.",
  ],
  [
    "that an approval names nobody",
    { kind: "endApproval", member: "seq-01", because: "unknownMember" },
    'Warning ApprovalRemoved: evnode.dev/approve-rejoin named "seq-01", which is no member, and was removed. Expected was the one that lost its volume, of seq-0, seq-1, seq-2.',
  ],
  [
    "a drill that begins",
    { kind: "turnDrill", record: { ...drilled, kind: "underWay", from: "seq-0", container: "c" } },
    'Normal DrillStarted: The failover drill "monday" begins: seq-0 leads and steps down.',
  ],
  [
    "a drill that is over",
    { kind: "turnDrill", record: { ...drilled, ...taken, message: "seq-1 leads.", gapMs: 600 } },
    'Normal DrillSucceeded: The failover drill "monday" is over: seq-1 leads. No block was made for 600 ms.',
  ],
  [
    "a drill that nothing was measured of",
    { kind: "turnDrill", record: { ...drilled, ...taken, message: "seq-1 leads." } },
    'Normal DrillSucceeded: The failover drill "monday" is over: seq-1 leads.',
  ],
  [
    "a drill that was refused",
    { kind: "turnDrill", record: { ...drilled, kind: "refused", message: "no member leads" } },
    'Warning DrillRefused: The failover drill "monday" is refused, and no member was touched: no member leads. Ask again when that is over.',
  ],
  [
    "a drill that failed",
    { kind: "turnDrill", record: { ...drilled, kind: "failed", from: "seq-0", message: "nobody leads" } },
    'Warning DrillFailed: The failover drill "monday" failed: nobody leads.',
  ],
  [
    "labels that somebody changed",
    { ...labelled, why: LABELS_CHANGED },
    "Warning Restored: Pod seq-1 was put back: labels were changed.",
  ],
  [
    "what stays when a cluster is gone",
    { kind: "releaseChainLock" },
    "Normal VolumesRetained: Volume claims data-seq-0, data-seq-1, data-seq-2 and Secret seq-identity are kept: apply the cluster again to go on with its chain.",
  ],
])("told: %s", (_, action, text) => {
  expect(told(action)).toBe(text);
});

test.each<[string, Action]>([
  ["the finalizer", { kind: "addFinalizer" }],
  ["its removal", { kind: "removeFinalizer" }],
  ["a mark on a claim", { kind: "markClaim", member: seq1, claim: memberClaim(), epoch: 1 }],
  ["an order to prepare", order("bootstrap")],
  ["an order to start", order("start")],
  ["the role of a pod, which changes with every election", { ...labelled, why: "seq-1 leads" }],
  ["what the owner changed", { kind: "replace", ...onService, why: SPEC_CHANGED }],
])("not told: %s", (_, action) => {
  expect(told(action)).toBeUndefined();
});

function memberClaim() {
  if (!seq1.claim) throw new Error("a member that is well has a claim");
  return seq1.claim;
}

test.each<Status["phase"]>([undefined, "Pending", "Blocked", "Deleting"])(
  "an object that is made for a cluster in phase %s is made for the first time",
  (phase) => {
    const seen = snapshot({ cluster: cluster({ status: phase ? { phase } : {} }) });
    expect(noticeOf({ kind: "create", ...onService }, seen)).toBeUndefined();
  },
);

describe("turns of the status", () => {
  const is = (type: string, status: Condition["status"], reason: string): Status => ({
    conditions: [{ type, status, reason, message: `${reason} it is.`, lastTransitionTime: "then" }],
  });
  const ready = is("Ready", "True", "AllMembersReady");
  const unready = is("Ready", "False", "MembersNotReady");
  const lost = is("Ready", "False", "QuorumLost");
  const stalled = is("Stalled", "True", "VolumeLost");
  const fine = is("Stalled", "False", "NotStalled");
  const turns = (before: Status | undefined, after: Status) =>
    noticesOf(before, after).map(({ type, reason, note }) => `${type} ${reason}: ${note}`);

  test.each<[string, Status | undefined, Status, readonly string[]]>([
    ["a first leader", {}, { leader: "seq-0" }, ["Normal LeaderElected: seq-0 leads."]],
    [
      "another leader",
      { leader: "seq-0" },
      { leader: "seq-1" },
      ["Normal LeaderElected: seq-1 leads, after seq-0."],
    ],
    ["the same leader", { leader: "seq-0" }, { leader: "seq-0" }, []],
    ["no leader any more", { leader: "seq-0" }, {}, []],
    ["a cluster that is seen for the first time and is not ready", undefined, unready, []],
    ["one that becomes ready", unready, ready, ["Normal AllMembersReady: AllMembersReady it is."]],
    ["one that stays ready", ready, ready, []],
    ["one that is no longer ready", ready, lost, ["Warning QuorumLost: QuorumLost it is."]],
    ["one that is unready for another reason", unready, lost, []],
    ["one that needs a person", fine, stalled, ["Warning VolumeLost: VolumeLost it is."]],
    ["one that needs one from the start", undefined, stalled, ["Warning VolumeLost: VolumeLost it is."]],
    [
      "one that needs one for another reason",
      is("Stalled", "True", "SpecInvalid"),
      stalled,
      ["Warning VolumeLost: VolumeLost it is."],
    ],
    ["one that needs none any more", stalled, fine, []],
    ["a condition that only programs read", is("InSync", "True", "A"), is("InSync", "False", "B"), []],
  ])("%s", (_, before, after, notices) => {
    expect(turns(before, after)).toEqual(notices);
  });
});
