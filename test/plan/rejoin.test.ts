import { describe, expect, test } from "vitest";
import { annotations } from "../../src/model/annotations.ts";
import type { Member } from "../../src/model/member.ts";
import { rejoin } from "../../src/plan/rejoin.ts";
import { briefAction } from "../brief.ts";
import {
  cluster,
  has,
  identity,
  isClosed,
  isEmpty,
  leader,
  leads,
  type MemberShape,
  member,
  peer,
  snapshot,
} from "../builders.ts";

const unmarked = { epoch: undefined, started: undefined };
const approving = (name: string) =>
  cluster({ metadata: { annotations: { [annotations.approveRejoin]: name } } });

/** What is done about these members when the owner approved the repair of `name`. */
function repairs(members: readonly Member[], name = "seq-2"): string[] {
  return rejoin(snapshot({ isCertain: true, cluster: approving(name), members }), identity()).actions.map(
    briefAction,
  );
}

const lost = member(2, isEmpty);
const toRestart = (container: string) => ({ revision: "seq-1", at: "", given: true, container }) as const;
const rejoins = ["order seq-2 rejoin"];

/** A follower among three that sees its peers like this. */
const sees = (raft: Parameters<typeof peer>[1]): MemberShape => ({
  says: { peers: [peer("seq-0", raft), peer("seq-2", raft)] },
});

test.each<[string, readonly Member[], readonly string[]]>([
  ["an emptied volume is rebuilt while the others run well", [leader(0), member(1), lost], rejoins],
  [
    "so is a damaged one",
    [leader(0), member(1), member(2, has({ kind: "damaged", message: "the block data is missing" }))],
    rejoins,
  ],
  [
    "a new claim is marked before its volume is written",
    [leader(0), member(1), member(2, { ...isEmpty, claim: unmarked })],
    ["mark data-seq-2"],
  ],
  ["not before its claim is there", [leader(0), member(1), member(2, { ...isEmpty, claim: "none" })], []],
  ["not before its pod is there", [leader(0), member(1), member(2, { pod: "none", claim: unmarked })], []],
  [
    "not while its ev-node goes on with files that are gone: the order would outlive this moment",
    [leader(0), member(1), member(2, { says: { volume: { kind: "damaged", message: "gone" } } })],
    [],
  ],
  [
    "nor while it leads without them",
    [member(0), member(1), member(2, { says: { ...leads, volume: { kind: "damaged", message: "gone" } } })],
    [],
  ],
  ["not while nobody leads", [member(0), member(1), lost], []],
  ["not while two lead", [leader(0), leader(1), lost], []],
  ["not while another member is silent", [leader(0), member(1, { says: "nothing" }), lost], []],
  ["not while another member knows no leader", [leader(0), member(1, { says: isClosed }), lost], []],
  ["not while another member's pod is gone", [leader(0), member(1, { pod: "none" }), lost], []],
  [
    "not while another member is cut off from raft, though it follows by P2P",
    [leader(0), member(1, sees({ raft: { kind: "timedOut", ageMs: 1 } })), lost],
    [],
  ],
  [
    "not while another member lags beyond the tolerated blocks",
    [leader(0), member(1, sees({ height: 131 })), lost],
    [],
  ],
  ["but while it lags within them", [leader(0), member(1, sees({ height: 130 })), lost], rejoins],
  [
    "not while another member was told to restart, and has not yet",
    [leader(0), member(1, { pod: { update: toRestart("container-of-seq-1") } }), lost],
    [],
  ],
  [
    "but when it has",
    [leader(0), member(1, { pod: { update: toRestart("the-one-before") } }), lost],
    rejoins,
  ],
  ["a member that lost nothing is left alone", [leader(0), member(1), member(2)], []],
  [
    "a foreign volume is not written over",
    [leader(0), member(1), member(2, has({ kind: "foreign", message: "of another cluster" }))],
    [],
  ],
])("%s", (_, members, actions) => {
  expect(repairs(members)).toEqual(actions);
});

test("only the member that the owner named is rebuilt", () => {
  const members = [leader(0), member(1), lost];
  const { metadata } = approving("seq-1");
  const spec = { repair: { mode: "Approve" } } as const;
  expect(
    rejoin(snapshot({ isCertain: true, cluster: cluster({ metadata, spec }), members }), identity()).actions,
  ).toEqual([]);
  const asking = cluster({ spec: { repair: { mode: "Approve" } } });
  expect(rejoin(snapshot({ isCertain: true, cluster: asking, members }), identity())).toEqual({
    actions: [],
  });
});

test("the order names this pod, so that a later loss is another repair, and all voters", () => {
  const {
    actions: [action],
  } = rejoin(
    snapshot({ isCertain: true, cluster: approving("seq-2"), members: [leader(0), member(1), lost] }),
    identity(),
  );
  expect(action).toMatchObject({
    kind: "order",
    pod: { uid: "uid-of-seq-2" },
    order: {
      id: "rejoin-uid-of-seq-2",
      kind: "rejoin",
      epoch: 1,
      voters: [0, 1, 2].map((ordinal) => ({
        id: `seq-${ordinal}`,
        address: `seq-${ordinal}.seq.rollup.svc.cluster.local:5001`,
      })),
    },
  });
});

test("an order that the pod carries is not given again", () => {
  const seen = snapshot({
    isCertain: true,
    cluster: approving("seq-2"),
    members: [leader(0), member(1), lost],
  });
  const {
    actions: [given],
  } = rejoin(seen, identity());
  if (given?.kind !== "order") throw new Error("the lost member is to rejoin");
  expect(
    repairs([leader(0), member(1), member(2, { ...isEmpty, pod: { order: JSON.stringify(given.order) } })]),
  ).toEqual([]);
});

/** Five members of which the first leads; `shapes` are those of the last ones. */
function five(...shapes: readonly MemberShape[]): Member[] {
  const peers = ["seq-0", "seq-1", "seq-2", "seq-3", "seq-4"].map((name) => peer(name));
  return [0, 1, 2, 3, 4].map((ordinal) => {
    const shape = shapes[ordinal - (5 - shapes.length)];
    if (shape) return member(ordinal, shape);
    return member(ordinal, { says: { peers, ...(ordinal === 0 ? leads : {}) } });
  });
}

describe.each<[string, MemberShape]>([
  ["volumes are empty", isEmpty],
  ["Raft folders were wiped", has({ kind: "damaged", message: "the folder raft-1 is missing" })],
])("where %s", (_, isLost) => {
  test("of two of five one is rebuilt after the other, in the order of the approvals", () => {
    expect(repairs(five(isLost, isLost), "seq-3")).toEqual(["order seq-3 rejoin"]);
    expect(repairs(five(isLost, isLost), "seq-4")).toEqual(["order seq-4 rejoin"]);
  });

  test("of three of five none is: no majority remembers its votes", () => {
    expect(repairs(five(isLost, isLost, isLost), "seq-4")).toEqual([]);
  });
});
