import { describe, expect, it } from "vitest";
import {
  guideDangersReport,
  outcomeOf,
  type Run,
} from "../../hack/measure/campaigns/guide-dangers-report.ts";
import { dangers } from "../../hack/measure/guide/dangers.ts";
import { describeFork, Ledger } from "../../hack/measure/guide/ledger.ts";

describe("the ledger of what was served", () => {
  it("has no fork while all serve the same, again and again", () => {
    const ledger = new Ledger();
    for (const node of ["node-1", "node-2", "node-1"]) ledger.see(node, 7, "aa");
    expect(ledger.forks()).toEqual([]);
    expect(ledger.top()).toBe(7);
  });

  it("tells every height with two blocks from the lowest on, also where one node served both", () => {
    const ledger = new Ledger();
    ledger.see("node-2", 9, "aa");
    ledger.see("node-2", 9, "bb");
    ledger.see("node-1", 8, "0123456789abcdef");
    ledger.see("node-3", 8, "cc");
    ledger.see("node-2", 8, "cc");
    expect(ledger.forks().map(describeFork)).toEqual([
      "block 8: 0123456789ab of node-1, cc of node-2 and node-3",
      "block 9: aa of node-2, bb of node-2",
    ]);
  });
});

const forked = (height: number) => ({
  height,
  blocks: [
    { hash: "aa", servedBy: ["node-1"] },
    { hash: "bb", servedBy: ["node-2"] },
  ],
});
const run = (over: Partial<Run> = {}): Run => ({
  danger: "empty ones",
  before: 12,
  after: 40,
  forks: [],
  deaths: [],
  heights: [40, 40],
  ...over,
});
const danger = { name: "empty ones", done: "all at once", forks: true, operator: "refuses" };

describe("the report of the guide's dangers", () => {
  it.each<[Partial<Run>, string]>([
    [{}, "went on"],
    [{ after: 12 }, "stood still"],
    [{ after: 12, forks: [forked(2)] }, "forked"],
  ])("%j is called: %s", (over, expected) => {
    expect(outcomeOf(run(over))).toBe(expected);
  });

  it("counts the runs of a variant, and says from where on the chain was made again", () => {
    const runs = [
      run(),
      run({ forks: [forked(2), forked(3)] }),
      run({ after: 12 }),
      run({ failed: "no start" }),
    ];
    const { tables, failures } = guideDangersReport([danger], runs);
    expect(tables[0]?.rows).toEqual([["empty ones", "3", "1", "1", "1", "2 of 12"]]);
    expect(tables[1]?.rows).toEqual([["empty ones", "refuses"]]);
    expect(failures).toEqual(["empty ones: no start"]);
  });

  it("counts what processes said at last, whatever its values", () => {
    const deaths = ["ab".repeat(16), "cd".repeat(16)].map((hash, index) => ({
      node: "node-1",
      code: 1,
      line: `diverged at height ${index}: ${hash}`,
    }));
    const { notes } = guideDangersReport([danger], [run({ forks: [forked(2)], deaths })]);
    expect(notes).toEqual([
      "empty ones: all at once.\n  run 1: block 2: aa of node-1, bb of node-2\n  2 ended by themselves: diverged at height …: …",
    ]);
  });

  it("fails where a forced variant forks in no run, and not where it is left to chance", () => {
    expect(guideDangersReport([danger], [run()]).failures).toEqual(["empty ones: no run of 1 forked"]);
    expect(guideDangersReport([{ ...danger, forks: false }], [run()]).failures).toEqual([]);
    expect(guideDangersReport([danger], []).failures).toEqual([]);
  });
});

it("each of the guide's dangers has another name", () => {
  expect(new Set(dangers.map(({ name }) => name)).size).toBe(dangers.length);
});
