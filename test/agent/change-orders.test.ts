import { describe, expect, test } from "vitest";
import { type ChangeFacts, type ChangeVerdict, judgeChange } from "../../src/agent/change-orders.ts";
import type { VolumeState } from "../../src/agent/volume.ts";
import type { VolumeRecord } from "../../src/agent/volume-record.ts";
import { votersDigest } from "../../src/agent/voters.ts";
import type { Order, Voter } from "../../src/model/agent-protocol.ts";
import { voters } from "./pod.ts";
import { record as bootstrapped } from "./volumes.ts";

const self = voters[0] as Voter;
const record: VolumeRecord = { ...bootstrapped, started: true, hadBlocks: true };
const prepared = { votersDigest: votersDigest(voters), isSingle: false };
const frozen = { kind: "frozen", to: 2 } as const;
const joiner: VolumeRecord = { ...record, epoch: 2, started: false, change: { kind: "joining" } };

const HEAD = { height: 40, hash: "aa" };
const copied = (copy: object) => ({ ...joiner, change: { kind: "joining", copy } as const });

const intact = (changes: Partial<VolumeRecord> = {}, isPrepared = false): VolumeState => ({
  kind: "intact",
  record: { ...record, ...changes },
  isFresh: false,
  isPrepared,
});
const earlier = (changes: Partial<VolumeRecord> = {}, hasBlockData = true): VolumeState => ({
  kind: "foreign",
  message: "the volume is of epoch 1, expected 2",
  earlier: { record: { ...record, ...changes }, hasBlockData },
});

const volumes = {
  empty: { kind: "empty", leftover: { kind: "missing" } },
  earlier: earlier(),
  "earlier, without blocks": earlier({}, false),
  "earlier, its blocks lost once": earlier({ lostBlocks: true }),
  foreign: { kind: "foreign", message: "of another" },
  "blocks of a copy": { kind: "foreign", message: "of nobody", isCopy: true },
  damaged: { kind: "damaged", message: "the block data is missing", record, hasBlockData: false },
  new: intact({ started: false }),
  started: intact(),
  frozen: intact({ change: frozen }),
  "frozen, prepared": intact({ change: { ...frozen, prepared } }, true),
  "frozen, its Raft folder gone": intact({ change: { ...frozen, prepared } }),
  joining: intact(joiner),
  "joining, its copy not read": intact(copied({})),
  "joining, its copy read": intact(copied({ head: HEAD })),
  "joining, its copy proven": intact(copied({ head: HEAD, proven: true })),
  "joining, prepared": intact({ ...joiner, change: { kind: "joining", prepared } }, true),
} satisfies Readonly<Record<string, VolumeState>>;

type VolumeName = keyof typeof volumes;

const facts: ChangeFacts = {
  member: "chain-0",
  epoch: 1,
  raftAddress: self.address,
  executed: [],
  named: { epoch: 2, isSingle: false, raftAddress: self.address },
  isHeld: true,
  height: 50,
};

const join = (epoch: number, members: readonly Voter[] = voters): Order => ({
  id: "o",
  kind: "join",
  epoch,
  voters: [...members],
});
const joinFrom = (epoch: number, proven?: typeof HEAD): Order => ({
  id: "o",
  kind: "join",
  epoch,
  voters: [...voters],
  copy: proven ? { proven } : {},
});
const bootstrap = (epoch: number, members: readonly Voter[] = voters): Order => ({
  id: "o",
  kind: "bootstrap",
  epoch,
  voters: [...members],
});
const start = (epoch: number): Order => ({ id: "o", kind: "start", epoch });
const freeze = (epoch: number, to: number): Order => ({ id: "o", kind: "freeze", epoch, to });
const thaw = (epoch: number, to: number): Order => ({ id: "o", kind: "thaw", epoch, to });

/** What comes of it, in a word and the way that the record then says. */
function outcome(verdict: ChangeVerdict): string {
  if (verdict.kind === "refuse") return verdict.message.replace(/^order o \(\w+\) is refused: /, "refused: ");
  if (verdict.kind === "postpone") return verdict.message.replace(/^order o \(\w+\) waits until /, "waits: ");
  if (verdict.kind === "join")
    return `joins, ${verdict.hadBlocks ? "with" : "without"} blocks${verdict.isCopy ? " of a copy" : ""}`;
  if (verdict.kind === "nothing") return "nothing";
  const { epoch, change, started } = verdict.record;
  const way = change === undefined ? (started ? "started" : "new") : change.kind;
  const copy = change?.kind === "joining" ? change.copy : undefined;
  const proof = copy ? (copy.proven ? ", proven" : ", not proven") : "";
  return `${verdict.kind}: ${epoch} ${way}${change?.prepared ? " prepared" : ""}${proof}`;
}

const NOT_EMPTY = "refused: the volume is empty";
const LOST = "refused: the block data is missing";
const OTHER_BLOCK = "refused: block 40 with hash aa is not the last one of the copy on the volume";
const NOT_PROVEN =
  "refused: its blocks came with a copy, and nobody has proven yet that they are of this chain";
const OTHER = (of: number, is: number) => `refused: it is for epoch ${of}, but the volume is of epoch ${is}`;

test.each<[VolumeName, Order, string]>([
  ["empty", join(2), "joins, without blocks"],
  ["earlier", join(2), "joins, with blocks"],
  ["earlier, without blocks", join(2), "joins, without blocks"],
  ["earlier, its blocks lost once", join(2), "refused: the block data was missing"],
  ["foreign", join(2), "refused: of another"],
  ["damaged", join(2), LOST],
  ["started", join(2), "refused: the volume is that of a member of epoch 1"],
  ["frozen", join(2), "refused: the volume is on its way from epoch 1 to 2"],
  ["joining", join(2), "record: 2 joining"],
  ["joining", join(2, [self]), "refused: it joins other voters"],
  [
    "empty",
    join(2, voters.slice(1)),
    "refused: the order names chain-0 0 times among its voters, expected once",
  ],
  ["empty", join(3), "waits: the config of epoch 3 is there"],

  ["blocks of a copy", join(2), "refused: of nobody"],
  ["blocks of a copy", joinFrom(2), "joins, with blocks of a copy"],
  ["blocks of a copy", bootstrap(2), "refused: of nobody"],
  ["blocks of a copy", start(2), "refused: of nobody"],
  ["foreign", joinFrom(2), "refused: of another"],
  ["damaged", joinFrom(2), LOST],
  ["started", joinFrom(2), "refused: the volume is that of a member of epoch 1"],
  ["empty", joinFrom(2), "joins, without blocks"],
  ["joining", joinFrom(2, HEAD), "record: 2 joining"],
  ["joining, its copy not read", join(2), "record: 2 joining, not proven"],
  ["joining, its copy not read", joinFrom(2), "record: 2 joining, not proven"],
  ["joining, its copy not read", joinFrom(2, HEAD), OTHER_BLOCK],
  ["joining, its copy not read", bootstrap(2), NOT_PROVEN],
  ["joining, its copy read", joinFrom(2), "record: 2 joining, not proven"],
  ["joining, its copy read", joinFrom(2, HEAD), "record: 2 joining, proven"],
  ["joining, its copy read", joinFrom(2, { ...HEAD, hash: "bb" }), OTHER_BLOCK.replace("aa", "bb")],
  ["joining, its copy read", bootstrap(2), NOT_PROVEN],
  ["joining, its copy read", start(2), NOT_PROVEN],
  ["joining, its copy read", freeze(2, 3), NOT_PROVEN],
  ["joining, its copy read", join(2, [self]), "refused: it joins other voters"],
  ["joining, its copy proven", join(2), "record: 2 joining, proven"],
  ["joining, its copy proven", joinFrom(2, HEAD), "record: 2 joining, proven"],
  ["joining, its copy proven", bootstrap(2), "prepare: 2 joining prepared, proven"],
  ["joining, its copy proven", start(2), "refused: the volume is not prepared for epoch 2"],

  ["empty", freeze(1, 2), NOT_EMPTY],
  ["earlier", freeze(1, 2), "refused: the volume is of epoch 1, expected 2"],
  ["damaged", freeze(1, 2), LOST],
  ["new", freeze(1, 2), "refused: the volume has never been started"],
  ["started", freeze(1, 2), "record: 1 frozen"],
  ["started", freeze(2, 3), OTHER(2, 1)],
  ["started", freeze(1, 1), "refused: epoch 1 does not come after 1"],
  ["frozen", freeze(1, 2), "record: 1 frozen"],
  ["frozen, prepared", freeze(1, 2), "record: 1 frozen prepared"],
  ["frozen", freeze(1, 3), "refused: it is frozen for epoch 2, and has to thaw first"],
  ["joining", freeze(2, 3), "refused: the volume joins for epoch 2"],

  ["empty", thaw(1, 2), NOT_EMPTY],
  ["started", thaw(1, 2), "record: 1 started"],
  ["frozen", thaw(1, 2), "record: 1 started"],
  ["frozen, prepared", thaw(1, 2), "record: 1 started"],
  ["frozen", thaw(1, 3), "refused: it is frozen for epoch 2, not for 3"],
  ["frozen", thaw(2, 2), OTHER(2, 1)],
  ["joining", thaw(2, 2), "refused: the volume joins for epoch 2"],

  ["frozen", bootstrap(2), "prepare: 1 frozen prepared"],
  ["frozen", bootstrap(2, [self]), "prepare: 1 frozen prepared"],
  ["frozen, prepared", bootstrap(2), "prepare: 1 frozen prepared"],
  ["frozen, its Raft folder gone", bootstrap(2), "prepare: 1 frozen prepared"],
  ["frozen, prepared", bootstrap(2, [self]), "refused: epoch 2 was prepared for other voters"],
  ["frozen", bootstrap(1), OTHER(1, 2)],
  ["frozen", bootstrap(3), OTHER(3, 2)],
  ["joining", bootstrap(2), "prepare: 2 joining prepared"],
  ["joining", bootstrap(2, [self]), "refused: epoch 2 was prepared for other voters"],

  ["frozen", start(2), "refused: the volume is not prepared for epoch 2"],
  ["frozen, its Raft folder gone", start(2), "refused: the volume is not prepared for epoch 2"],
  ["frozen, prepared", start(1), OTHER(1, 2)],
  ["frozen, prepared", start(2), "record: 2 started"],
  ["joining", start(2), "refused: the volume is not prepared for epoch 2"],
  ["joining, prepared", start(2), "record: 2 started"],
  [
    "joining, prepared",
    { id: "o", kind: "rejoin", epoch: 2, voters: [] },
    "refused: the volume is on its way to epoch 2",
  ],
])("on a volume %s the order %j leads to: %s", (name, order, expected) => {
  expect(outcome(judgeChange(order, volumes[name], facts))).toBe(expected);
});

test.each<[VolumeName, Order, string]>([
  ["frozen", join(3), "joins, with blocks"],
  ["joining", join(3), "joins, with blocks"],
  ["joining, its copy read", join(3), NOT_PROVEN],
  ["blocks of a copy", joinFrom(2), "waits: the config of epoch 2 is there"],
  ["joining", join(2), "waits: the config of epoch 2 is there"],
])(
  "in a pod whose config is of epoch 3, on a volume %s, the order %j leads to: %s",
  (name, order, expected) => {
    const later = { ...facts, named: { epoch: 3, isSingle: false, raftAddress: self.address } };
    expect(outcome(judgeChange(order, volumes[name], later))).toBe(expected);
  },
);

describe("an epoch does not begin", () => {
  test.each<[string, Partial<ChangeFacts>, string]>([
    ["before its config is mounted", { named: undefined }, "waits: the config of epoch 2 is there"],
    [
      "with the config of the one before",
      { named: { epoch: 1, isSingle: false, raftAddress: self.address } },
      "waits: the config of epoch 2 is there",
    ],
    [
      "with a config for fewer members than it was prepared for",
      { named: { epoch: 2, isSingle: true, raftAddress: self.address } },
      "refused: it was prepared in Raft, but the config runs it without Raft",
    ],
    [
      "beside a process that may make blocks",
      { isHeld: false },
      "waits: ev-node runs as a full node, and tells its height",
    ],
    [
      "before the height is known at which it does",
      { height: undefined },
      "waits: ev-node runs as a full node, and tells its height",
    ],
    ["twice", { executed: ["o"] }, "nothing"],
  ])("%s", (_, changes, expected) => {
    expect(outcome(judgeChange(start(2), volumes["frozen, prepared"], { ...facts, ...changes }))).toBe(
      expected,
    );
  });
});

test("the record of a new epoch says what it began with, and nothing of the way there", () => {
  const verdict = judgeChange(start(2), volumes["frozen, prepared"], facts);
  expect(verdict).toMatchObject({ kind: "record" });
  expect("record" in verdict && verdict.record).toEqual({ ...record, epoch: 2, beganAt: 50 });
});
