import { expect, test } from "vitest";
import { Tally } from "../../../hack/sim/tally.ts";

test("a campaign tells which seeds failed, which faults there were, and which seed took longest", () => {
  const tally = new Tally();
  tally.add({ seed: 3, counts: [["node lost", 2]], virtualMs: 1_800_000, slowestMs: 40_000 });
  tally.add({ seed: 2, failure: "…", counts: [["node lost", 1]], virtualMs: 1_800_000, slowestMs: 90_000 });
  expect(tally.progress(10, 4)).toBe("2 of 10 seeds, 0.50 a second, 1 failed");
  expect(tally.hasFailures).toBe(true);
  expect(tally.summary(4).split("\n")).toEqual([
    "      3  node lost",
    "longest time until all was well: 90 s, in seed 2",
    "1.0 simulated hours in 4 s",
    "2 seeds, 0.50 a second, 1 failed: 2",
  ]);
});
