import { beforeEach, describe, expect, test } from "vitest";
import { type Board, newBoard } from "../../src/agent/board.ts";
import { CpuWatch, parseCpuStat } from "../../src/agent/cpu-watch.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { recordedLog } from "./recorded-log.ts";

let clock: VirtualClock;
let board: Board;
let watch: CpuWatch;
let text: string | undefined;

beforeEach(() => {
  clock = new VirtualClock();
  const settings = { member: "chain-0", podUid: "uid", maxBlocksBehind: 10, bootId: "boot" };
  board = newBoard(settings, clock, recordedLog());
  watch = new CpuWatch({ readCpuStat: async () => text, board, clock });
});

const stat = (periods: number, throttled: number) =>
  `usage_usec 100\nnr_periods ${periods}\nnr_throttled ${throttled}\nthrottled_usec 5\n`;

/** What is told after a look at each of these, ten seconds apart. */
async function sharesOf(texts: readonly (string | undefined)[]): Promise<readonly (number | undefined)[]> {
  const shares: (number | undefined)[] = [];
  for (const one of texts) {
    text = one;
    await watch.look();
    shares.push(board.answer().throttledShare);
    await clock.advance(10_000);
  }
  return shares;
}

test.each<[string, readonly (string | undefined)[], readonly (number | undefined)[]]>([
  ["nothing at first", [stat(100, 50)], [undefined]],
  [
    "the share since it was looked at first",
    [stat(100, 0), stat(200, 25), stat(300, 25)],
    [undefined, 0.25, 0.13],
  ],
  ["nothing where it cannot be seen", [undefined, ""], [undefined, undefined]],
  ["nothing where there is no limit", [stat(0, 0), stat(0, 0)], [undefined, undefined]],
  [
    "another container from its beginning on",
    [stat(100, 0), stat(200, 100), stat(10, 0), stat(110, 0)],
    [undefined, 1, undefined, 0],
  ],
  [
    "nothing of a container that is gone",
    [stat(100, 0), stat(200, 100), undefined],
    [undefined, 1, undefined],
  ],
])("the agent tells %s", async (_, texts, shares) => {
  expect(await sharesOf(texts)).toEqual(shares);
});

test("what is long ago counts no more", async () => {
  const shares = await sharesOf(
    Array.from({ length: 10 }, (_, at) => stat(at * 100, Math.min(at * 100, 200))),
  );
  expect(shares.at(-1)).toBe(0);
});

describe("cpu.stat", () => {
  test.each<[string, object | undefined]>([
    [stat(7, 3), { periods: 7, throttled: 3 }],
    [
      "nr_periods 7\nnr_throttled 3\nthrottled_time 9\nnr_bursts 0\nburst_time 0\n",
      { periods: 7, throttled: 3 },
    ],
    ["usage_usec 100\nuser_usec 50\nsystem_usec 50\n", undefined],
    ["", undefined],
  ])("%j", (written, counted) => {
    expect(parseCpuStat(written)).toEqual(counted);
  });
});
