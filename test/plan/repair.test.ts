import { expect, test } from "vitest";
import type { Member } from "../../src/model/member.ts";
import { repair } from "../../src/plan/repair.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { briefAction } from "../brief.ts";
import { isClosed, leader, leads, type MemberShape, member, NOW_MS, snapshot } from "../builders.ts";

const heldBack = (lastLine: string, at = "2025-12-31T23:59:00Z") =>
  ({
    kind: "waiting",
    reason: "CrashLoopBackOff",
    message: "back-off 40s",
    lastExit: { code: 1, lastLine, at },
  }) as const;

/** Its agent has it start once more, as after it has levelled. */
function asked(message: string): MemberShape {
  const evnode = { ...heldBack("stopped"), message, lastExit: { code: 0, lastLine: "stopped" } } as const;
  return { pod: { evnode }, says: isDown() };
}
const lostLead: MemberShape = { pod: { evnode: heldBack("Error: leader lock lost") }, says: isClosed };
const away: MemberShape = { pod: { evnode: heldBack("Error: no such host") }, says: isDown() };

function isDown() {
  return { node: { kind: "closed", metricsPortOpen: false, raftPortOpen: false, sinceMs: 1 } } as const;
}

function cures(members: readonly Member[], over: Partial<Snapshot> = {}) {
  const { stages = [], needsCertainty, stop } = repair(snapshot({ members, isCertain: true, ...over }));
  expect(stop === true).toBe(stages.length > 0);
  return needsCertainty ? "looks again" : stages.flat().map(briefAction);
}

const rebuilt = {
  pod: {
    evnode: heldBack("Error: create log store: invalid database"),
    orderGivenAt: "2025-12-31T23:59:30.000Z",
  },
  says: { ...isDown(), executedOrder: "rejoin-uid-of-seq-2" },
};

const exitedAgain: MemberShape = {
  ...rebuilt,
  pod: { ...rebuilt.pod, orderGivenAt: "2025-12-31T23:58:30.000Z" },
};

test.each<[string, readonly Member[], readonly string[]]>([
  [
    "a member that led and is held back, with one other in Raft",
    [member(0, away), member(1, { says: isClosed }), member(2, lostLead)],
    ["deletion of seq-2"],
  ],
  [
    "not while the others are a majority, with or without a leader",
    [member(0, { says: isClosed }), member(1, { says: isClosed }), member(2, lostLead)],
    [],
  ],
  [
    "not while another is silent, and may be one of a majority",
    [member(0, { says: "nothing" }), member(1, { says: isClosed }), member(2, lostLead)],
    [],
  ],
  [
    "the first of those that have levelled after all had stopped, and wait for their next start",
    [
      member(0, asked("back-off 20s restarting")),
      member(1, asked("back-off 20s restarting")),
      member(2, asked("back-off 20s restarting")),
    ],
    ["deletion of seq-0"],
  ],
  [
    "not while they wait no longer than a new pod takes",
    [
      member(0, asked("back-off 10s restarting")),
      member(1, asked("back-off 10s restarting")),
      member(2, asked("back-off 10s restarting")),
    ],
    [],
  ],
  [
    "not one that was asked to end while the others are a majority",
    [
      member(0, { says: isClosed }),
      member(1, { says: isClosed }),
      member(2, asked("back-off 20s restarting")),
    ],
    [],
  ],
  [
    "not one that exits for another reason: Kubernetes is right to hold it back",
    [member(0, away), member(1, { says: isClosed }), member(2, away)],
    [],
  ],
  [
    "a member that was rebuilt and is held back",
    [leader(0), member(1), member(2, rebuilt)],
    ["deletion of seq-2"],
  ],
  ["not when it has exited again since", [leader(0), member(1), member(2, exitedAgain)], []],
  ["not before it was rebuilt", [leader(0), member(1), member(2, { ...rebuilt, says: isDown() })], []],
])("%s", (_, members, actions) => {
  expect(cures(members)).toEqual(actions);
});

test("it is decided on a certain snapshot", () => {
  expect(cures([leader(0), member(1), member(2, rebuilt)], { isCertain: false })).toBe("looks again");
});

const follows = (ageMs: number): MemberShape => ({
  says: {
    node: {
      kind: "open",
      isLeader: false,
      height: 100,
      head: { height: 100, hash: "aa", timeMs: NOW_MS - ageMs },
    },
  },
});
const silent = (sinceMs: number) =>
  ({ node: { kind: "closed", metricsPortOpen: true, raftPortOpen: true, sinceMs } }) as const;
const mute = (sinceMs: number): MemberShape => ({ says: silent(sinceMs) });

test.each<[string, readonly Member[], readonly string[]]>([
  [
    "the one that all others follow, and that serves nobody",
    [member(0, follows(90_000)), member(1, follows(90_000)), member(2, mute(60_000))],
    ["eviction of seq-2"],
  ],
  [
    "not while blocks come",
    [member(0, follows(1_000)), member(1, follows(1_000)), member(2, mute(60_000))],
    [],
  ],
  [
    "not before it had the time of an election",
    [member(0, follows(90_000)), member(1, follows(90_000)), member(2, mute(10_000))],
    [],
  ],
  [
    "not while another one serves nobody either",
    [member(0, follows(90_000)), member(1, mute(60_000)), member(2, mute(60_000))],
    [],
  ],
  [
    "not while its execution layer is behind, which it brings up before it makes a block",
    [
      member(0, follows(90_000)),
      member(1, follows(90_000)),
      member(2, { says: { ...silent(60_000), execution: { blocksBehind: 40, isEngineOpen: true } } }),
    ],
    [],
  ],
  [
    "not while one leads",
    [member(0, { says: leads }), member(1, follows(90_000)), member(2, mute(60_000))],
    [],
  ],
])("limbo: %s", (_, members, actions) => {
  expect(cures(members)).toEqual(actions);
});

const MADE_AT_MS = NOW_MS - 90_000;
const createdBefore = (ageMs: number) => ({ createdAt: new Date(NOW_MS - ageMs).toISOString() });

/** It took the lead so long ago. */
const idle = (leadsForMs: number, more: MemberShape = {}): MemberShape => {
  const node = { kind: "open", isLeader: true, height: 100, head: head(100) } as const;
  return {
    pod: createdBefore(300_000),
    ...more,
    says: { node, leadAgesMs: [200_000, leadsForMs], ...(typeof more.says === "object" ? more.says : {}) },
  };
};
const head = (height: number) => ({ height, hash: "aa", timeMs: MADE_AT_MS });
const at = (height: number, ageMs = 300_000): MemberShape => ({
  pod: createdBefore(ageMs),
  says: { node: { kind: "open", isLeader: false, height, head: head(height) } },
});

test.each<[string, readonly Member[], readonly string[]]>([
  [
    "that took the lead after the last block, which all have",
    [member(0, at(100)), member(1, at(100)), member(2, idle(70_000))],
    ["eviction of seq-2"],
  ],
  [
    "not one that made the last block itself: it may have a reason",
    [member(0, at(100)), member(1, at(100)), member(2, idle(95_000))],
    [],
  ],
  [
    "not before it had the time to begin",
    [member(0, at(100)), member(1, at(100)), member(2, idle(20_000))],
    [],
  ],
  [
    "not when its agent does not tell since when it leads",
    [member(0, at(100)), member(1, at(100)), member(2, idle(70_000, { says: { leadAgesMs: [] } }))],
    [],
  ],
  [
    "not a second time: its pod is newer than the last block",
    [member(0, at(100)), member(1, at(100)), member(2, idle(70_000, { pod: createdBefore(80_000) }))],
    [],
  ],
  [
    "whose pod came with those of all others after all had stopped",
    [
      member(0, at(100, 84_000)),
      member(1, at(100, 83_000)),
      member(2, idle(70_000, { pod: createdBefore(72_000) })),
    ],
    ["eviction of seq-2"],
  ],
  [
    "not the last one of those: the others were replaced since",
    [
      member(0, at(100, 40_000)),
      member(1, at(100, 5_000)),
      member(2, idle(70_000, { pod: createdBefore(80_000) })),
    ],
    [],
  ],
  [
    "not one that was made in place of another since",
    [
      member(0, at(100, 80_000)),
      member(1, at(100, 80_000)),
      member(2, idle(35_000, { pod: createdBefore(40_000) })),
    ],
    [],
  ],
  [
    "not when it holds a block that another lacks",
    [member(0, at(100)), member(1, at(99)), member(2, idle(70_000))],
    [],
  ],
  [
    "not while another does not follow it",
    [member(0, at(100)), member(1, mute(60_000)), member(2, idle(70_000))],
    [],
  ],
  [
    "not while its execution layer is behind",
    [
      member(0, at(100)),
      member(1, at(100)),
      member(2, idle(70_000, { says: { execution: { blocksBehind: 3, isEngineOpen: true } } })),
    ],
    [],
  ],
])("a leader without blocks: %s", (_, members, actions) => {
  expect(cures(members)).toEqual(actions);
});
