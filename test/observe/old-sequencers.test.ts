import { beforeEach, describe, expect, test } from "vitest";
import type { Member } from "../../src/model/member.ts";
import type { OldSequencer, OldSequencerLook } from "../../src/model/old-sequencer.ts";
import { OldSequencers, type Outlook } from "../../src/observe/old-sequencers.ts";
import { cluster, member } from "../builders.ts";
import { runningCluster } from "../fake/running-cluster.ts";
import { takenOver } from "../migrating.ts";
import { settle, VirtualClock } from "../runtime/virtual-clock.ts";

const KEY = "rollup/seq";
const told = (height: number, hash?: string): OldSequencerLook => ({
  kind: "told",
  block: { height, ...(hash === undefined ? {} : { hash }) },
  chain: { chainId: "rollup-1" },
});
const refused: OldSequencerLook = { kind: "silent", why: "the connection is refused" };

let clock: VirtualClock;
let says: OldSequencerLook | "nothing";
let asked: string[];
let heights: (readonly number[])[];
let news: string[];
let outside: OldSequencers;

beforeEach(() => {
  clock = new VirtualClock();
  says = told(5, "e5");
  asked = [];
  news = [];
  heights = [];
  const ask = async (
    rpcAddress: string,
    signal: AbortSignal,
    wanted: readonly number[] = [],
  ): Promise<OldSequencerLook> => {
    asked.push(rpcAddress);
    heights.push(wanted);
    if (says !== "nothing") return says;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return { kind: "silent", why: "no connection within two seconds" };
  };
  outside = new OldSequencers(ask, clock, (key) => news.push(key));
});

const members: readonly Member[] = [member(0), member(1)];
const look = (over: Partial<Outlook> = {}): Promise<OldSequencer> =>
  outside.look(KEY, {
    rpcAddress: "http://old:7331",
    members,
    heights: [],
    isOver: false,
    isCertain: false,
    ...over,
  });

/** Looks once a second for so long, as reconciles do. */
async function lookFor(seconds: number, over: Partial<Outlook> = {}): Promise<OldSequencer> {
  for (let second = 0; second < seconds; second += 1) {
    await look(over);
    await settle();
    await clock.advance(1_000);
  }
  return look(over);
}

describe("a look at a cluster", () => {
  test("asks a sequencer outside where the spec names one, and only then", async () => {
    const running = await runningCluster();
    expect((await running.see()).oldSequencer).toBeUndefined();
    running.oldSequencerSays = told(5, "e5");
    running.api.put(cluster({ spec: takenOver("Running") }));
    await running.deliver();
    await running.see();
    await settle();
    expect((await running.see()).oldSequencer).toMatchObject({ last: told(5, "e5"), silentMs: 0 });
    running.api.put(cluster());
    await running.deliver();
    expect((await running.see()).oldSequencer).toBeUndefined();
  });
});

describe("the sequencer outside", () => {
  test("is asked beside the reconcile, which learns of it when it is known", async () => {
    expect((await look()).last).toEqual({ kind: "notYet" });
    await settle();
    expect(news).toEqual([KEY]);
    expect((await look()).last).toEqual(told(5, "e5"));
  });

  test("is asked every two seconds, and twice a minute once the members have started", async () => {
    await lookFor(10);
    expect(asked.length).toBe(6);
    asked.length = 0;
    await lookFor(60, { isOver: true });
    expect(asked.length).toBe(2);
  });

  test("keeps nobody waiting when it does not answer, and is given up after two seconds", async () => {
    says = "nothing";
    await look();
    expect((await look()).last).toEqual({ kind: "notYet" });
    await clock.advance(2_000);
    expect((await look()).last).toMatchObject({ kind: "silent" });
  });

  test("is asked anew and waited for by a look that is certain", async () => {
    await lookFor(1);
    says = refused;
    expect((await look({ isCertain: true })).last).toEqual(refused);
  });

  test("is not waited for once the members have started", async () => {
    says = "nothing";
    expect((await look({ isCertain: true, isOver: true })).last).toEqual({ kind: "notYet" });
  });

  test("counts as silent from the first of the looks that found nothing else since", async () => {
    says = refused;
    expect((await lookFor(20)).silentMs).toBe(18_000);
    says = told(6);
    expect((await lookFor(4)).silentMs).toBe(0);
    says = refused;
    expect((await lookFor(10)).silentMs).toBeLessThanOrEqual(10_000);
  });

  test("is not silent while somebody listens at its address", async () => {
    says = { kind: "listens", what: "an answer with HTTP status 502" };
    expect((await lookFor(20)).silentMs).toBe(0);
  });

  test("is remembered by the highest block that it told", async () => {
    await lookFor(3);
    says = told(5);
    await lookFor(3);
    says = told(4, "e4");
    await lookFor(3);
    says = refused;
    expect((await lookFor(3)).highest).toEqual({ height: 5, hash: "e5" });
  });

  test("is asked for single blocks until it told them, and they are remembered", async () => {
    const block = told(5);
    says = { ...block, asked: [{ height: 3, hash: "c3" }, { height: 9 }] } as OldSequencerLook;
    await lookFor(3, { heights: [3, 9] });
    says = { ...block, asked: [{ height: 9, hash: "c9" }] } as OldSequencerLook;
    await lookFor(3, { heights: [3, 9] });
    says = refused;
    const view = await lookFor(3, { heights: [3, 9] });
    expect(heights.slice(0, 2)).toEqual([[3, 9], [9]]);
    expect(view.asked).toEqual([
      { height: 3, hash: "c3" },
      { height: 9, hash: "c9" },
    ]);
  });

  test("is forgotten with its blocks when another chain is told under its address", async () => {
    await lookFor(3);
    says = { ...told(6), asked: [{ height: 3, hash: "c3" }] } as OldSequencerLook;
    await lookFor(3);
    says = { kind: "told", block: { height: 3 }, chain: { chainId: "rollup-2" } };
    await lookFor(3);
    says = refused;
    const { chain, highest, asked: blocks } = await lookFor(3);
    expect({ chain, highest }).toEqual({ chain: { chainId: "rollup-2" }, highest: { height: 3 } });
    expect(blocks).toEqual([]);
  });

  test("is another one under another address", async () => {
    await lookFor(3);
    const { last, highest } = await look({ rpcAddress: "http://other:7331" });
    expect({ last, highest }).toEqual({ last: { kind: "notYet" }, highest: undefined });
  });

  test("the members' blocks are still for as long as none of them has another one", async () => {
    expect((await lookFor(5)).membersStillMs).toBe(5_000);
    const moved = [member(0, { says: { node: { kind: "open", height: 101 } } }), member(1)];
    expect((await look({ members: moved })).membersStillMs).toBe(0);
  });

  test("what is under way ends when the operator stops", async () => {
    says = "nothing";
    await look();
    await outside.stop();
    expect(asked.length).toBe(1);
  });
});
