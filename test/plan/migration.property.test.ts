import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Member } from "../../src/model/member.ts";
import type { OldSequencer, OldSequencerLook } from "../../src/model/old-sequencer.ts";
import { makePlan } from "../../src/plan/plan.ts";
import { actionsOf } from "../../src/plan/step.ts";
import { member } from "../builders.ts";
import { copy as copyOf, empty, following, type MigratingShape, migrating, takenOver } from "../migrating.ts";

/** Chain ids and heights that are mostly the right ones, so that a start comes about now and then. */
const mostly = <T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { arbitrary: fc.constant(usual), weight: 12 },
    { arbitrary: fc.constantFrom(...others), weight: 1 },
  );

const block = fc.record({ height: mostly(100, 99, 101), hash: mostly("aa", "bb") });
const chain = fc.record({ chainId: mostly("rollup-1", "rollup-2") });
const last: fc.Arbitrary<OldSequencerLook> = fc.oneof(
  { arbitrary: fc.constant({ kind: "silent", why: "the connection is refused" } as const), weight: 12 },
  { arbitrary: fc.constant({ kind: "notYet" } as const), weight: 1 },
  { arbitrary: fc.constant({ kind: "listens", what: "x" } as const), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant("told" as const), block, chain }), weight: 1 },
);
const old: fc.Arbitrary<OldSequencer> = fc.record({
  last,
  chain: fc.option(chain, { nil: undefined }),
  silentMs: mostly(60_000, 0, 29_999, 30_000),
  membersStillMs: mostly(60_000, 0, 14_999, 15_000),
  highest: fc.option(block, { nil: undefined }),
  asked: mostly(1, 0).chain((count) =>
    fc.array(fc.record({ height: mostly(60, 61), hash: mostly("cc", "dd") }), {
      minLength: count,
      maxLength: count,
    }),
  ),
});

/** What came with a copy, and whether that was proven. */
const copied = fc.constantFrom({}, { head: { height: 60, hash: "cc" } }, {
  head: { height: 60, hash: "cc" },
  proven: true,
} as const);

const one = (ordinal: number): fc.Arbitrary<Member> =>
  fc
    .record({
      head: block,
      isSettled: mostly(true, false),
      isPrepared: mostly(true, false),
      kind: mostly("following", "empty", "silent", "copy"),
      copy: fc.oneof({ arbitrary: fc.constant(undefined), weight: 5 }, { arbitrary: copied, weight: 1 }),
    })
    .map(({ head, kind, copy, ...rest }) => {
      // An agent does not tell it otherwise; whatever it told, no member may start on what is not proven.
      const shape = { ...rest, ...(copy ? { copy } : {}) };
      if (kind === "copy") return copyOf(ordinal);
      if (kind === "empty") return empty(ordinal);
      if (kind === "silent") return member(ordinal, { says: "nothing" });
      return following(ordinal, { head: { ...head, timeMs: 1 }, ...shape });
    });

interface Drawn {
  readonly shape: MigratingShape & { readonly members: readonly Member[]; readonly old: OldSequencer };
  readonly word: "Running" | "Stopped" | "gone";
  readonly copies: "Refuse" | "Accept";
}

const drawn: fc.Arbitrary<Drawn> = fc
  .record({
    old,
    members: fc.tuple(one(0), one(1), one(2)),
    word: mostly<Drawn["word"]>("Stopped", "Running", "gone"),
    copies: fc.constantFrom<Drawn["copies"]>("Refuse", "Accept", "Accept", "Accept"),
    told: fc.option(block, { nil: undefined }),
    isCertain: mostly(true, false),
  })
  .map(({ word, copies, told, ...rest }) => {
    const { migration: _, ...without } = takenOver("Stopped");
    const spec = word === "gone" ? without : takenOver(word, { copies });
    return { word, copies, shape: { ...rest, spec, record: { version: 1, ...(told ? { told } : {}) } } };
  });

/** What has to be so, said once more and in another way. */
function mayStart({ word, shape }: Drawn): boolean {
  const { old: seen, members, record, isCertain } = shape;
  const noted = record === "none" ? undefined : record?.told;
  const told = [seen.highest, noted].flatMap((known) => known ?? []);
  const heads = members.map(({ report }) => {
    const node = report.kind === "answered" ? report.answer.node : undefined;
    return node?.kind === "open" ? node.head : undefined;
  });
  const [first] = heads;
  const areReady = members.every(({ report }) => {
    const volume = report.kind === "answered" ? report.answer.volume : undefined;
    const change = volume?.kind === "intact" ? volume.change : undefined;
    const isProven = change?.kind === "joining" && (!change.copy || change.copy.proven === true);
    return isProven && change.settled === true && change.prepared === true;
  });
  return (
    word === "Stopped" &&
    isCertain === true &&
    (seen.chain === undefined || seen.chain.chainId === "rollup-1") &&
    (seen.last.kind === "silent" || seen.last.kind === "notYet") &&
    seen.silentMs >= 30_000 &&
    seen.membersStillMs >= 15_000 &&
    areReady &&
    first !== undefined &&
    heads.every((head) => head?.height === first.height && head.hash === first.hash) &&
    told.length > 0 &&
    told.every(({ height }) => height <= first.height)
  );
}

test("no copy is taken up but where the spec says so, and none goes on but from a block that the old sequencer told", () => {
  const seen = { taken: 0, proven: 0 };
  fc.assert(
    fc.property(drawn, ({ word, copies, shape }) => {
      for (const action of actionsOf(makePlan(migrating(shape)))) {
        const order = action.kind === "moveMember" ? action.order : undefined;
        if (order?.kind !== "join" || !order.copy) continue;
        expect([word === "gone", copies]).toEqual([false, "Accept"]);
        const { proven } = order.copy;
        expect(proven ? shape.old.asked : [proven]).toContainEqual(proven);
        seen[order.copy.proven ? "proven" : "taken"] += 1;
      }
    }),
    { numRuns: 300, seed: 7 },
  );
  expect(Math.min(seen.taken, seen.proven)).toBeGreaterThan(3);
});

test.each(["bootstrapped", "started"])("nor where members have begun: %s", (how) => {
  fc.assert(
    fc.property(drawn, ({ shape }) => {
      const [first, ...others] = shape.members;
      const begun =
        how === "bootstrapped"
          ? { ...shape, identity: { bootstrapped: 1 } }
          : { ...shape, members: [{ ...first, ...member(0) }, ...others] };
      const orders = actionsOf(makePlan(migrating(begun))).flatMap((action) =>
        action.kind === "moveMember" || action.kind === "order" ? action.order : [],
      );
      expect(orders.filter((order) => order.kind === "join" && order.copy)).toEqual([]);
    }),
    { numRuns: 60, seed: 8 },
  );
});

test("no member may start but where the word, the silence and the blocks all say so", () => {
  let starts = 0;
  fc.assert(
    fc.property(drawn, (one) => {
      const kinds = actionsOf(makePlan(migrating(one.shape))).map((action) =>
        action.kind === "order" || action.kind === "moveMember" ? action.order.kind : action.kind,
      );
      expect(kinds).not.toContain("start");
      if (!kinds.includes("markBootstrapped") && !kinds.includes("markClaim")) return;
      starts += 1;
      expect(mayStart(one)).toBe(true);
    }),
    { numRuns: 400, seed: 6 },
  );
  // Or the property would say nothing.
  expect(starts).toBeGreaterThan(10);
});
