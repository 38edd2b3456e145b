import { expect, test } from "vitest";
import {
  ABSENT_PATIENCE_MS,
  judgeLevel,
  type LevelView,
  type PeerLevel,
  SHORT_PATIENCE_MS,
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
  waitedMs: 1_000,
  stillMs: 1_000,
  ...changes,
});
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
    "stays while it lacks blocks, however long",
    { own: short, waitedMs: 1e9, stillMs: 1e9 },
    { kind: "stay", why: "lacks blocks 50 to 50 of its Raft log" },
  ],
  [
    "stays for a peer that lacks blocks",
    { peers: [level("b", 49, 50), level("c", 50, 50)] },
    { kind: "stay", why: "b still lack blocks" },
  ],
  ["stays for a peer whose height is not known", { peers: [level("b", undefined, 50)] }, { kind: "stay" }],
  [
    "does not stay for ever for a peer that lacks blocks",
    { peers: [level("b", 49, 50)], waitedMs: SHORT_PATIENCE_MS },
    { kind: "raft" },
  ],
  [
    "stays for an absent peer",
    { peers: [{ name: "b", kind: "absent" }, level("c", 50, 50)] },
    { kind: "stay", why: "waits for b" },
  ],
  [
    "does not stay for ever for an absent peer",
    { peers: [{ name: "b", kind: "absent" }, level("c", 50, 50)], waitedMs: ABSENT_PATIENCE_MS },
    { kind: "raft" },
  ],
  ["follows those that went to Raft", { peers: [{ name: "b", kind: "raft" }] }, { kind: "raft" }],
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
    { own: short, peers: [level("b", 50, 50), level("c", 49, 49)], stillMs: 1e9, waitedMs: 1e9 },
    { kind: "stay" },
  ],
  [
    "drops nothing while a peer is absent, which may have stored it",
    { own: short, peers: [level("b", 49, 50), { name: "c", kind: "absent" }], stillMs: 1e9, waitedMs: 1e9 },
    { kind: "stay" },
  ],
  [
    "drops nothing while a peer is in Raft, of which it is not known what it holds",
    { own: short, peers: [level("b", 49, 50), { name: "c", kind: "raft" }], stillMs: 1e9, waitedMs: 1e9 },
    { kind: "stay" },
  ],
])("a member %s", (_, changes, expected) => {
  expect(judgeLevel(view(changes))).toMatchObject(expected);
});
