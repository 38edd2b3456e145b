import { describe, expect, test } from "vitest";
import type { AgentAnswer } from "../../src/model/agent-protocol.ts";
import { connectionFinding } from "../../src/plan/connection.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { leader, leads, type MemberShape, member, peer, snapshot } from "../builders.ts";

type Peer = AgentAnswer["peers"][number];

const found = (seen: Snapshot) => {
  const { reason, message } = connectionFinding(seen);
  return `${reason}: ${message}`;
};
const of = (...shapes: readonly MemberShape[]) =>
  snapshot({ members: shapes.map((shape, ordinal) => member(ordinal, shape)) });
/** A member of three that tells this of the two others. */
const telling = (ordinal: number, ...told: readonly Partial<Peer>[]): MemberShape => {
  const names = ["seq-0", "seq-1", "seq-2"].filter((name) => name !== `seq-${ordinal}`);
  return { says: { peers: names.map((name, index) => peer(name, told[index])) } };
};
const silent = { kind: "timedOut", ageMs: 1 } as const;
const blocked = { ...silent, lasting: true } as const;
const nameless = { kind: "unresolved", ageMs: 1, lasting: true } as const;
const refused = { kind: "refused", ageMs: 1 } as const;
const isSilent: MemberShape = { says: "nothing" };

const WHERE = "Look at what lies between them, first at: kubectl get networkpolicies -n rollup.";
const DNS = "Look at the cluster's DNS, and at: kubectl get endpointslices -n rollup.";
const BLOCKED = "Blocked, no answer, as behind a firewall or a NetworkPolicy";
const NAMELESS = "The name of the other member has no address, or that of another pod";
const REFUSED = "Refused, nothing listens although ev-node runs there, or a firewall rejects";

describe("Connected", () => {
  test.each<[string, Snapshot, string]>([
    [
      "when every port is reached",
      snapshot(),
      "PathsOpen: Every member can reach every other one on the Raft and the P2P port.",
    ],
    [
      "when ports refuse behind which nobody is known to listen",
      of(telling(0, { raft: refused, p2p: refused }, {}), {}, {}),
      "PathsOpen: Every member can reach every other one on the Raft and the P2P port.",
    ],
    [
      "not when one direction of one pair is blocked on one port",
      of(telling(0, {}, { raft: blocked }), {}, {}),
      `PathBlocked: ${BLOCKED}: seq-0 to seq-2 on Raft port 5001. ${WHERE}`,
    ],
    [
      "not when several are, each of which is named with its ports",
      of(telling(0, { raft: blocked, p2p: blocked }, {}), telling(1, { p2p: blocked }, {}), {}),
      `PathBlocked: ${BLOCKED}: seq-0 to seq-1 on Raft port 5001 and P2P port 7676, seq-1 to seq-0 on P2P port 7676. ${WHERE}`,
    ],
    [
      "not when a name has no address, whatever the port",
      of({}, {}, telling(2, { raft: nameless, p2p: nameless }, {})),
      `NameUnresolved: ${NAMELESS}: seq-2 to seq-0. ${DNS}`,
    ],
    [
      "not when a port refuses although ev-node listens there",
      of({}, telling(1, { raft: { ...refused, lasting: true } }, {}), {}),
      `PathRefused: ${REFUSED}: seq-1 to seq-0 on Raft port 5001.`,
    ],
    [
      "not for several reasons at once, the gravest first",
      of(
        telling(0, { raft: nameless }, {}),
        telling(1, { p2p: { ...refused, lasting: true } }, { p2p: blocked }),
        {},
      ),
      `PathBlocked: ${BLOCKED}: seq-1 to seq-2 on P2P port 7676. ${WHERE} ${NAMELESS}: seq-0 to seq-1. ${DNS} ${REFUSED}: seq-1 to seq-0 on P2P port 7676.`,
    ],
    [
      "not known as long as it has not lasted",
      of(telling(0, {}, { raft: silent }), {}, {}),
      "PathsUnknown: Not known are the paths seq-0 to seq-2.",
    ],
    [
      "not known when nobody has looked yet",
      of(telling(0, { raft: { kind: "unknown" }, p2p: { kind: "unknown" } }, {}), {}, {}),
      "PathsUnknown: Not known are the paths seq-0 to seq-1.",
    ],
    [
      "not known of a member whose agent is silent, though the others do not reach it: it may be away",
      of(telling(0, { raft: blocked }, {}), isSilent, telling(2, {}, { raft: blocked })),
      "PathsUnknown: Not known are the paths seq-0 to seq-1, seq-1 to seq-0, seq-1 to seq-2, seq-2 to seq-1.",
    ],
    [
      "not known of a member whose pod stops",
      of(telling(0, { raft: blocked }, {}), { pod: { terminating: true } }, {}),
      "PathsUnknown: Not known are the paths seq-0 to seq-1, seq-1 to seq-0, seq-1 to seq-2, seq-2 to seq-1.",
    ],
    [
      "not known of a member of which only an earlier pod has told",
      of({}, {}, { says: { podUid: "uid-before" } }),
      "PathsUnknown: Not known are the paths seq-0 to seq-2, seq-1 to seq-2, seq-2 to seq-0, seq-2 to seq-1.",
    ],
    ["not known without members", of(), "PathsUnknown: There are no members yet."],
    [
      "for a single member",
      snapshot({ members: [member(0, { says: { ...leads, peers: [] } })] }),
      "PathsOpen: A single member needs no path to another.",
    ],
  ])("%s", (_, seen, expected) => {
    expect(found(seen)).toBe(expected);
  });

  test("fits into a condition with every path of seven members in trouble", () => {
    const all = Array.from({ length: 7 }, (_, ordinal) => ordinal);
    const names = (own: number) =>
      all.filter((ordinal) => ordinal !== own).map((ordinal) => `seq-${ordinal}`);
    const seven = all.map((own) => {
      const peers = names(own).map((name) => peer(name, { raft: blocked, p2p: blocked }));
      return own === 0
        ? { ...leader(0), ...member(0, { says: { ...leads, peers } }) }
        : member(own, { says: { peers } });
    });
    const { message } = connectionFinding(snapshot({ members: seven }));
    expect(message.length).toBeLessThan(4_096);
    expect(message).toContain("seq-6 to seq-5 on Raft port 5001 and P2P port 7676");
  });
});
