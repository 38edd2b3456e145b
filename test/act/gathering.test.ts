import { beforeEach, expect, test } from "vitest";
import { Gathering } from "../../src/act/gathering.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";

let clock: VirtualClock;
let gathering: Gathering;

beforeEach(() => {
  clock = new VirtualClock();
  gathering = new Gathering(clock);
});

test("news wait for a second from the first of them, however many follow", async () => {
  expect(gathering.mayWait("a")).toBe(true);
  await clock.advance(999);
  expect(gathering.mayWait("a")).toBe(true);
  expect(gathering.dueInMs("a")).toBe(1);
  await clock.advance(1);
  expect(gathering.mayWait("a")).toBe(false);
  expect(gathering.dueInMs("a")).toBe(0);
});

test("what is over does not count for what comes later", async () => {
  gathering.mayWait("a");
  await clock.advance(5_000);
  gathering.end("a");
  expect(gathering.dueInMs("a")).toBe(Number.POSITIVE_INFINITY);
  expect(gathering.mayWait("a")).toBe(true);
  expect(gathering.dueInMs("a")).toBe(1_000);
});

test("every cluster has a time of its own", async () => {
  gathering.mayWait("a");
  await clock.advance(1_000);
  expect([gathering.mayWait("a"), gathering.mayWait("b")]).toEqual([false, true]);
});
