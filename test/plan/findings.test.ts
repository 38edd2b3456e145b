import { describe, expect, test } from "vitest";
import type { Blocker, ConditionType, Finding } from "../../src/api/conditions.ts";
import type { Member } from "../../src/model/member.ts";
import { findingsOf } from "../../src/plan/findings.ts";
import { makePlan } from "../../src/plan/plan.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import {
  cluster,
  converged,
  isClosed,
  isPrepared,
  justApplied,
  leader,
  leads,
  type MemberShape,
  member,
  members,
  NOW_MS,
  peer,
  present,
  snapshot,
  unstarted,
  withIntent,
} from "../builders.ts";

/** What is found about one condition, as `Reason: message`. */
function found(type: ConditionType, seen: Snapshot, refusals: readonly string[] = []): string | undefined {
  const finding = findingsOf(seen, makePlan(seen), refusals).list.find((one) => one.type === type);
  return finding && `${finding.reason}: ${finding.message}`;
}

const of = (...some: readonly Member[]) => snapshot({ members: some });
const isSilent: MemberShape = { says: "nothing" };
const noPod: MemberShape = { pod: "none" };
const noImage: MemberShape = {
  says: { node: { kind: "closed", metricsPortOpen: false, raftPortOpen: false, sinceMs: 1_000 } },
  pod: { evnode: { kind: "waiting", reason: "ErrImagePull", message: "not found", lastExit: undefined } },
};
const isUndecided: MemberShape = { says: { node: { kind: "open", height: 100 } } };
const on = (node: string): MemberShape => ({ pod: { node } });
const head = (height: number, hash: string): MemberShape => ({
  says: { node: { kind: "open", isLeader: false, height, head: { height, hash, timeMs: 0 } } },
});
const levels = (height: number | undefined, loggedHeight: number | undefined): MemberShape => ({
  says: {
    mode: { kind: "level", ...(loggedHeight === undefined ? {} : { loggedHeight }) },
    node: { kind: "open", ...(height === undefined ? {} : { height }) },
  },
});
const cutOff: MemberShape = {
  says: { peers: ["seq-0", "seq-2"].map((name) => peer(name, { raft: { kind: "timedOut", ageMs: 1 } })) },
};
const behind = (blocks: number): MemberShape => ({
  says: { peers: [peer("seq-0", { height: 100 + blocks }), peer("seq-2")] },
});

/** A follower whose head is so old. */
const made = (agoMs: number): MemberShape => ({
  says: {
    node: {
      kind: "open",
      isLeader: false,
      height: 100,
      head: { height: 100, hash: "aa", timeMs: NOW_MS - agoMs },
    },
  },
});
const slow = (seen: Snapshot) =>
  converged(seen, cluster({ spec: { chain: { id: "rollup-1", blockTime: "5m" } } }));
const lazy = (seen: Snapshot) =>
  converged(seen, cluster({ spec: { chain: { id: "rollup-1", lazy: { interval: "1m" } } } }));

describe("every condition is found once, in the order in which people read them", () => {
  test.each<[string, Snapshot]>([
    ["of a cluster that is well", snapshot()],
    ["of one that was just applied", justApplied()],
    ["of one without any member", snapshot({ members: [] })],
  ])("%s", (_, seen) => {
    expect(findingsOf(seen, makePlan(seen), []).list.map(({ type }) => type)).toEqual([
      "Ready",
      "Reconciling",
      "Stalled",
      "LeaderElected",
      "LeadershipStable",
      "Quorate",
      "InSync",
      "ConfigValid",
      "ChainSafe",
      "VolumesReady",
      "RolloutComplete",
      "MembershipComplete",
      "Connected",
      "TimingFits",
    ]);
  });
});

describe("Quorate", () => {
  const five = (...last: readonly MemberShape[]) =>
    of(
      ...members(5).map((one) => {
        const shape = last[one.ordinal - (5 - last.length)];
        const peers = [0, 1, 2, 3, 4].filter((n) => n !== one.ordinal).map((n) => peer(`seq-${n}`));
        return shape ? member(one.ordinal, shape) : member(one.ordinal, { says: { peers } });
      }),
    );

  test.each<[string, Snapshot, string, string]>([
    ["all take part", snapshot(), "Healthy", "QuorumHealthy: 3 of 3 members take part."],
    [
      "one of three is gone",
      of(leader(0), member(1), member(2, noPod)),
      "AtRisk",
      "QuorumAtRisk: 2 of 3 members take part; one more loss stops the chain. Missing are seq-2.",
    ],
    ["one of five is gone", five(noPod), "Healthy", "QuorumHealthy: 4 of 5 members take part."],
    [
      "two of five are gone",
      five(noPod, noPod),
      "AtRisk",
      "QuorumAtRisk: 3 of 5 members take part; one more loss stops the chain. Missing are seq-3, seq-4.",
    ],
    [
      "two of three are gone",
      of(leader(0), member(1, noPod), member(2, noPod)),
      "Lost",
      "QuorumLost: 1 of 3 members take part; missing are seq-1, seq-2.",
    ],
    [
      "two of three fail for the same reason, which is told once",
      of(leader(0), member(1, noImage), member(2, noImage)),
      "Lost",
      "QuorumLost: 1 of 3 members take part; missing are seq-1, seq-2. seq-1: ErrImagePull: not found.",
    ],
    [
      "one of three fails",
      of(leader(0), member(1), member(2, noImage)),
      "AtRisk",
      "QuorumAtRisk: 2 of 3 members take part; one more loss stops the chain. Missing are seq-2. seq-2: ErrImagePull: not found.",
    ],
    [
      "two of three are silent: silence is not loss",
      of(leader(0), member(1, isSilent), member(2, isSilent)),
      "Unknown",
      "QuorumUnknown: 1 of 3 members take part; missing are seq-1, seq-2; no answer from seq-1, seq-2.",
    ],
    [
      "one is gone and one is silent: the silent one decides",
      of(leader(0), member(1, noPod), member(2, isSilent)),
      "Unknown",
      "QuorumUnknown: 1 of 3 members take part; missing are seq-1, seq-2; no answer from seq-2.",
    ],
    [
      "a member that knows no leader takes no part",
      of(leader(0), member(1), member(2, { says: isClosed })),
      "AtRisk",
      "QuorumAtRisk: 2 of 3 members take part; one more loss stops the chain. Missing are seq-2.",
    ],
    [
      "a member that follows the blocks but reaches nobody on raft's port takes no part",
      of(leader(0), member(1, cutOff), member(2)),
      "AtRisk",
      "QuorumAtRisk: 2 of 3 members take part; one more loss stops the chain. Missing are seq-1.",
    ],
    [
      "two members share a node with a third elsewhere",
      of(leader(0), member(1, on("a")), member(2, on("a"))),
      "AtRisk",
      "QuorumAtRisk: 3 of 3 members take part, but a majority is on node a.",
    ],
    [
      "members that were never started have no quorum to lose",
      unstarted(isPrepared),
      "Unknown",
      "QuorumUnknown: the members have not started yet.",
    ],
    ["no members", snapshot({ members: [] }), "Unknown", "QuorumUnknown: the members have not started yet."],
  ])("%s", (_, seen, quorum, text) => {
    expect(found("Quorate", seen)).toBe(text);
    expect(findingsOf(seen, makePlan(seen), []).quorum).toBe(quorum);
  });
});

describe("LeaderElected", () => {
  test.each<[string, Snapshot, string]>([
    ["one says so", snapshot(), "LeaderElected: seq-0 leads."],
    [
      "two say so",
      of(leader(0), leader(1), member(2)),
      "MoreThanOneLeader: seq-0, seq-1 say that they lead.",
    ],
    [
      "all answer and none does",
      of(...members(3)),
      "WaitingForLeader: No member leads. 3 of 3 members run in Raft, 2 are needed.",
    ],
    [
      "members level first",
      of(member(0, levels(180, 181)), member(1, levels(181, 181)), member(2, levels(undefined, undefined))),
      "Levelling: Members level their blocks before one may lead: seq-0 holds block 180, its Raft log has 181; seq-1 holds block 181, its Raft log has 181; seq-2 holds block ?, its Raft log has ?.",
    ],
    [
      "none has its API open",
      of(...members(3, { says: isClosed })),
      "WaitingForLeader: No member leads. 3 of 3 members run in Raft, 2 are needed.",
    ],
    [
      "a silent member may lead",
      of(member(0, isSilent), member(1), member(2)),
      "LeaderUnknown: No member says that it leads; no answer from seq-0.",
    ],
    [
      "so may one that does not say",
      of(member(0, isUndecided), member(1), member(2)),
      "LeaderUnknown: No member says that it leads; no answer from seq-0.",
    ],
    [
      "one without a pod cannot",
      of(member(0, noPod), member(1), member(2)),
      "WaitingForLeader: No member leads. 2 of 3 members run in Raft, 2 are needed; missing are seq-0.",
    ],
    [
      "one that is stopping leads no more",
      of(member(0, { pod: { terminating: true }, says: leads }), member(1), member(2)),
      "WaitingForLeader: No member leads. 3 of 3 members run in Raft, 2 are needed.",
    ],
  ])("%s", (_, seen, text) => {
    expect(found("LeaderElected", seen)).toBe(text);
  });
});

describe("InSync", () => {
  test.each<[string, Snapshot, string]>([
    ["all follow", snapshot(), "MembersInSync: Every member follows the chain."],
    [
      "as far behind as is tolerated",
      of(leader(0), member(1, behind(30)), member(2)),
      "MembersInSync: Every member follows the chain.",
    ],
    [
      "a member whose execution layer is behind",
      of(leader(0), member(1, { says: { execution: { blocksBehind: 31 } } }), member(2)),
      "MembersBehind: The execution layer of seq-1 is behind the member's own blocks.",
    ],
    [
      "one block more",
      of(leader(0), member(1, behind(31)), member(2)),
      "MembersBehind: seq-1 are behind or do not reach a majority.",
    ],
    [
      "no block comes although there is a leader, whatever else is wrong",
      of(leader(0), member(1, made(60_001)), member(2, isSilent)),
      "NoProgress: seq-0 leads, but block 100, made at 2025-12-31T23:58:59.999Z, is still the last one.",
    ],
    [
      "the last block is of a minute ago: clocks differ, and answers are old",
      of(leader(0), member(1, made(60_000)), member(2)),
      "MembersInSync: Every member follows the chain.",
    ],
    [
      "of two heads the newer one tells whether blocks come",
      of(leader(0), member(1, made(600_000)), member(2, made(1_000))),
      "MembersInSync: Every member follows the chain.",
    ],
    [
      "no block comes, as nobody leads",
      of(member(0), member(1, made(600_000)), member(2)),
      "MembersInSync: Every member follows the chain.",
    ],
    [
      "blocks that come every five minutes are waited for longer",
      slow(of(leader(0), member(1, made(6_000_000)), member(2))),
      "MembersInSync: Every member follows the chain.",
    ],
    [
      "but not for ever",
      slow(of(leader(0), member(1, made(6_000_001)), member(2))),
      "NoProgress: seq-0 leads, but block 100, made at 2025-12-31T22:19:59.999Z, is still the last one.",
    ],
    [
      "on a lazy chain three intervals may pass",
      lazy(of(leader(0), member(1, made(240_000)), member(2))),
      "MembersInSync: Every member follows the chain.",
    ],
    [
      "but no more",
      lazy(of(leader(0), member(1, made(240_001)), member(2))),
      "NoProgress: seq-0 leads, but block 100, made at 2025-12-31T23:55:59.999Z, is still the last one.",
    ],
    [
      "one tells no height",
      of(leader(0), member(1, isSilent), member(2, { says: isClosed })),
      "HeightsUnknown: No height is known of seq-1, seq-2.",
    ],
  ])("%s", (_, seen, text) => {
    expect(found("InSync", seen)).toBe(text);
  });
});

const checkpoints = (...told: readonly (readonly [number, string])[]): MemberShape => ({
  says: {
    node: { kind: "open", isLeader: false, checkpoints: told.map(([height, id]) => ({ height, id })) },
  },
});

describe("ChainSafe", () => {
  test.each<[string, Snapshot, string]>([
    [
      "equal blocks at one height",
      of(member(0, head(7, "aa")), member(1, head(7, "aa")), member(2)),
      "NoForkSeen: Members that were compared at one height held the same block.",
    ],
    [
      "other blocks at other heights",
      of(member(0, head(7, "aa")), member(1, head(8, "bb")), member(2)),
      "HeightsUnknown: No two members have told a block of one height.",
    ],
    [
      "equal blocks at a height that all choose alike",
      of(
        member(0, checkpoints([32, "a"], [16, "b"])),
        member(1, checkpoints([48, "c"], [32, "a"])),
        member(2),
      ),
      "NoForkSeen: Members that were compared at one height held the same block.",
    ],
    [
      "other blocks at a height that all choose alike",
      of(
        member(0, checkpoints([32, "a"], [16, "b"])),
        member(1),
        member(2, checkpoints([32, "c"], [16, "b"])),
      ),
      "HashesDiffer: At height 32, seq-0 holds block a and seq-2 holds c. Stop sending transactions and keep all volumes.",
    ],
    [
      "other blocks at one height",
      of(member(0, head(7, "aa")), member(1, head(8, "cc")), member(2, head(7, "bb"))),
      "HashesDiffer: At height 7, seq-0 holds block aa and seq-2 holds bb. Stop sending transactions and keep all volumes.",
    ],
    [
      "one head alone",
      of(member(0, head(7, "aa")), member(1), member(2, isSilent)),
      "HeightsUnknown: No two members have told a block of one height.",
    ],
  ])("%s", (_, seen, text) => {
    expect(found("ChainSafe", seen)).toBe(text);
  });
});

describe("what needs a person", () => {
  const config = (message: string): Blocker => ({ type: "ConfigValid", reason: "SpecInvalid", message });
  const volume: Blocker = { type: "VolumesReady", reason: "VolumeLost", message: "seq-1 has lost its data." };
  const findings = (blockers: readonly Blocker[], refusals: readonly string[] = []) => {
    const { list } = findingsOf(snapshot(), { decided: [], blockers, recheckAfterMs: undefined }, refusals);
    const text = ({ type, reason, message }: Finding) => `${type} ${reason}: ${message}`;
    return list.filter(({ type }) => ["Stalled", "ConfigValid", "VolumesReady"].includes(type)).map(text);
  };
  const well = [
    "Stalled NotStalled: Nothing needs a person.",
    "ConfigValid ConfigAccepted: The spec and everything it refers to is accepted.",
    "VolumesReady VolumesIntact: Every member has its volume.",
  ];

  test.each<[string, readonly Blocker[], readonly string[], readonly string[]]>([
    ["nothing", [], [], well],
    [
      "two problems of the spec, told together",
      [config("spec.a: Wrong."), config("spec.b: Wrong.")],
      [],
      [
        "Stalled SpecInvalid: spec.a: Wrong.",
        "ConfigValid SpecInvalid: spec.a: Wrong. spec.b: Wrong.",
        well[2] ?? "",
      ],
    ],
    [
      "a lost volume",
      [volume],
      [],
      [
        "Stalled VolumeLost: seq-1 has lost its data.",
        well[1] ?? "",
        "VolumesReady VolumeLost: seq-1 has lost its data.",
      ],
    ],
    [
      "writes that the API refused",
      [],
      ["cannot create Service rollup/seq: no.", "cannot create Secret: no."],
      [
        "Stalled ApplyRefused: cannot create Service rollup/seq: no. cannot create Secret: no.",
        "ConfigValid ApplyRefused: cannot create Service rollup/seq: no. cannot create Secret: no.",
        well[2] ?? "",
      ],
    ],
  ])("%s", (_, blockers, refusals, texts) => {
    expect(findings(blockers, refusals)).toEqual(texts);
  });

  test("so is one of the execution client's", () => {
    const seen = of(
      member(0, { executionClaim: {} }),
      member(1, { executionClaim: { phase: "Pending" } }),
      member(2),
    );
    const bare = findingsOf(seen, { decided: [], blockers: [], recheckAfterMs: undefined }, []);
    expect(bare.list.find(({ type }) => type === "VolumesReady")?.message).toBe(
      "Waiting for the volumes of execution-seq-1.",
    );
  });

  test("a claim that is not bound yet is waited for, by name", () => {
    const seen = of(member(0), member(1, { claim: { phase: "Pending" } }), member(2, { claim: "none" }));
    const bare = findingsOf(seen, { decided: [], blockers: [], recheckAfterMs: undefined }, []);
    expect(bare.list.find(({ type }) => type === "VolumesReady")).toEqual({
      type: "VolumesReady",
      reason: "VolumesBinding",
      message: "Waiting for the volumes of data-seq-1, data-seq-2.",
    });
  });
});

describe("RolloutComplete", () => {
  const authTokenSecret = { name: "token", key: "token" };
  test.each<[string, Snapshot, string]>([
    ["all runs", snapshot(), "UpToDate: Every member runs the spec."],
    ["nothing runs yet", justApplied(), "Bootstrapping: No member has started yet."],
    [
      "fields that changed are named",
      snapshot({
        cluster: cluster({
          spec: {
            image: "example.org/testapp:2",
            log: { level: "debug" },
            networkPolicy: { enabled: false },
          },
        }),
      }),
      "Rehearsing: A change of image, log.level is not begun: image example.org/testapp:2 on node node-of-seq-0 is tried.",
    ],
    [
      "a token that a spec asks for newly is one change",
      {
        ...snapshot({
          cluster: cluster({ spec: { da: { address: "http://local-da:7980", authTokenSecret } } }),
        }),
        references: { ...snapshot().references, daAuthToken: { kind: "found", value: "secret" } },
      },
      "RolloutWaiting: A change of da.authTokenSecret is taken to the members: the template is applied.",
    ],
    [
      "what the pods were made from is not known",
      withIntent(snapshot({ cluster: cluster({ spec: { image: "example.org/testapp:2" } }) }), undefined),
      "IntentUnreadable: The StatefulSet does not tell what its pods are made from.",
    ],
    [
      "an invalid spec is no pending update",
      { ...snapshot(), parsed: { kind: "invalid", problems: ["spec.image: Required"] } },
      "UpToDate: Every member runs the spec.",
    ],
    [
      "an identity that is bootstrapped without its objects has started nothing here",
      { ...snapshot(), identity: present(), statefulSet: undefined },
      "Bootstrapping: No member has started yet.",
    ],
  ])("%s", (_, seen, text) => {
    expect(found("RolloutComplete", seen)).toBe(text);
  });
});
