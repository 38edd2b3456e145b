import { expect, it } from "vitest";
import { longestGap } from "../../hack/measure/block-gaps.ts";
import { readElection } from "../../hack/measure/elections.ts";

const chain = (...times: readonly (readonly [number, number])[]) =>
  times.map(([height, timeMs]) => ({ height, timeMs }));

it("the longest gap is between two neighbours, in whatever order they were read", () => {
  expect(longestGap(chain([3, 1_700], [1, 0], [2, 200], [4, 1_900]))).toEqual({ ms: 1_500, afterHeight: 2 });
});

it("a block that was not read is no gap", () => {
  expect(longestGap(chain([1, 0], [2, 200], [9, 60_000]))).toEqual({ ms: 200, afterHeight: 1 });
  expect(longestGap(chain([1, 0], [9, 60_000]))).toBeUndefined();
});

const elected = (time: string) =>
  `2026-11-22T10:00:${time}Z [INFO]  raft: entering leader state: leader="Node"`;

it("an election is the first after the kill, in the time of the log's reader", () => {
  const log = [
    elected("01.250000001"),
    "2026-11-22T10:00:02Z other words",
    elected("03.500"),
    elected("09.000"),
  ];
  const killed = Date.UTC(2026, 10, 22, 10, 0, 2);
  expect(readElection(log.join("\n"), killed)).toBe(killed + 1_500);
  expect(readElection(log.join("\n"), killed + 60_000)).toBeUndefined();
});
