import { describe, expect, test } from "vitest";
import type { AgentAnswer } from "../../src/model/agent-protocol.ts";
import { annotations } from "../../src/model/annotations.ts";
import { leaderChanges, stabilityFinding, TOLERATED_CHANGES } from "../../src/plan/leadership-stability.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { peer, snapshot } from "../builders.ts";
import { leads, says, silent, type Trait, type Traits, timeAgo, updated } from "../member-traits.ts";
import { completedRecord, type RollingShape, rolling } from "../rolling.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** It took the lead so many minutes ago. */
const took = (...minutes: readonly number[]): Trait =>
  says({ leadAgesMs: minutes.map((each) => each * MINUTE_MS) });
const finished = {
  ...completedRecord,
  startedAt: timeAgo(50 * MINUTE_MS),
  finishedAt: timeAgo(40 * MINUTE_MS),
};

function cluster(first: readonly Trait[], rest: Traits = took(), shape: RollingShape = {}): Snapshot {
  const others = [updated, ...[rest].flat()];
  return rolling({
    record: finished,
    members: [[updated, leads, ...first], others, [updated, took()]],
    ...shape,
  });
}

const drilled = (minutes: number) => ({
  annotations: {
    [annotations.lastDrill]: JSON.stringify({
      version: 1,
      kind: "failed",
      request: "monday",
      at: timeAgo(minutes * MINUTE_MS),
      from: "seq-0",
      message: "",
    }),
  },
});

test.each<[string, Snapshot, string]>([
  ["changes that nobody tells of", snapshot(), "ChangesUnknown"],
  ["one election", cluster([took(59)]), "LeadershipKept"],
  ["as many changes as are tolerated", cluster([took(1, 2, 3)], took(4, 5)), "LeadershipKept"],
  ["more than that", cluster([took(1, 2, 3)], took(4, 5, 6)), "LeadershipFlaps"],
  ["changes that are more than an hour ago", cluster([took(1, 2, 3)], took(61, 62, 63)), "LeadershipKept"],
  ["changes within the last rollout", cluster([took(1, 2, 3)], took(41, 45, 49)), "LeadershipKept"],
  ["changes right after it", cluster([took(1, 2, 3)], took(39.5, 45, 49)), "LeadershipKept"],
  ["changes before it", cluster([took(1, 2, 3)], took(51, 52, 53)), "LeadershipFlaps"],
  ["a change by the last drill", cluster([took(1, 2, 3)], took(4, 5, 19.5), drilled(20)), "LeadershipKept"],
  [
    "changes besides the last drill",
    cluster([took(1, 2, 3)], took(4, 5, 15), drilled(20)),
    "LeadershipFlaps",
  ],
  ["the word of those that answer", cluster([took(1, 2, 3, 4, 5, 6)], silent), "LeadershipFlaps"],
])("%s", (_, seen, reason) => {
  expect(stabilityFinding(seen).reason).toBe(reason);
});

test("what is counted is told, explained or not", () => {
  expect(leaderChanges(cluster([took(1, 45)], took(30, 61)))).toBe(3);
  expect(leaderChanges(snapshot())).toBeUndefined();
});

test("an age goes on while nobody asks", () => {
  const seen = cluster([took(59)]);
  expect(leaderChanges(seen)).toBe(1);
  expect(leaderChanges({ ...seen, monotonicMs: seen.monotonicMs + 2 * MINUTE_MS })).toBe(0);
  expect(HOUR_MS).toBe(60 * MINUTE_MS);
});

describe("why it flaps", () => {
  const often = took(...Array.from({ length: TOLERATED_CHANGES + 1 }, (_, at) => at));
  const slow = (name: string, rttMs: number): AgentAnswer["peers"][number] =>
    peer(name, { height: 100, raft: { kind: "reached", rttMs, ageMs: 1 } });
  const far = says({ peers: [slow("seq-0", 251), slow("seq-2", 249)] });

  test.each<[string, Snapshot, string]>([
    ["names the members that take part", cluster([often]), "3 of 3 members take part, 2 are needed."],
    [
      "and those that do not",
      cluster([often], silent),
      "2 of 3 members take part, 2 are needed; missing are seq-1.",
    ],
    [
      "names paths that are too slow for the time-outs",
      cluster([often], far),
      "A round trip takes more than a quarter of the heartbeat time-out: seq-1 to seq-0.",
    ],
    [
      "names members that their CPU limit holds back",
      cluster([often, says({ throttledShare: 0.05 })], says({ throttledShare: 0.06 })),
      "The CPU limit holds back seq-1.",
    ],
  ])("%s", (_, seen, text) => {
    const { reason, message } = stabilityFinding(seen);
    expect(reason).toBe("LeadershipFlaps");
    expect(message).toContain(text);
    expect(message).not.toMatch(/\d ms|%/);
  });
});
