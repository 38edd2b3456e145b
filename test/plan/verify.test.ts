import { describe, expect, test } from "vitest";
import { namespaceHex } from "../../src/evnode/da-namespace.ts";
import type { AgentAnswer } from "../../src/model/agent-protocol.ts";
import { votersDigest } from "../../src/model/fingerprints.ts";
import { findingsOf } from "../../src/plan/findings.ts";
import { intentsOf } from "../../src/plan/intent.ts";
import { votersOf } from "../../src/plan/orders.ts";
import { makePlan } from "../../src/plan/plan.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { identityBlockers, memberDifferences } from "../../src/plan/verify.ts";
import { identity, leader, type MemberShape, member, present, snapshot } from "../builders.ts";

const well = snapshot();
const current = intentsOf(well, identity())?.current;
const revision = current?.configRevision ?? "";
const voters = votersDigest(votersOf(well, identity()) ?? []);
const namespace = namespaceHex(current?.spec.da.namespace ?? "");

/** The cluster with one follower that says this. */
function seen(says: Partial<AgentAnswer>, shape: MemberShape = {}, over: Partial<Snapshot> = {}): Snapshot {
  const one = member(2, { ...shape, says: { configRevision: revision, ...says } });
  return snapshot({ members: [leader(0), member(1), one], ...over });
}

const open = (over: object) => ({ node: { kind: "open", isLeader: false, height: 100, ...over } }) as const;
const foundIn = (at: Snapshot) => [
  ...identityBlockers(at).map(({ message }) => message),
  ...[memberDifferences(at) ?? []].flat(),
];

describe("a member is as it should be", () => {
  test.each<[string, Snapshot]>([
    ["when it tells nothing", seen({})],
    ["when all of it is as expected", seen({ fingerprints: { genesis: "digest-of-the-genesis", voters } })],
    ["with its peer id and namespace", seen(open({ peerId: identity().peerIds[2], daNamespace: namespace }))],
    [
      "when its API is closed",
      seen({ node: { kind: "closed", metricsPortOpen: true, raftPortOpen: true, sinceMs: 1 } }),
    ],
    [
      "when an agent of another identity speaks",
      seen({ clusterId: "another", fingerprints: { genesis: "another" } }),
    ],
    [
      "when the agent of another pod speaks",
      seen({ podUid: "another", fingerprints: { genesis: "another" } }),
    ],
    ["when its pod stops", seen({ fingerprints: { genesis: "another" } }, { pod: { terminating: true } })],
    [
      "while another config is installed",
      seen({ configRevision: "older", ...open({ daNamespace: "0x00" }) }),
    ],
    [
      "while it is being updated",
      seen(open({ daNamespace: "0x00" }), {
        pod: { update: { revision: "seq-1", at: "2026-01-01T00:00:00Z" } },
      }),
    ],
    [
      "with any membership before the first start",
      seen({ fingerprints: { voters: "another" } }, {}, { identity: present({ bootstrapped: undefined }) }),
    ],
  ])("%s", (_, at) => {
    expect(foundIn(at)).toEqual([]);
  });
});

test.each<[string, Snapshot, string]>([
  [
    "another genesis",
    seen({ fingerprints: { genesis: "another" } }),
    "The genesis of seq-2 is another, expected digest-of-the-genesis. Nothing is changed any more: keep all volumes and the identity Secret as they are.",
  ],
  [
    "another membership",
    seen({ fingerprints: { voters: "another" } }),
    `The raft membership of seq-2 is another, expected ${voters}. Nothing is changed any more: keep all volumes and the identity Secret as they are.`,
  ],
])("%s endangers the chain: nothing is touched", (_, at, message) => {
  expect(identityBlockers(at)).toEqual([{ type: "ChainSafe", reason: "IdentityDiffers", message }]);
  const plan = makePlan(at);
  expect(plan.decided.filter(({ by }) => by !== "labels")).toEqual([]);
  const reasons = findingsOf(at, plan, []).list.map(({ type, reason }) => `${type}: ${reason}`);
  expect(reasons).toEqual(
    expect.arrayContaining([
      "Ready: IdentityDiffers",
      "ChainSafe: IdentityDiffers",
      "Stalled: IdentityDiffers",
    ]),
  );
});

test.each<[string, Snapshot, string]>([
  [
    "another peer id",
    seen(open({ peerId: "another" })),
    `The peer id of seq-2 is another, expected ${identity().peerIds[2]}.`,
  ],
  [
    "another DA namespace",
    seen(open({ daNamespace: "0x00" })),
    `The DA namespace of seq-2 is 0x00, expected ${namespace}.`,
  ],
])("%s is told, and a restart may still help", (_, at, message) => {
  const plan = makePlan(at);
  expect(plan.blockers).toEqual([]);
  const { list } = findingsOf(at, plan, []);
  expect(list.find(({ type }) => type === "Ready")).toEqual({
    type: "Ready",
    reason: "MemberDiffers",
    message,
  });
  expect(list.find(({ type }) => type === "ChainSafe")?.reason).not.toBe("IdentityDiffers");
});

test("all that differs is told, in the order of the members", () => {
  const says = { configRevision: revision, fingerprints: { genesis: "another" } };
  const at = snapshot({ members: [leader(0), member(1, { says }), member(2, { says })] });
  expect(identityBlockers(at)[0]?.message).toContain(
    "The genesis of seq-1 is another, expected digest-of-the-genesis; the genesis of seq-2 is another",
  );
});
