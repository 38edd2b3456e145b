import { expect, test } from "vitest";
import { longestPause } from "../../src/agent/longest-pause.ts";
import { header } from "./headers.ts";

test("is between the two consecutive blocks whose times are the furthest apart", () => {
  const blocks = [header(4, 4_000), header(5, 5_000), header(6, 8_100), header(7, 9_000)];
  expect(longestPause(blocks)).toEqual({
    lastHeight: 5,
    lastHash: "hash-5",
    parentHash: "hash-5",
    firstHash: "hash-6",
    gapMs: 3_100,
  });
});

test("is the first of several that are equal, in whatever order the blocks come", () => {
  const blocks = [header(7, 3_000), header(6, 2_000), header(5, 1_000)];
  expect(longestPause(blocks)?.lastHeight).toBe(5);
});

test("tells of a block that is built on another one than this member holds", () => {
  const blocks = [header(5, 5_000), header(6, 6_000), header(7, 9_000, { lastHeaderHash: "elsewhere" })];
  expect(longestPause(blocks)).toMatchObject({ lastHeight: 6, lastHash: "hash-6", parentHash: "elsewhere" });
});

test.each([
  ["without a block", []],
  ["with blocks that are not consecutive", [header(4, 4_000), header(6, 6_000)]],
  [
    "when no hash is the one that the next block names: they are computed in another way",
    [5, 6, 7].map((height) => header(height, height * 1_000, { hash: "not so" })),
  ],
])("is not known %s", (_, blocks) => {
  expect(longestPause(blocks)).toBeUndefined();
});
