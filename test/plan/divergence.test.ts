import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { annotations } from "../../src/model/annotations.ts";
import { majorityOf } from "../../src/model/majority.ts";
import type { Member } from "../../src/model/member.ts";
import type { PodDisruptionBudget } from "../../src/model/objects.ts";
import type { Parting } from "../../src/model/parting.ts";
import { divergence, forkMessage } from "../../src/plan/divergence.ts";
import { compareBlocks, differenceOf } from "../../src/plan/fork.ts";
import { makePlan } from "../../src/plan/plan.ts";
import { objectKey, type Snapshot } from "../../src/plan/snapshot.ts";
import { briefAction } from "../brief.ts";
import {
  answer,
  brief,
  cluster,
  converged,
  evm,
  has,
  isClosed,
  leader,
  leads,
  type MemberShape,
  member,
  peer,
  present,
  snapshot,
} from "../builders.ts";

const approving = (name: string) =>
  cluster({ metadata: { annotations: { [annotations.approveRejoin]: name } } });

/** What the members hold at height 18, in the order of their ordinals. */
function parting(hashes: readonly (string | undefined)[], open?: string): Parting {
  const blocks = hashes.flatMap((hash, ordinal) => {
    return hash === undefined ? [] : [{ member: `seq-${ordinal}`, hash }];
  });
  return { kind: "asked", height: 18, blocks, ...(open === undefined ? {} : { open }) };
}

/** The disruption budget as its controller left it. */
function withBudget(seen: Snapshot, status: Partial<NonNullable<PodDisruptionBudget["status"]>>): Snapshot {
  const key = objectKey("PodDisruptionBudget", "seq");
  const budget = seen.objects.get(key) as PodDisruptionBudget;
  const rest = { currentHealthy: 3, desiredHealthy: 2, expectedPods: 3, observedGeneration: 1 };
  const looked = { ...budget, status: { ...rest, disruptionsAllowed: 1, ...status } };
  return { ...seen, objects: new Map([...seen.objects, [key, looked]]) };
}

interface Shape {
  readonly hashes?: readonly (string | undefined)[];
  readonly members?: readonly Member[];
  readonly approved?: string;
  readonly over?: Partial<Snapshot>;
  readonly budget?: Partial<NonNullable<PodDisruptionBudget["status"]>>;
}

const claimedAt = new Date(Date.UTC(2026, 0, 1)).toISOString();
const claimed = (name: string) => ({ disruptionsAllowed: 0, disruptedPods: { [name]: claimedAt } });
const three = [leader(0), member(1), member(2)];

/** seq-2 holds another block than the others, its owner approved the rebuild, and all else is well. */
function seenWith(shape: Shape = {}): Snapshot {
  const { hashes = ["a", "a", "b"], members = three, approved = "seq-2", over, budget } = shape;
  const seen = snapshot({
    isCertain: true,
    cluster: approving(approved),
    members,
    parting: parting(hashes),
    ...over,
  });
  return withBudget(seen, budget ?? claimed("seq-2"));
}

const decided = (seen: Snapshot): string[] => (divergence(seen).stages ?? []).flat().map(briefAction);
const rebuilds = ["order seq-2 rejoin"];
const seq2 = (shape: MemberShape): readonly Member[] => [leader(0), member(1), member(2, shape)];

const order = (id: string, forked?: true) =>
  JSON.stringify({ id, kind: "rejoin", epoch: 1, voters: [], anew: "all", ...(forked && { forked }) });
const FIRST = "rejoin-uid-of-seq-2";

describe("a single member that differs is rebuilt", () => {
  test.each<[string, Shape, readonly string[]]>([
    ["with its owner's approval", {}, rebuilds],
    ["after the disruption budget was claimed for it", { budget: {} }, ["budget for seq-2"]],
    ["not without approval", { approved: "" }, []],
    ["not with that for another one", { approved: "seq-1" }, []],
    ["while its ev-node runs, as long as it does not lead", { members: seq2({}) }, rebuilds],
    ["or ended", { members: seq2({ pod: { ready: false }, says: isClosed }) }, rebuilds],
    [
      "also where the order was cut off",
      { members: seq2(has({ kind: "damaged", message: "its blocks are of a fork" })) },
      rebuilds,
    ],
    ["not while it leads", { members: [member(0), member(1), leader(2)] }, []],
    ["not while nobody leads", { members: [member(0), member(1), member(2)] }, []],
    ["not while two lead", { members: [leader(0), leader(1), member(2)] }, []],
    [
      "not while another one takes no part",
      { members: [leader(0), member(1, { says: isClosed }), member(2)] },
      [],
    ],
    [
      "not while another one is silent",
      { members: [leader(0), member(1, { says: "nothing" }), member(2)] },
      [],
    ],
    ["not while its own agent is", { members: seq2({ says: "nothing" }) }, []],
    ["not while its pod is on its way out", { members: seq2({ pod: { terminating: true } }) }, []],
    ["not on a claim that is a new one", { members: seq2({ claim: { started: undefined } }) }, []],
    [
      "not on the volume of another one",
      { members: seq2(has({ kind: "foreign", message: "of another cluster" })) },
      [],
    ],
    [
      "not on its way to another membership",
      {
        members: seq2({
          says: { volume: { kind: "intact", epoch: 1, started: true, change: { kind: "frozen", to: 2 } } },
        }),
      },
      [],
    ],
    ["not while the budget is used for another one", { budget: claimed("seq-1") }, []],
    ["not while the budget has no room", { budget: { disruptionsAllowed: 0 } }, []],
    ["not in a cluster that is being deleted", { over: { cluster: deleted() } }, []],
    ["not before the first start", { over: { identity: present({ bootstrapped: undefined }) } }, []],
    ["not while another cluster has the chain", { over: { chainLock: { kind: "held", by: "x" } } }, []],
    ["not when the members were not asked", { over: { parting: { kind: "notAsked", why: "older" } } }, []],
    [
      "also where a lower height may be the first",
      { over: { parting: parting(["a", "a", "b"], "seq-2 has pruned block 9") } },
      rebuilds,
    ],
    [
      "again when its agent does not know of the order",
      {
        members: seq2({
          pod: { order: order(FIRST, true), orderGivenAt: new Date(Date.UTC(2025, 0, 1)).toISOString() },
        }),
      },
      rebuilds,
    ],
    [
      "in a pod in which it had lost its volume before",
      { members: seq2({ pod: { order: order(FIRST) }, says: { executedOrder: FIRST } }) },
      rebuilds,
    ],
    [
      "and its approval is used up by that",
      { members: seq2({ pod: { order: order(FIRST, true) }, says: { executedOrder: FIRST } }) },
      ["end approval of seq-2: used"],
    ],
  ])("%s", (_, shape, expected) => {
    expect(decided(seenWith(shape))).toEqual(expected);
  });

  test("by an order of its own, which ends ev-node and keeps its blocks aside", () => {
    const [given] = (divergence(seenWith()).stages ?? []).flat();
    expect(given).toMatchObject({ order: { id: FIRST, anew: "all", forked: true, epoch: 1 } });
  });

  test("on a look that is certain alone", () => {
    expect(divergence(seenWith({ over: { isCertain: false } }))).toEqual({ needsCertainty: true });
  });

  test("once: an order that stands on its pod is not given again", () => {
    const [given] = (divergence(seenWith()).stages ?? []).flat();
    const text = given?.kind === "order" ? JSON.stringify(given.order) : "none";
    expect(decided(seenWith({ members: seq2({ pod: { order: text } }) }))).toEqual([]);
  });

  test("not of an EVM chain, whose execution client has the other blocks", () => {
    const applied = { ...approving("seq-2"), spec: { ...cluster().spec, ...evm } };
    const seen = converged({ ...seenWith(), identity: present({ hasJwt: true }) }, applied);
    expect(decided(seen)).toEqual([]);
    expect(forkMessage(seen)).toContain("waits: the execution client of seq-2 has executed the other blocks");
  });
});

function deleted() {
  const { metadata } = approving("seq-2");
  return cluster({ metadata: { ...metadata, deletionTimestamp: claimedAt } });
}

test("nothing else is done while the chain has forked", () => {
  const waiting = member(2, has({ kind: "intact", epoch: 1, started: false }));
  const members = [leader(0), member(1), waiting];
  expect(brief(makePlan(seenWith({ members, approved: "" })))).toEqual([]);
  expect(brief(makePlan(seenWith()))).toEqual(["divergence: order seq-2 rejoin"]);
});

const START = "At height 18, seq-0, seq-1 hold block a, and seq-2 holds block b.";
const FIRST_HEIGHT = "It is the first height at which they differ.";
const STOP = "Stop sending transactions and keep all volumes.";
const APPROVE =
  "seq-2 alone differs from a majority. To rebuild it from the others, with its blocks kept on its volume: kubectl annotate --overwrite -n rollup evnodeclusters/seq evnode.dev/approve-rejoin=seq-2";

/** Its head is another block than that of all others who tell one. */
const headed = (hash: string) => ({
  says: { node: { ...answer("x").node, head: { height: 90, hash, timeMs: 1 } } } as const,
});

describe("what is told of a fork", () => {
  test.each<[string, Shape, string]>([
    ["one differs", { approved: "" }, `${START} ${FIRST_HEIGHT} ${STOP} ${APPROVE}`],
    [
      "from which height on is not known",
      { approved: "", over: { parting: parting(["a", "a", "b"], "seq-2 has pruned block 9") } },
      `${START} The first such height is not known: seq-2 has pruned block 9. ${STOP} ${APPROVE}`,
    ],
    [
      "approved, and something is in the way",
      { members: [member(0), member(1), member(2)] },
      `${START} ${FIRST_HEIGHT} ${STOP} seq-2 is approved to be rebuilt from the others, and waits: not exactly one member leads.`,
    ],
    ["approved", {}, `${START} ${FIRST_HEIGHT} ${STOP} seq-2 is approved to be rebuilt from the others.`],
    [
      "under way",
      { members: seq2({ pod: { order: order(FIRST, true) } }) },
      `${START} ${FIRST_HEIGHT} ${STOP} seq-2 is rebuilt from the others.`,
    ],
    [
      "done, and not heard of yet",
      { members: seq2({ pod: { order: order(FIRST, true) }, says: { executedOrder: FIRST } }) },
      `${START} ${FIRST_HEIGHT} ${STOP} seq-2 was rebuilt from the others, and has to tell the block that it holds there now.`,
    ],
    [
      "the one leads",
      { members: [member(0), member(1), leader(2)] },
      `${START} ${FIRST_HEIGHT} ${STOP} Nothing is rebuilt: seq-2 holds another block than a majority, and leads it: more is wrong than one member can explain.`,
    ],
    [
      "three different blocks",
      { hashes: ["a", "b", "c"] },
      `At height 18, seq-0 holds block a, and seq-1 holds block b, and seq-2 holds block c. ${FIRST_HEIGHT} ${STOP} Nothing is rebuilt: more than one member would have to be wrong.`,
    ],
    [
      "the others differ, too",
      {
        members: [
          member(0, { says: { node: { ...leads.node, head: { height: 90, hash: "y", timeMs: 1 } } } }),
          member(1, headed("x")),
          member(2),
        ],
      },
      `${START} ${FIRST_HEIGHT} ${STOP} Nothing is rebuilt: the others differ at another height.`,
    ],
    [
      "one against one",
      { hashes: ["a", undefined, "b"] },
      `At height 18, seq-0 holds block a, and seq-2 holds block b. ${FIRST_HEIGHT} ${STOP} Nothing is rebuilt: no majority is known to hold one block there.`,
    ],
  ])("%s", (_, shape, expected) => {
    expect(forkMessage(seenWith(shape))).toBe(expected);
  });

  test("that the members could not be asked", () => {
    const members = [leader(0), member(1, headed("aa")), member(2, headed("bb"))];
    const seen = snapshot({ members, parting: { kind: "notAsked", why: "the agent of seq-1 is older" } });
    expect(forkMessage(seen)).toBe(
      "At height 90, seq-1 holds block aa and seq-2 holds bb. The first such height is not known: the agent of seq-1 is older. Stop sending transactions and keep all volumes.",
    );
  });

  test("nothing, while none was seen", () => {
    expect(forkMessage(snapshot())).toBeUndefined();
  });
});

test("a fork that was found by asking is one for as long as that says so", () => {
  expect(compareBlocks(snapshot()).kind).toBe("nothing");
  expect(compareBlocks(snapshot({ parting: parting(["a", "a", "b"]) })).kind).toBe("forked");
});

test("the lowest height that differs is looked at, from the highest equal one below it on", () => {
  const told = (ids: Record<number, string>) => ({
    says: {
      node: {
        ...answer("x").node,
        checkpoints: Object.entries(ids).map(([height, id]) => ({ height: Number(height), id })),
      },
    } as const,
  });
  const members = [
    member(0, told({ 1: "a", 16: "b", 32: "c", 48: "d", 64: "e" })),
    member(1, told({ 16: "b", 48: "x", 32: "y", 64: "e" })),
    member(2, told({ 1: "a" })),
  ];
  expect(differenceOf({ members })).toEqual({ height: 32, equalAt: 16 });
  expect(differenceOf({ members: [members[0], members[2]].flatMap((one) => one ?? []) })).toBeUndefined();
});

test("whoever holds what, no more than one that does not lead is rebuilt, from a majority that agrees", () => {
  const hash = fc.constantFrom("a", "a", "a", "b", "c", undefined);
  const story = fc.record({
    hashes: fc.constantFrom(3, 5, 7).chain((size) => fc.array(hash, { minLength: size, maxLength: size })),
    lead: fc.nat(6),
    approved: fc.nat(6),
  });
  fc.assert(
    fc.property(story, ({ hashes, lead, approved }) => {
      const names = hashes.map((_, ordinal) => `seq-${ordinal}`);
      const members = names.map((name, ordinal) => {
        const peers = names.filter((other) => other !== name).map((other) => peer(other));
        return member(ordinal, { says: { ...(ordinal === lead ? leads : {}), peers } });
      });
      const over = { identity: present({ membership: { replicas: hashes.length, raftPort: 5001 } }) };
      const shape = {
        members,
        hashes,
        approved: `seq-${approved}`,
        over,
        budget: claimed(`seq-${approved}`),
      };
      const orders = decided(seenWith(shape));
      const own = hashes[approved];
      const counts = new Map(hashes.map((one) => [one, hashes.filter((other) => other === one).length]));
      counts.delete(undefined);
      const mayBe =
        own !== undefined &&
        counts.size === 2 &&
        counts.get(own) === 1 &&
        Math.max(...counts.values()) >= majorityOf(hashes.length) &&
        lead !== approved &&
        lead < hashes.length;
      expect(orders).toEqual(mayBe ? [`order seq-${approved} rejoin`] : []);
    }),
    { numRuns: 100 },
  );
});
