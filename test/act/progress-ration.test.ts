import { beforeEach, expect, test } from "vitest";
import { ProgressRation } from "../../src/act/progress-ration.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";

const MINUTE_MS = 60_000;

let clock: VirtualClock;
let ration: ProgressRation;

beforeEach(() => {
  clock = new VirtualClock();
  ration = new ProgressRation(clock);
});

test("progress is told once a minute, from the last status that was written for another reason on", async () => {
  ration.wrote("rollup/seq");
  await clock.advance(MINUTE_MS - 1);
  expect(ration.take("rollup/seq")).toBe(false);
  await clock.advance(1);
  expect(ration.take("rollup/seq")).toBe(true);
  expect(ration.take("rollup/seq")).toBe(false);
  await clock.advance(MINUTE_MS);
  expect(ration.take("rollup/seq")).toBe(true);
});

test("a cluster that is seen for the first time waits its minute", async () => {
  expect(ration.take("rollup/seq")).toBe(false);
  await clock.advance(MINUTE_MS);
  expect(ration.take("rollup/seq")).toBe(true);
});

test("news in between make progress wait another minute", async () => {
  ration.wrote("rollup/seq");
  await clock.advance(MINUTE_MS / 2);
  ration.wrote("rollup/seq");
  await clock.advance(MINUTE_MS / 2);
  expect(ration.take("rollup/seq")).toBe(false);
});

test("tells how long it is until progress may be told", async () => {
  expect(ration.dueInMs("rollup/seq")).toBe(MINUTE_MS);
  ration.wrote("rollup/seq");
  await clock.advance(20_000);
  expect(ration.dueInMs("rollup/seq")).toBe(40_000);
  await clock.advance(MINUTE_MS);
  expect(ration.dueInMs("rollup/seq")).toBe(0);
});

test("all clusters together tell two a second, and the others a moment later", async () => {
  const keys = ["a", "b", "c", "d"];
  for (const key of keys) ration.wrote(key);
  await clock.advance(MINUTE_MS);
  expect(keys.map((key) => ration.take(key))).toEqual([true, true, false, false]);
  await clock.advance(1_000);
  expect(keys.map((key) => ration.take(key))).toEqual([false, false, true, true]);
});

test("a cluster is due when its minute is over", async () => {
  expect(ration.dueInMs("rollup/seq")).toBe(MINUTE_MS);
  ration.wrote("rollup/seq");
  await clock.advance(MINUTE_MS - 1);
  expect(ration.dueInMs("rollup/seq")).toBe(1);
  await clock.advance(2);
  expect(ration.dueInMs("rollup/seq")).toBe(0);
});

test("a cluster that has nothing to tell when it is due waits another minute, and no longer before", async () => {
  ration.wrote("rollup/seq");
  await clock.advance(MINUTE_MS / 2);
  ration.skip("rollup/seq");
  expect(ration.dueInMs("rollup/seq")).toBe(MINUTE_MS / 2);
  await clock.advance(MINUTE_MS / 2);
  ration.skip("rollup/seq");
  expect(ration.dueInMs("rollup/seq")).toBe(MINUTE_MS);
});

test("clusters that wait for the ration of all try again when the queue may be over, not every second", async () => {
  const keys = Array.from({ length: 50 }, (_, n) => `rollup/${n}`);
  for (const key of keys) ration.wrote(key);
  await clock.advance(MINUTE_MS);
  expect(keys.filter((key) => ration.take(key))).toHaveLength(2);
  expect(ration.dueInMs("rollup/49")).toBe(24_000);
  for (const key of keys.slice(0, 48)) ration.forget(key);
  expect(ration.dueInMs("rollup/49")).toBe(1_000);
});
