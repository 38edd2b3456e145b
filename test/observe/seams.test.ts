import { beforeEach, expect, test } from "vitest";
import type { BlockAnswer } from "../../src/model/agent-protocol.ts";
import type { Member } from "../../src/model/member.ts";
import type { AskBlock } from "../../src/observe/agent-client.ts";
import { Partings } from "../../src/observe/partings.ts";
import { isClosed, type MemberShape, member } from "../builders.ts";
import { settle, VirtualClock } from "../runtime/virtual-clock.ts";

const KEY = "rollup/seq";
const SEAM = 1_846;

type Says = (height: number) => BlockAnswer;
const held = (hash: string): BlockAnswer => ({ kind: "held", hash });
const chain: Says = (height) => held(`a${height}`);
/** What a leader made before it fell, and nobody else has. */
const withOneOther: Says = (height) => held(height === SEAM ? "other" : `a${height}`);

let clock: VirtualClock;
let says: Says[];
let asked: number[];
let news: number;
let partings: Partings;

beforeEach(() => {
  clock = new VirtualClock();
  says = [chain, chain, chain];
  asked = [];
  news = 0;
  const ask: AskBlock = async ({ ip }, height) => {
    const ordinal = Number(ip.slice(-1));
    if (ordinal === 0) asked.push(height);
    return says[ordinal]?.(height) ?? { kind: "unknown", why: "nothing is said" };
  };
  partings = new Partings(ask, clock, () => {
    news += 1;
  });
});

const at = (ordinal: number, more: MemberShape = {}): Member =>
  member(ordinal, { pod: { ip: `10.0.0.${ordinal}` }, ...more });
const handover = {
  lastHeight: SEAM - 1,
  lastHash: `a${SEAM - 1}`,
  parentHash: `a${SEAM - 1}`,
  firstHash: `a${SEAM}`,
  gapMs: 700,
  ageMs: 1_000,
};
const members = [at(0), at(1, { says: { handover } }), at(2)];

async function lookFor(seconds: number, those: readonly Member[] = members) {
  const look = () => partings.look(KEY, { members: those, difference: undefined, isCertain: false });
  for (let second = 0; second < seconds; second += 1) {
    await look();
    await settle();
    await clock.advance(1_000);
  }
  return look();
}

test("the first block of a new leader is compared once", async () => {
  expect(await lookFor(60)).toBeUndefined();
  expect([asked, news]).toEqual([[SEAM], 0]);
});

test("nobody is asked before a leader told where it went on", async () => {
  await lookFor(60, [at(0), at(1), at(2)]);
  expect(asked).toEqual([]);
});

test("a single block that a fallen leader left on one member is found", async () => {
  says[2] = withOneOther;
  expect(await lookFor(3)).toMatchObject({
    kind: "asked",
    height: SEAM,
    blocks: [{ hash: `a${SEAM}` }, { hash: `a${SEAM}` }, { member: "seq-2", hash: "other" }],
  });
  expect(news).toBeGreaterThan(0);
});

test("and is over once that member holds the block of the others", async () => {
  says[2] = withOneOther;
  await lookFor(3);
  says[2] = chain;
  expect(await lookFor(40)).toBeUndefined();
  const count = asked.length;
  await lookFor(40);
  expect(asked.length).toBe(count);
});

test("it is waited for a member that is away, and then asked of all", async () => {
  says[2] = withOneOther;
  await lookFor(30, [at(0), at(1, { says: { handover } }), at(2, { says: isClosed })]);
  expect(asked).toEqual([]);
  expect(await lookFor(3)).toMatchObject({ kind: "asked", height: SEAM });
});

test("who does not tell its block is asked again, but not for ever", async () => {
  says[2] = () => ({ kind: "unknown", why: "ev-node has not come so far" });
  await lookFor(600);
  expect(asked.length).toBe(20);
});

test("a pruned block is nobody's", async () => {
  says[2] = () => ({ kind: "pruned" });
  expect(await lookFor(60)).toBeUndefined();
  expect(asked).toEqual([SEAM]);
});
