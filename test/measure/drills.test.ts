import { expect, test } from "vitest";
import { type Drill, drillsReport } from "../../hack/measure/campaigns/drills-report.ts";

const drill = (over: Partial<Drill> = {}): Drill => ({
  members: 3,
  result: "Succeeded",
  message: "a stepped down and b leads.",
  toldGapMs: 600,
  seenGapMs: 600,
  blocksMissed: 2,
  tookMs: 4_000,
  ...over,
});

test("drills are told by the number of members", () => {
  const { tables, notes, failures } = drillsReport(
    [drill(), drill({ toldGapMs: 800, seenGapMs: 800, blocksMissed: 3 }), drill({ members: 5 })],
    "seq-2 has no pod",
    [],
  );
  expect(tables.map(({ rows }) => rows)).toEqual([
    [
      ["3", "2", "700 ms", "600 ms", "800 ms"],
      ["5", "1", "600 ms", "600 ms", "600 ms"],
    ],
    [
      ["3", "2", "700 ms", "600 ms", "800 ms"],
      ["5", "1", "600 ms", "600 ms", "600 ms"],
    ],
    [
      ["3", "2", "4.0 s", "4.0 s", "4.0 s"],
      ["5", "1", "4.0 s", "4.0 s", "4.0 s"],
    ],
    [
      ["3", "2", "2", "3"],
      ["5", "1", "1", "2"],
    ],
  ]);
  expect(notes).toEqual(["With a member down: seq-2 has no pod."]);
  expect(failures).toEqual([]);
});

test.each<[string, readonly Drill[], string | undefined, readonly string[]]>([
  [
    "a drill that was refused",
    [drill({ result: "Refused", message: "no member leads", toldGapMs: undefined })],
    "why",
    ["a drill of 3 members came out as Refused: no member leads"],
  ],
  [
    "a gap that nobody told",
    [drill({ toldGapMs: undefined, message: "it cannot tell" })],
    "why",
    ["a drill of 3 members has no gap: it cannot tell"],
  ],
  [
    "a gap that the blocks do not show",
    [drill({ seenGapMs: 400 })],
    "why",
    ["the gap is told as 600 ms, and the blocks show 400"],
  ],
  [
    "a gap of which the blocks were not read",
    [drill({ seenGapMs: undefined })],
    "why",
    ["the gap is told as 600 ms, and the blocks show none"],
  ],
  ["a drill with a member down", [drill()], undefined, ["a drill with a member down was not refused"]],
])("not as expected is %s", (_, drills, refusal, failures) => {
  expect(drillsReport(drills, refusal, []).failures).toEqual(failures);
});

test("what is wrong with the chain is a failure, too", () => {
  expect(drillsReport([drill()], "why", ["height 3 has two blocks"]).failures).toEqual([
    "height 3 has two blocks",
  ]);
});
