import * as fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import type { AgentAnswer, BlockAnswer } from "../../src/model/agent-protocol.ts";
import type { Member } from "../../src/model/member.ts";
import type { Parting } from "../../src/model/parting.ts";
import type { AskBlock } from "../../src/observe/agent-client.ts";
import { Partings } from "../../src/observe/partings.ts";
import type { Difference } from "../../src/plan/fork.ts";
import { member } from "../builders.ts";
import { runningCluster } from "../fake/running-cluster.ts";
import { settle, VirtualClock } from "../runtime/virtual-clock.ts";

const KEY = "rollup/seq";
type Says = (height: number) => Awaited<ReturnType<AskBlock>> | "nothing";

const held = (hash: string): BlockAnswer => ({ kind: "held", hash });
const chain: Says = (height) => held(`a${height}`);
/** Another chain from this height on. */
const forkedFrom =
  (first: number): Says =>
  (height) =>
    held(height < first ? `a${height}` : `b${height}`);

let clock: VirtualClock;
let says: Says[];
let asked: number[];
let news: string[];
let partings: Partings;

const at = (ordinal: number): Member => member(ordinal, { pod: { ip: `10.0.0.${ordinal}` } });
const members = [at(0), at(1), at(2)];

beforeEach(() => {
  clock = new VirtualClock();
  says = [chain, chain, forkedFrom(18)];
  asked = [];
  news = [];
  const ask: AskBlock = async ({ ip }, height, signal) => {
    const ordinal = Number(ip.slice(-1));
    if (ordinal === 0) asked.push(height);
    const said = says[ordinal]?.(height) ?? "nothing";
    if (said !== "nothing") return said;
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error));
    });
  };
  partings = new Partings(ask, clock, (key) => news.push(key));
});

const look = (difference: Difference | undefined, isCertain = false, those = members) =>
  partings.look(KEY, { members: those, difference, isCertain });

/** Looks as reconciles do, until nothing is asked any more. */
async function lookFor(seconds: number, difference: Difference | undefined): Promise<Parting | undefined> {
  for (let second = 0; second < seconds; second += 1) {
    await look(difference);
    await settle();
    await clock.advance(1_000);
  }
  return look(difference);
}

const parted = (height: number, ...hashes: readonly string[]) => ({
  kind: "asked",
  height,
  blocks: hashes.map((hash, ordinal) => ({ member: `seq-${ordinal}`, hash })),
});
const seen: Difference = { height: 32, equalAt: 16 };

test("nobody is asked while nothing differs", async () => {
  expect(await lookFor(3, undefined)).toBeUndefined();
  expect(asked).toEqual([]);
});

test("a difference is narrowed down to the first height, beside the looks", async () => {
  expect(await look(seen)).toBeUndefined();
  await settle();
  expect(await look(seen)).toEqual(parted(18, "a18", "a18", "b18"));
  expect(asked).toEqual([32, 16, 24, 20, 18, 17]);
  expect(news).toEqual([KEY]);
});

test("a height at which others than those that differ are equal is no end of the search", async () => {
  expect(await lookFor(2, { height: 32, equalAt: 30 })).toEqual(parted(18, "a18", "a18", "b18"));
});

test("what was found is not looked for again, but now and then whether it is still so", async () => {
  await lookFor(14, seen);
  expect(asked).toEqual([32, 16, 24, 20, 18, 17]);
  await lookFor(40, seen);
  expect(asked.slice(6)).toEqual([18, 18, 18]);
});

test("it stays when the agents do not show it any more, and goes with the other block", async () => {
  await lookFor(2, seen);
  expect(await lookFor(20, undefined)).toEqual(parted(18, "a18", "a18", "b18"));
  says[2] = () => "nothing";
  expect(await lookFor(40, undefined)).toEqual(parted(18, "a18", "a18", "b18"));
  says[2] = chain;
  expect(await lookFor(40, undefined)).toBeUndefined();
  const count = asked.length;
  await lookFor(40, undefined);
  expect(asked.length).toBe(count);
});

test("a block that is pruned by now is nobody's", async () => {
  await lookFor(2, seen);
  says[2] = () => ({ kind: "pruned" });
  expect(await lookFor(20, undefined)).toBeUndefined();
});

test.each<[string, Member]>([
  ["the volume is gone", member(2, { pod: { ip: "10.0.0.2" }, claim: "none" })],
  ["it is another one", member(2, { pod: { ip: "10.0.0.2" }, claim: { uid: "another" } })],
  [
    "its agent says that it is empty",
    member(2, { pod: { ip: "10.0.0.2" }, says: { volume: { kind: "empty" } } }),
  ],
  ["there is no such member any more", member(1, { pod: { ip: "10.0.0.1" } })],
])("nor is one of which %s", async (_, now) => {
  await lookFor(2, seen);
  says[2] = () => "nothing";
  const looking = look(undefined, true, [at(0), at(1), now]);
  await settle();
  await clock.advance(1_000);
  expect(await looking).toBeUndefined();
});

test("a certain look asks now, and waits for the answer", async () => {
  expect(await look(seen, true)).toEqual(parted(18, "a18", "a18", "b18"));
  says[2] = chain;
  expect(await look(seen, true)).toBeUndefined();
});

test("one look asks for eight heights at most, and the next one goes on", async () => {
  says[2] = forkedFrom(1_000);
  const far: Difference = { height: 1_048_576, equalAt: 0 };
  await look(far, true);
  expect(asked.length).toBe(9);
  expect(await lookFor(5, far)).toEqual(parted(1_000, "a1000", "a1000", "b1000"));
  expect(asked.length).toBe(21);
});

test("who does not answer is waited for once, for a second", async () => {
  says[1] = () => "nothing";
  let isOver = false;
  const looking = look(seen, true).finally(() => {
    isOver = true;
  });
  await settle();
  await clock.advance(999);
  expect(isOver).toBe(false);
  await clock.advance(1);
  expect(await looking).toMatchObject({ height: 18, blocks: [{ member: "seq-0" }, { member: "seq-2" }] });
});

describe("what is not known is said", () => {
  const earlier = "the agent of seq-1 is of an earlier version, which does not tell single blocks";
  test.each<[string, Says[], Parting]>([
    [
      "an agent of an earlier version, and the others tell the same block",
      [chain, () => ({ kind: "cannot" }), chain],
      { kind: "notAsked", why: earlier },
    ],
    [
      "all tell the same block",
      [chain, chain, chain],
      { kind: "notAsked", why: "asked for block 32, they tell the same one" },
    ],
    [
      "one that differs pruned what is below",
      [chain, chain, (height) => (height < 30 ? { kind: "pruned" } : held(`b${height}`))],
      {
        ...parted(32, "a32", "a32", "b32"),
        open: "seq-2 has pruned block 16",
      } as Parting,
    ],
    [
      "one that differs does not tell what is below",
      [chain, chain, (height) => (height < 30 ? { kind: "unknown", why: "busy" } : held(`b${height}`))],
      {
        ...parted(32, "a32", "a32", "b32"),
        open: "seq-2 does not tell its block 16",
      } as Parting,
    ],
  ])("%s", async (_, what, expected) => {
    says = what;
    expect(await lookFor(3, seen)).toEqual(expected);
  });

  test("and looked for again later, from there on", async () => {
    says[2] = (height) =>
      16 < height && height < 20 ? { kind: "unknown", why: "busy" } : forkedFrom(20)(height);
    expect(await lookFor(3, seen)).toMatchObject({ height: 20, open: "seq-2 does not tell its block 18" });
    asked.length = 0;
    says[2] = forkedFrom(18);
    expect(await lookFor(20, seen)).toEqual(parted(18, "a18", "a18", "b18"));
    expect(asked).toEqual([18, 17, 18].slice(0, asked.length));
  });
});

test("a member that told nothing holds nobody up, if those that differ tell", async () => {
  says[1] = () => ({ kind: "unknown", why: "ev-node does not answer" });
  await lookFor(2, seen);
  expect(await look(seen)).toEqual({
    kind: "asked",
    height: 18,
    blocks: [
      { member: "seq-0", hash: "a18" },
      { member: "seq-2", hash: "b18" },
    ],
  });
});

test("a cluster that is gone is forgotten", async () => {
  await lookFor(2, seen);
  partings.forget(KEY);
  expect(await lookFor(20, undefined)).toBeUndefined();
});

test("wherever they part and whatever was known, the first height is found within the bound", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(100_000), fc.nat(100_000), fc.nat(100_000), async (equalAt, more, further) => {
      const first = equalAt + 1 + more;
      const difference = { height: first + further, equalAt };
      partings.forget(KEY);
      asked = [];
      says = [chain, forkedFrom(first), chain];
      let found: Parting | undefined;
      for (let count = 0; count < 4; count += 1) {
        await look(difference);
        await settle();
        found = await look(difference);
      }
      expect(found).toEqual(parted(first, `a${first}`, `b${first}`, `a${first}`));
      expect(asked.length).toBeLessThanOrEqual(3 + Math.ceil(Math.log2(difference.height - equalAt)));
    }),
    { numRuns: 50 },
  );
});

test("a snapshot has it as long as the agents, or the members when asked, show it", async () => {
  const running = await runningCluster();
  expect((await running.see()).parting).toBeUndefined();
  running.blockSays = async ({ ip }, height) => held(ip.endsWith("2") && height > 9 ? "b" : "a");
  const told = (id: string): Partial<AgentAnswer> => ({
    version: id,
    node: { kind: "open", isLeader: false, height: 100, checkpoints: [{ height: 16, id }] },
  });
  running.says.set("seq-1", told("x"));
  running.says.set("seq-2", told("y"));
  const certain = await running.look({ isCertain: true });
  const again = await running.look({ isCertain: true });
  expect([certain?.parting?.kind, again?.parting]).toEqual([undefined, parted(10, "a", "a", "b")]);
});
