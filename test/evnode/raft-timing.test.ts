import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkTiming,
  defaultTiming,
  isTooShort,
  type RaftTiming,
  timingFromRtt,
} from "../../src/evnode/raft-timing.ts";

function timing(heartbeat: number, election: number, lease: number, send: number): RaftTiming {
  return {
    heartbeatTimeoutMs: heartbeat,
    electionTimeoutMs: election,
    leaderLeaseTimeoutMs: lease,
    sendTimeoutMs: send,
  };
}

describe("raft timing from a round trip", () => {
  it.each([
    [0.2, timing(92, 368, 46, 50)],
    [10, timing(92, 368, 46, 50)],
    [16, timing(92, 368, 46, 50)],
    [25, timing(92, 368, 46, 50)],
    [25.3, timing(102, 408, 51, 76)],
    [26, timing(104, 416, 52, 78)],
    [80, timing(320, 1_280, 160, 240)],
    [250, timing(1_000, 4_000, 500, 750)],
  ])("for %d ms follows upstream's formulas above their floor", (rttMs, expected) => {
    expect(timingFromRtt(rttMs)).toEqual(expected);
  });

  it.each([0.01, 1, 5, 10, 24.9, 25])("up to 25 ms is exactly the row of ev-node's guide: %d ms", (rttMs) => {
    expect(timingFromRtt(rttMs)).toEqual(timing(92, 368, 46, 50));
  });

  it("breaks no rule for any round trip, and is never shorter than the floor", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 10_000, noNaN: true }), (rttMs) => {
        const result = timingFromRtt(rttMs);
        expect(checkTiming(result)).toEqual([]);
        expect(result.heartbeatTimeoutMs).toBeGreaterThanOrEqual(92);
        expect(result.electionTimeoutMs).toBeGreaterThanOrEqual(368);
        expect(result.leaderLeaseTimeoutMs).toBeGreaterThanOrEqual(46);
        expect(result.sendTimeoutMs).toBeGreaterThanOrEqual(50);
      }),
    );
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("refuses a round trip of %d ms", (rttMs) => {
    expect(() => timingFromRtt(rttMs)).toThrow(RangeError);
  });
});

describe("time-outs that are too short for a round trip", () => {
  it.each<[string, number, number, number, boolean]>([
    ["four and two round trips are enough", 400, 200, 100, false],
    ["a shorter heartbeat is too short", 399, 200, 100, true],
    ["a shorter lease is too short", 400, 199, 100, true],
    ["what the formulas give for it is enough", 401, 200, 100.1, false],
    ["the row of a fast network is enough for it", 92, 46, 25, false],
    ["and too short for a slower one", 92, 46, 26, true],
    ["shorter ones do where the network is faster still", 40, 20, 10, false],
    ["but not below four round trips", 39, 20, 10, true],
  ])("%s", (_, heartbeat, lease, rttMs, isShort) => {
    const given = { heartbeatTimeoutMs: heartbeat, leaderLeaseTimeoutMs: lease };
    expect(isTooShort(given, rttMs)).toBe(isShort);
  });

  it("are never those that are computed from it", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 10_000, noNaN: true }), (rttMs) => {
        expect(isTooShort(timingFromRtt(rttMs), rttMs)).toBe(false);
      }),
    );
  });
});

describe("the rules of raft timing", () => {
  it("hold for ev-node's defaults", () => {
    expect(defaultTiming).toEqual(timing(350, 1_000, 175, 200));
    expect(checkTiming(defaultTiming)).toEqual([]);
  });

  it("hold at their very limits", () => {
    expect(checkTiming(timing(5, 5, 5, 1))).toEqual([]);
  });

  it.each([
    [timing(4, 1_000, 4, 200), "the heartbeat time-out must be a whole number of at least 5 ms, not 4 ms"],
    [timing(350, 4, 175, 200), "the election time-out must be a whole number of at least 5 ms, not 4 ms"],
    [
      timing(350, 1_000, 4, 200),
      "the leader lease time-out must be a whole number of at least 5 ms, not 4 ms",
    ],
    [timing(350, 1_000, 175, 0), "the send time-out must be a whole number of at least 1 ms, not 0 ms"],
    [
      timing(350, 1_000.5, 175, 200),
      "the election time-out must be a whole number of at least 5 ms, not 1000.5 ms",
    ],
    [
      timing(100, 1_000, 175, 200),
      "the leader lease time-out (175 ms) must not exceed the heartbeat time-out (100 ms)",
    ],
    [
      timing(2_000, 1_000, 175, 200),
      "the heartbeat time-out (2000 ms) must not exceed the election time-out (1000 ms)",
    ],
  ])("refuse %o", (broken, problem) => {
    expect(checkTiming(broken)).toContain(problem);
  });
});
