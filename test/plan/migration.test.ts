import { describe, expect, test } from "vitest";
import { migration } from "../../src/plan/migration.ts";
import { makePlan } from "../../src/plan/plan.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { statusOf } from "../../src/plan/status.ts";
import { actionsOf } from "../../src/plan/step.ts";
import { briefAction } from "../brief.ts";
import { has, member } from "../builders.ts";
import {
  copy,
  empty,
  following,
  followingRevision,
  type MigratingShape,
  migrating,
  prepared,
  running,
  silent,
  TOLD,
  takenOver,
} from "../migrating.ts";

const brief = (seen: Snapshot) => {
  const { stages = [], needsCertainty, blockers = [], membership } = migration(seen);
  return [
    ...stages.flat().map(briefAction),
    ...blockers.map(({ reason }) => reason),
    ...(blockers.length === 0 && membership ? [membership.reason] : []),
    ...(needsCertainty ? ["look again"] : []),
  ];
};

const message = (seen: Snapshot) => migration(seen).membership?.message;

const at = (height: number, hash = "aa") => ({ height, hash, timeMs: 1 });
const behind = { head: at(95) };
const noBlocks = { kind: "open", height: 0 } as const;
const three = (make: typeof following, shape = {}) => [make(0, shape), make(1, shape), make(2, shape)];
const stopped = { spec: takenOver("Stopped"), old: silent() };
const ready = { ...stopped, members: three(prepared) };
const { migration: _, ...withoutMigration } = takenOver("Running");
const slow = {
  ...takenOver("Stopped"),
  chain: { id: "rollup-1", ...takenOver("Stopped").chain, blockTime: "10s" },
};
const other = (chain: { chainId: string; proposer?: string }) =>
  running({ last: { kind: "told", block: TOLD, chain }, chain });

describe("before the members start", () => {
  test.each<[string, MigratingShape, readonly string[]]>([
    [
      "nothing of it is decided where a volume was started, as the identity is an older copy",
      { members: [following(0), following(1), member(2)] },
      [],
    ],
    [
      "it is held when the spec does not name the old sequencer any more",
      { spec: withoutMigration },
      ["MigrationHeld"],
    ],
    [
      "it is held the same where only a volume tells of it",
      { spec: withoutMigration, record: "none" },
      ["MigrationHeld"],
    ],
    ["what was told first is noted", { record: { version: 1 } }, ["replace StatefulSet seq", "Migrating"]],
    [
      "that a chain comes from outside is noted",
      { record: "none" },
      ["replace StatefulSet seq", "Migrating"],
    ],
    [
      "a block that is told while blocks are made is not noted",
      { old: running({ highest: { height: 101, hash: "bb" } }) },
      ["Migrating"],
    ],
    [
      "the last one that was told is noted",
      { old: silent({ highest: { height: 101, hash: "bb" } }) },
      ["replace StatefulSet seq", "Migrating"],
    ],
    [
      "what a sequencer of another chain told is not noted, also when it is silent",
      { old: silent({ chain: { chainId: "rollup-2" }, highest: { height: 999 } }) },
      ["MigrationHeld"],
    ],
    ["another chain id is refused", { old: other({ chainId: "rollup-2" }) }, ["MigrationHeld"]],
    [
      "another proposer is refused",
      { old: other({ chainId: "rollup-1", proposer: "b3RoZXI=" }), members: three(empty) },
      ["MigrationHeld"],
    ],
    [
      "a volume that was prepared to begin a chain is refused",
      { members: [following(0), following(1), member(2, has({ kind: "intact", epoch: 1, started: false }))] },
      ["MigrationHeld"],
    ],
    [
      "an order that is refused is told",
      {
        members: [
          following(0),
          following(1),
          member(2, { says: { volume: { kind: "empty" }, refusedOrder: { id: "join-1", message: "no" } } }),
        ],
      },
      ["MigrationHeld"],
    ],
    [
      "a volume of somebody else is told",
      { members: [following(0), following(1), member(2, has({ kind: "foreign", message: "of another" }))] },
      ["VolumeForeign"],
    ],
    ["the configurations are waited for", { members: three(empty), lacksConfigs: true }, ["Migrating"]],
    [
      "every agent is waited for",
      { members: [empty(0), empty(1), member(2, { says: "nothing" })] },
      ["Migrating"],
    ],
    [
      "members get leave to follow",
      { members: three(empty) },
      ["move seq-0 with order join", "move seq-1 with order join", "move seq-2 with order join", "Migrating"],
    ],
    [
      "a member whose pod is a new one gets the old sequencer as a peer again",
      { members: [following(0), following(1), following(2, { pod: { configRevision: "r1" } })] },
      ["move seq-2 with order join", "Migrating"],
    ],
    ["they follow while it makes blocks", {}, ["Migrating"]],
  ])("%s", (_name, shape, expected) => {
    expect(brief(migrating(shape))).toEqual(expected);
  });

  test.each<[string, MigratingShape, string]>([
    [
      "when a member is not settled",
      { members: [following(0, { isSettled: false }), following(1), following(2)] },
      "Do not stop it yet",
    ],
    [
      "when a member is far behind",
      { members: [following(0), following(1), following(2, { head: at(50) })] },
      "seq-2 is far behind it. Do not stop it yet",
    ],
    [
      "when nothing ever answered",
      { record: { version: 1 }, old: silent({ highest: undefined }) },
      "Correct spec.migration.rpcAddress",
    ],
    ["when all follow", {}, "set spec.migration.oldSequencer to Stopped"],
    [
      "when it is silent by now",
      { old: silent() },
      "If it was stopped for good, set spec.migration.oldSequencer to Stopped",
    ],
  ])("its owner is told what to do: %s", (_name, shape, expected) => {
    expect(message(migrating(shape))).toContain(expected);
  });
});

describe("copies of the old sequencer's data", () => {
  const accepting = { spec: takenOver("Running", { copies: "Accept" }) };
  const head = { height: 60, hash: "cc" };
  const read = { copy: { head } };
  const told = (...asked: { height: number; hash?: string }[]) => ({ old: running({ asked }) });
  const stopped = { spec: takenOver("Stopped", { copies: "Accept" }) };

  test.each<[string, MigratingShape, readonly string[]]>([
    [
      "are refused where nothing is said of them",
      { members: [copy(0), empty(1), empty(2)] },
      ["VolumeForeign"],
    ],
    [
      "are taken up where the spec says so, beside members without data",
      { ...accepting, members: [copy(0), empty(1), empty(2)] },
      ["move seq-0 with order join", "move seq-1 with order join", "move seq-2 with order join", "Migrating"],
    ],
    [
      "volumes of somebody else are not",
      {
        ...accepting,
        members: [member(0, has({ kind: "foreign", message: "of another" })), empty(1), empty(2)],
      },
      ["VolumeForeign"],
    ],
    [
      "are not where a claim says that a member may have started",
      { ...accepting, members: [copy(0), empty(1), following(2, { claim: { epoch: 1, started: 1 } })] },
      ["VolumeForeign"],
    ],
    [
      "are read first",
      { ...accepting, members: [following(0, { copy: {} }), following(1), following(2)] },
      ["Migrating"],
    ],
    [
      "wait for what the old sequencer has there",
      { ...accepting, members: [following(0, read), following(1), following(2)] },
      ["Migrating"],
    ],
    [
      "are gone on with when it has the same block",
      { ...accepting, ...told(head), members: [following(0, read), following(1), following(2)] },
      ["move seq-0 with order join", "Migrating"],
    ],
    [
      "also when it was stopped since",
      {
        ...stopped,
        old: silent({ asked: [head] }),
        members: [following(0, read), following(1), following(2)],
      },
      ["move seq-0 with order join", "Migrating"],
    ],
    [
      "without a block need no proof",
      {
        ...accepting,
        members: [following(0, { copy: { head: { height: 0, hash: "" } } }), following(1), following(2)],
      },
      ["move seq-0 with order join", "Migrating"],
    ],
    [
      "of a fork are held",
      {
        ...accepting,
        ...told({ height: 60, hash: "dd" }),
        members: [following(0, read), following(1), following(2)],
      },
      ["MigrationHeld"],
    ],
    [
      "that are ahead of it are held",
      { ...accepting, ...told({ height: 60 }), members: [following(0, read), following(1), following(2)] },
      ["MigrationHeld"],
    ],
    [
      "of which it told nothing before its end are held",
      { ...stopped, old: silent(), members: [following(0, read), following(1), following(2)] },
      ["MigrationHeld"],
    ],
    [
      "are held when the spec does not accept them any more",
      { ...told(head), members: [following(0, read), following(1), following(2)] },
      ["MigrationHeld"],
    ],
    [
      "hold a start even if everything else speaks for it",
      {
        ...stopped,
        old: silent(),
        members: [prepared(0, { ...read, isSettled: true }), prepared(1), prepared(2)],
      },
      ["MigrationHeld"],
    ],
    [
      "that were proven are members as all others",
      {
        ...stopped,
        old: silent(),
        members: [prepared(0, { copy: { head, proven: true } }), prepared(1), prepared(2)],
      },
      ["mark data-seq-0", "mark data-seq-1", "mark data-seq-2", "markBootstrapped", "Migrating"],
    ],
    [
      "are not taken up once members may start",
      { ...stopped, identity: { bootstrapped: 1 }, old: silent(), members: [copy(0), member(1), member(2)] },
      [],
    ],
    [
      "on claims that nobody labelled are waited for",
      { ...accepting, members: [{ ...copy(0), claim: undefined }, empty(1), empty(2)] },
      ["Migrating"],
    ],
  ])("%s", (_name, shape, expected) => {
    expect(brief(migrating(shape))).toEqual(expected);
  });

  test.each<[string, MigratingShape, string]>([
    ["of a fork", told({ height: 60, hash: "dd" }), "The copy is of a fork or of another chain"],
    ["that are ahead", told({ height: 60 }), "the copy is ahead of it"],
    ["that are open", {}, "Do not stop it yet"],
    ["too late", { ...stopped, old: silent() }, "Start it once more, reachable there"],
  ])("its owner is told what to do about copies %s", (_name, shape, expected) => {
    const members = [following(0, read), following(1), following(2)];
    expect(message(migrating({ ...accepting, members, ...shape }))).toContain(expected);
  });

  test("what would let them be taken up is told with the refusal", () => {
    const { blockers } = migration(migrating({ members: [copy(0), empty(1), empty(2)] }));
    expect(blockers?.[0]?.message).toContain("set spec.migration.copies to Accept");
  });

  test("a claim without labels is told with the command that labels it", () => {
    const members = [{ ...copy(0), claim: undefined }, empty(1), empty(2)];
    expect(message(migrating({ ...accepting, members }))).toContain("kubectl label pvc data-seq-0 ");
  });

  test("the order names the copy, and its last block once that is proven", () => {
    const orders = (seen: Snapshot) =>
      (migration(seen).stages ?? [])
        .flat()
        .flatMap((action) => (action.kind === "moveMember" ? action.order : []));
    const taken = migrating({ ...accepting, members: [copy(0), empty(1), empty(2)] });
    expect(orders(taken).map(({ id }) => id)).toEqual(["join-1-copy", "join-1", "join-1"]);
    const proven = migrating({
      ...accepting,
      ...told(head),
      members: [following(0, read), following(1), following(2)],
    });
    expect(orders(proven)).toMatchObject([{ id: "join-1-copy-proven", copy: { proven: head } }]);
  });
});

describe("from the owner's word to the start", () => {
  test.each<[string, MigratingShape, readonly string[]]>([
    [
      "a silence of which nobody knows what it means is held",
      { ...stopped, record: { version: 1 }, old: silent({ highest: undefined }) },
      ["MigrationHeld"],
    ],
    [
      "a sequencer that answers is held",
      { ...ready, old: running({ membersStillMs: 60_000 }) },
      ["MigrationHeld"],
    ],
    [
      "whatever answers is held",
      { ...ready, old: silent({ last: { kind: "listens", what: "an answer with HTTP status 502" } }) },
      ["MigrationHeld"],
    ],
    [
      "a member that does not follow is waited for",
      { ...ready, members: [prepared(0), prepared(1), prepared(2, { isSettled: false })] },
      ["Migrating"],
    ],
    [
      "a member without data is told to follow",
      { ...ready, members: [prepared(0), prepared(1), empty(2)] },
      ["move seq-2 with order join", "Migrating"],
    ],
    [
      "one that has not got a block yet is waited for",
      { ...ready, members: [prepared(0), prepared(1), prepared(2, { says: { node: noBlocks } })] },
      ["Migrating"],
    ],
    [
      "unequal heights are waited for",
      { ...ready, members: [prepared(0), prepared(1), prepared(2, behind)] },
      ["Migrating"],
    ],
    [
      "unequal blocks are waited for",
      { ...ready, members: [prepared(0), prepared(1), prepared(2, { head: at(100, "bb") })] },
      ["Migrating"],
    ],
    [
      "blocks that it told are waited for",
      { ...ready, members: three(prepared, behind), old: silent({ membersStillMs: 1_000 }) },
      ["Migrating"],
    ],
    [
      "and held when nothing moves any more",
      { ...ready, members: three(prepared, behind) },
      ["MigrationHeld"],
    ],
    [
      "also when only the note tells of them",
      { ...ready, members: three(prepared, behind), old: silent({ highest: undefined }) },
      ["MigrationHeld"],
    ],
    [
      "another block than it told is held",
      { ...ready, members: three(prepared, { head: at(100, "bb") }) },
      ["MigrationHeld"],
    ],
    ["a silence that is young is waited for", { ...ready, old: silent({ silentMs: 29_000 }) }, ["Migrating"]],
    [
      "blocks that moved lately are waited for",
      { ...ready, old: silent({ membersStillMs: 14_000 }) },
      ["Migrating"],
    ],
    [
      "of a slow chain, longer",
      {
        ...ready,
        spec: slow,
        members: three(prepared, { pod: { configRevision: followingRevision(slow), ready: false } }),
        old: silent({ membersStillMs: 29_000 }),
      },
      ["Migrating"],
    ],
    [
      "members are prepared",
      { ...stopped, members: three(following) },
      ["order seq-0 bootstrap", "order seq-1 bootstrap", "order seq-2 bootstrap", "Migrating"],
    ],
    [
      "a member that refuses to be prepared is told",
      {
        ...stopped,
        members: [
          prepared(0),
          prepared(1),
          following(2, { says: { refusedOrder: { id: "bootstrap-1", message: "no" } } }),
        ],
      },
      ["MigrationHeld"],
    ],
    [
      "all is looked at once more before the leave",
      { ...ready, isCertain: false },
      ["Migrating", "look again"],
    ],
    [
      "they get leave to start",
      ready,
      ["mark data-seq-0", "mark data-seq-1", "mark data-seq-2", "markBootstrapped", "Migrating"],
    ],
    [
      "an operator that was stopped in the middle goes on",
      { ...ready, members: three(prepared, { claim: { epoch: 1, started: 1 } }) },
      ["markBootstrapped", "Migrating"],
    ],
    [
      "but not when the old sequencer came back meanwhile",
      { ...ready, members: three(prepared, { claim: { epoch: 1, started: 1 } }), old: running() },
      ["MigrationHeld"],
    ],
  ])("%s", (_name, shape, expected) => {
    expect(brief(migrating(shape))).toEqual(expected);
  });
});

describe("once the members may start", () => {
  const decided = { identity: { bootstrapped: 1 } };
  const marked = { claim: { epoch: 1, started: 1 } };

  test("they start with their own configs, which do not name the old sequencer", () => {
    const seen = migrating({ ...stopped, ...decided, members: three(prepared, marked) });
    const { stages = [] } = migration(seen);
    const own = migrating({ members: three(empty) }).statefulSet?.spec?.template.metadata?.annotations;
    expect(stages.flat().map(briefAction)).toEqual([
      "move seq-0 with order start",
      "move seq-1 with order start",
      "move seq-2 with order start",
    ]);
    for (const action of stages.flat())
      expect(action).toMatchObject({ configRevision: own?.["evnode.dev/config-revision"] });
  });

  test("and while they have the order and did not start yet, that passes for no change of their number", () => {
    const order = JSON.stringify({ id: "start-1", kind: "start", epoch: 1 });
    const configRevision = migrating({ members: three(empty) }).statefulSet?.spec?.template.metadata
      ?.annotations?.["evnode.dev/config-revision"];
    const shape = { ...marked, pod: { order, ...(configRevision && { configRevision }) } };
    const seen = migrating({ ...stopped, ...decided, members: three(prepared, shape) });
    const plan = makePlan(seen);
    expect(plan.decided.map(({ by }) => by)).not.toContain("membership");
    expect(plan.membership?.reason).toBe("Migrating");
  });

  test("also where the spec does not name it any more", () => {
    const seen = migrating({ ...decided, spec: withoutMigration, members: three(prepared, marked) });
    expect(actionsOf(makePlan(seen)).map(briefAction)).toContain("move seq-0 with order start");
  });

  test("not on a claim that was not marked", () => {
    expect(brief(migrating({ ...stopped, ...decided, members: three(prepared) }))).toEqual([]);
  });

  test.each<[string, MigratingShape, readonly string[]]>([
    ["a silent one is watched", { ...stopped, ...decided, members: three(member) }, []],
    [
      "one that answers is told",
      { ...stopped, ...decided, old: running(), members: three(member) },
      ["OldSequencerAnswers"],
    ],
    [
      "whatever answers there is told",
      {
        ...stopped,
        ...decided,
        old: silent({ last: { kind: "listens", what: "x" } }),
        members: three(member),
      },
      ["OldSequencerAnswers"],
    ],
    [
      "one that is not named is not looked at",
      { ...decided, spec: withoutMigration, old: undefined, members: three(member) },
      [],
    ],
  ])("the old sequencer: %s", (_name, shape, expected) => {
    expect(brief(migrating(shape))).toEqual(expected);
  });
});

describe("whatever the migration decides", () => {
  const stages: readonly [string, MigratingShape][] = [
    ["before members follow", { members: three(empty) }],
    ["while they follow", {}],
    [
      "with another spec on its way",
      { spec: { ...takenOver("Running"), image: "example.org/testapp:2" }, members: three(empty) },
    ],
    ["without its part of the spec", { spec: withoutMigration, members: three(empty) }],
    ["without its part of the spec, while they follow", { spec: withoutMigration, record: "none" }],
    ["while it answers", { ...ready, old: running() }],
    ["while its silence is young", { ...ready, old: silent({ silentMs: 0 }) }],
  ];
  test.each(stages)("no member is made to begin a chain of its own: %s", (_name, shape) => {
    const made = actionsOf(makePlan(migrating(shape))).map(briefAction);
    expect(made.filter((text) => /bootstrap|mark|start/.test(text))).toEqual([]);
  });

  test("Reconciling says what is waited for, and nobody is told to level", () => {
    const seen = migrating();
    const { conditions = [] } = statusOf(seen, makePlan(seen), []);
    const found = (type: string) => conditions.find((condition) => condition.type === type);
    expect(found("Reconciling")?.message).toContain("set spec.migration.oldSequencer to Stopped");
    expect(found("LeaderElected")?.reason).toBe("WaitingForLeader");
    expect(found("Stalled")?.reason).toBe("NotStalled");
  });

  test("Stalled and MembershipComplete say what holds it, and nothing that moves", () => {
    const heights = [100, 101].map((height) => {
      const seen = migrating({
        ...ready,
        members: three(prepared, { head: at(height) }),
        old: running({ last: { kind: "told", block: { height }, chain: { chainId: "rollup-1" } } }),
      });
      return statusOf(seen, makePlan(seen), []).conditions;
    });
    expect(heights[0]).toEqual(heights[1]);
    const told = heights[0]?.map(({ type, reason }) => `${type}: ${reason}`);
    expect(told).toContain("Stalled: MigrationHeld");
    expect(told).toContain("MembershipComplete: MigrationHeld");
  });
});
