import { describe, expect, test } from "vitest";
import type { ConditionType } from "../../src/api/conditions.ts";
import type { Member } from "../../src/model/member.ts";
import { findingsOf } from "../../src/plan/findings.ts";
import { makePlan } from "../../src/plan/plan.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import {
  cluster,
  isPrepared,
  justApplied,
  leader,
  leads,
  member,
  members,
  snapshot,
  unstarted,
} from "../builders.ts";

/** What is found about one condition, as `Reason: message`. */
function found(type: ConditionType, seen: Snapshot): string | undefined {
  const finding = findingsOf(seen, makePlan(seen), []).list.find((one) => one.type === type);
  return finding && `${finding.reason}: ${finding.message}`;
}

const of = (...some: readonly Member[]) => snapshot({ members: some });
const isSilent = { says: "nothing" } as const;
const noPod = { pod: "none" } as const;

describe("Ready and Reconciling", () => {
  const deleted = snapshot({ cluster: cluster({ metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } }) });
  const blocked: Snapshot = {
    ...justApplied(),
    parsed: { kind: "invalid", problems: ["spec.image: Required"] },
  };
  const firstStart = "The cluster is starting for the first time.";

  test.each<[string, Snapshot, string, string]>([
    [
      "a cluster that runs",
      snapshot(),
      "AllMembersReady: seq-0 leads and every member follows.",
      "Converged: Everything is as the spec wants it.",
    ],
    [
      "one whose StatefulSet somebody took away from under its members",
      { ...snapshot(), statefulSet: undefined },
      "AllMembersReady: seq-0 leads and every member follows.",
      "Converging: Objects of the cluster are being written.",
    ],
    ["one just applied", justApplied(), `Bootstrapping: ${firstStart}`, `Bootstrapping: ${firstStart}`],
    [
      "one being prepared",
      unstarted(isPrepared),
      `Bootstrapping: ${firstStart}`,
      `Bootstrapping: ${firstStart}`,
    ],
    ["one that cannot be started", blocked, "Blocked: spec.image: Required", `Bootstrapping: ${firstStart}`],
    [
      "one whose member is not ready",
      of(leader(0), member(1), member(2, { pod: { ready: false } })),
      "MembersNotReady: Not ready: seq-2.",
      "Converging: Waiting for seq-2.",
    ],
    [
      "one whose ev-node fails",
      of(leader(0), member(1), member(2, { pod: { ready: true, evnode: crashed() } })),
      "AllMembersReady: seq-0 leads and every member follows.",
      "Converging: Waiting for seq-2.",
    ],
    [
      "one without a leader",
      of(...members(3)),
      "WaitingForLeader: No member leads. 3 of 3 members run in Raft, 2 are needed.",
      "Converged: Everything is as the spec wants it.",
    ],
    [
      "one without a quorum",
      of(leader(0), member(1, noPod), member(2, noPod)),
      "QuorumLost: 1 of 3 members take part; missing are seq-1, seq-2.",
      "Converging: Waiting for seq-1, seq-2.",
    ],
    [
      "one that mostly does not answer",
      of(leader(0), member(1, isSilent), member(2, isSilent)),
      "QuorumUnknown: 1 of 3 members take part; missing are seq-1, seq-2; no answer from seq-1, seq-2.",
      "Converged: Everything is as the spec wants it.",
    ],
    [
      "one whose objects are put back",
      { ...snapshot(), objects: new Map() },
      "AllMembersReady: seq-0 leads and every member follows.",
      "Converging: Objects of the cluster are being written.",
    ],
    [
      "one whose labels alone are put right",
      of(member(0, { says: leads }), member(1), member(2)),
      "AllMembersReady: seq-0 leads and every member follows.",
      "Converged: Everything is as the spec wants it.",
    ],
    [
      "one that is deleted",
      deleted,
      "Deleting: The cluster is being deleted.",
      "Deleting: Members are being stopped.",
    ],
  ])("%s", (_, seen, ready, reconciling) => {
    expect(found("Ready", seen)).toBe(ready);
    expect(found("Reconciling", seen)).toBe(reconciling);
  });

  function crashed(): NonNullable<Member["pod"]>["evnode"] {
    return { kind: "waiting", reason: "CrashLoopBackOff", message: "back-off", lastExit: undefined };
  }
});
