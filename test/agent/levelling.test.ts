import { expect, test } from "vitest";
import {
  type HeldView,
  judgeHeld,
  judgeLevel,
  type LevelView,
  type PeerLevel,
  STILL_MS,
} from "../../src/agent/levelling.ts";

const level = (name: string, height: number | undefined, loggedHeight: number | undefined): PeerLevel => ({
  name,
  kind: "level",
  height,
  loggedHeight,
});
const view = (changes: Partial<LevelView>): LevelView => ({
  own: { height: 50, loggedHeight: 50 },
  peers: [level("b", 50, 50), level("c", 50, 50)],
  stillMs: 1_000,
  ...changes,
});
const absent = (name: string): PeerLevel => ({ name, kind: "absent" });
const short = { height: 49, loggedHeight: 50 };

test.each<[string, Partial<LevelView>, object]>([
  ["goes to Raft when everybody holds the blocks of its log", {}, { kind: "raft" }],
  [
    "goes to Raft beside a leader, whatever it lacks",
    {
      own: short,
      peers: [
        { name: "b", kind: "leads" },
        { name: "c", kind: "absent" },
      ],
    },
    { kind: "raft", why: "b leads" },
  ],
  [
    "stays while ev-node has not told its height",
    { own: { height: undefined, loggedHeight: 50 } },
    { kind: "stay", why: "ev-node has not told its height yet" },
  ],
  ["stays while its log was not read", { own: { height: 50, loggedHeight: undefined } }, { kind: "stay" }],
  [
    "stays while it lacks blocks that nobody shows",
    { own: short, peers: [level("b", 49, 49), { name: "c", kind: "absent" }], stillMs: 1e9 },
    { kind: "stay", why: "lacks blocks 50 to 50 of its Raft log" },
  ],
  [
    "stays while the blocks that it lacks may be on their way",
    { own: short, stillMs: STILL_MS - 1 },
    { kind: "stay" },
  ],
  [
    "asks anew when it does not get what another has",
    { own: short, peers: [level("b", 49, 49), level("c", 50, 50)], stillMs: STILL_MS },
    { kind: "askAgain", why: "lacks blocks 50 to 50 of its Raft log, which c has" },
  ],
  [
    "goes to Raft with a majority, and leaves one that lacks blocks to the leader",
    { peers: [level("b", 49, 50), level("c", 50, 50)] },
    { kind: "raft" },
  ],
  [
    "goes to Raft with a majority without one that is absent",
    { peers: [level("b", 50, 50), absent("c")] },
    { kind: "raft" },
  ],
  ["follows one that went to Raft", { peers: [{ name: "b", kind: "raft" }, absent("c")] }, { kind: "raft" }],
  [
    "stays for those that lack blocks when it is no majority without them",
    { peers: [level("b", 49, 50), level("c", 49, 50)], stillMs: 1e9 },
    { kind: "stay", why: "waits for b, c" },
  ],
  [
    "stays for those whose heights are not known",
    { peers: [level("b", undefined, 50), level("c", 50, undefined)], stillMs: 1e9 },
    { kind: "stay", why: "waits for b, c" },
  ],
  [
    "stays alone",
    { peers: [absent("b"), absent("c")], stillMs: 1e9 },
    { kind: "stay", why: "waits for b, c" },
  ],
  [
    "of five needs two others",
    { peers: [level("b", 50, 50), level("c", 49, 50), absent("d"), absent("e")] },
    { kind: "stay", why: "waits for c, d, e" },
  ],
  [
    "drops what nobody stored once nothing moves",
    { own: short, peers: [level("b", 49, 50), level("c", 49, 49)], stillMs: STILL_MS },
    { kind: "dropAbove", height: 49 },
  ],
  [
    "drops nothing while something moves",
    { own: short, peers: [level("b", 49, 50), level("c", 49, 49)], stillMs: STILL_MS - 1 },
    { kind: "stay" },
  ],
  [
    "drops nothing that a peer holds",
    { own: short, peers: [level("b", 50, 50), level("c", 49, 49)], stillMs: 1e9 },
    { kind: "askAgain" },
  ],
  [
    "drops nothing while a peer is absent, which may have stored it",
    { own: short, peers: [level("b", 49, 50), absent("c")], stillMs: 1e9 },
    { kind: "stay" },
  ],
  [
    "drops nothing while a peer is in Raft, of which it is not known what it holds",
    { own: short, peers: [level("b", 49, 50), { name: "c", kind: "raft" }], stillMs: 1e9 },
    { kind: "stay" },
  ],
])("a member %s", (_, changes, expected) => {
  expect(judgeLevel(view(changes))).toMatchObject(expected);
});

const held = (changes: Partial<HeldView>): HeldView => ({
  ...view({}),
  highest: 50,
  stuckMs: 0,
  asked: 0,
  ...changes,
});

test.each<[string, Partial<HeldView>, object]>([
  ["stays with all the blocks that there are, also where it could go to Raft", {}, { kind: "stay" }],
  ["stays beside a leader", { peers: [{ name: "b", kind: "leads" }] }, { kind: "stay" }],
  [
    "stays while ev-node has not told its height",
    { own: { height: undefined, loggedHeight: 50 }, highest: 60, stillMs: 1e9 },
    { kind: "stay", why: "ev-node has not told its height yet" },
  ],
  ["stays while what it lacks may be on its way", { highest: 51, stillMs: STILL_MS - 1 }, { kind: "stay" }],
  [
    "asks anew when it does not get what another has",
    { highest: 52, stillMs: STILL_MS },
    { kind: "askAgain", why: "lacks blocks 51 to 52" },
  ],
  ["asks anew when it is stuck while others go on", { highest: 90, stuckMs: 15_000 }, { kind: "askAgain" }],
  ["asks less and less often", { highest: 52, stillMs: STILL_MS * 4 - 1, asked: 2 }, { kind: "stay" }],
  ["but never stops to ask", { highest: 52, stillMs: STILL_MS * 32, asked: 99 }, { kind: "askAgain" }],
  [
    "drops from its log what nobody stored",
    { own: short, highest: 49, peers: [level("b", 49, 49), level("c", 49, 50)], stillMs: STILL_MS },
    { kind: "dropAbove", height: 49 },
  ],
])("a member on its way to another membership %s", (_, changes, expected) => {
  expect(judgeHeld(held(changes))).toMatchObject(expected);
});
