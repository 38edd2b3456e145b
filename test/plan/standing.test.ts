import { expect, test } from "vitest";
import { standingOf } from "../../src/plan/standing.ts";
import {
  behind,
  closed,
  cutFrom,
  gone,
  leaderless,
  leads,
  says,
  silent,
  stopping,
  type Trait,
  type Traits,
} from "../member-traits.ts";
import { rolling } from "../rolling.ts";

const answersWith = (node: { readonly isLeader?: boolean; readonly height?: number }) =>
  says({ node: { kind: "open", ...node } });
const reach = (name: string, raft: object): Trait => {
  return (draft) => {
    if (draft.says === "nothing") return draft;
    const peers = draft.says.peers.map((one) => (one.name === name ? { ...one, raft: raft as never } : one));
    return { ...draft, says: { ...draft.says, peers } };
  };
};
const reachedAgo = (ageMs: number) => ({ kind: "reached", rttMs: 1, ageMs });
const toLeader = "seq-1 to seq-0 on Raft port 5001";

interface Case {
  readonly name: string;
  readonly follower: Traits;
  readonly leader?: Traits;
  readonly is: string;
}

const writes = (count: number, agoMs: number) => says({ raftLog: { writes: count, agoMs } });

const layer = (blocksBehind: number) => says({ execution: { blocksBehind, isEngineOpen: true } });

const cases: readonly Case[] = [
  {
    name: "one whose Raft log grows with the leader's takes part",
    follower: writes(2, 2_300),
    leader: [leads, writes(9, 300)],
    is: "takesPart",
  },
  {
    name: "one whose Raft log was written to once since its start is away, however level it is",
    follower: writes(1, 100),
    leader: [leads, writes(9, 100)],
    is: "away: the Raft log of seq-1 is not written to",
  },
  {
    name: "so is one whose Raft log stopped growing while the leader's goes on",
    follower: writes(9, 2_301),
    leader: [leads, writes(9, 300)],
    is: "away: the Raft log of seq-1 is not written to",
  },
  {
    name: "where the leader's own log does not grow either there is nothing to see it by",
    follower: writes(0, 60_000),
    leader: [leads, writes(1, 60_000)],
    is: "takesPart",
  },
  {
    name: "on a quiet chain one that got the last entry takes part",
    follower: writes(1, 41_000),
    leader: [leads, writes(9, 40_000)],
    is: "takesPart",
  },
  {
    name: "one that got it as the first after its start, a moment ago, is not known to get the next",
    follower: writes(1, 1_000),
    leader: [leads, writes(9, 1_000)],
    is: "away: the Raft log of seq-1 is not written to",
  },
  {
    name: "on a quiet chain one that was started after the last entry is waited for as long as entries are held back",
    follower: writes(0, 11_999),
    leader: [leads, writes(9, 40_000)],
    is: "away: the Raft log of seq-1 is not written to",
  },
  {
    name: "and then it takes part",
    follower: writes(0, 12_000),
    leader: [leads, writes(9, 40_000)],
    is: "takesPart",
  },
  {
    name: "but for one that did not get what the leader wrote since",
    follower: writes(0, 50_000),
    leader: [leads, writes(9, 40_000)],
    is: "away: the Raft log of seq-1 is not written to",
  },
  { name: "a member that answers, keeps up and is reached takes part", follower: [], is: "takesPart" },
  { name: "one without a pod is away", follower: gone, is: "away: seq-1 has no pod" },
  { name: "one whose pod stops is away", follower: stopping, is: "away: the pod of seq-1 stops" },
  {
    name: "what is silent is unknown",
    follower: silent,
    is: "unknown: the agent of seq-1 does not answer",
  },
  {
    name: "what an earlier pod of the name said is no answer",
    follower: says({ podUid: "uid-before" }),
    is: "unknown: the agent of seq-1 does not answer",
  },
  {
    name: "one that levels is away, whatever height it tells",
    follower: says({ mode: { kind: "level" } }),
    is: "away: seq-1 levels its blocks",
  },
  {
    name: "one whose ev-node does not run is away",
    follower: closed,
    is: "away: ev-node of seq-1 does not run",
  },
  {
    name: "so is one that knows no leader",
    follower: leaderless(),
    is: "away: ev-node of seq-1 runs, but knows no leader yet",
  },
  {
    name: "one that does not tell its role is unknown",
    follower: answersWith({ height: 100 }),
    is: "unknown: seq-1 does not say whether it leads",
  },
  {
    name: "one that does not tell its height too",
    follower: answersWith({ isLeader: false }),
    is: "unknown: seq-1 does not tell its height",
  },
  { name: "as far behind as is tolerated takes part", follower: behind(15), is: "takesPart" },
  {
    name: "further behind is away",
    follower: behind(16),
    is: "away: seq-1 is more than 15 blocks behind",
  },
  {
    name: "with its execution layer as far behind as is tolerated it takes part",
    follower: layer(15),
    is: "takesPart",
  },
  {
    name: "with that further behind it is away: as a leader it would make no block for a while",
    follower: layer(16),
    is: "away: the execution layer of seq-1 is more than 15 blocks behind",
  },
  {
    name: "where nobody knows how far that is, it is unknown",
    follower: says({ execution: { isEngineOpen: true } }),
    is: "unknown: seq-1 does not tell how far its execution layer is",
  },
  {
    name: "with an execution client that does not run it is away",
    follower: says({ execution: { isEngineOpen: false } }),
    is: "away: the execution client of seq-1 does not run",
  },
  {
    name: "one that cannot reach the leader on the Raft port is away",
    follower: cutFrom("seq-0"),
    is: `away: there is no path from ${toLeader}: no answer, as behind a firewall`,
  },
  {
    name: "so is one that the leader cannot reach",
    follower: [],
    leader: reach("seq-1", { kind: "refused", ageMs: 1 }),
    is: "away: there is no path from seq-0 to seq-1 on Raft port 5001: the connection is refused",
  },
  {
    name: "a host name without an address is no path",
    follower: reach("seq-0", { kind: "unresolved", ageMs: 1 }),
    is: `away: there is no path from ${toLeader}: the host name has no address`,
  },
  {
    name: "a path that was not tried yet is unknown",
    follower: reach("seq-0", { kind: "unknown" }),
    is: `unknown: the path from ${toLeader} was not tried yet`,
  },
  {
    name: "a member that is not among its peers too",
    follower: says({ peers: [] }),
    is: `unknown: the path from ${toLeader} was not tried yet`,
  },
  {
    name: "one that was reached five seconds ago is reached",
    follower: reach("seq-0", reachedAgo(5_000)),
    is: "takesPart",
  },
  {
    name: "earlier than that is not known",
    follower: reach("seq-0", reachedAgo(5_001)),
    is: `unknown: the path from ${toLeader} was not tried lately`,
  },
  {
    name: "a cut between two followers is nothing to the leader",
    follower: cutFrom("seq-2"),
    is: "takesPart",
  },
];

test.each(cases)("$name", ({ follower, leader: more = [], is }) => {
  const { members } = rolling({ members: [[leads, more].flat(), follower, []] });
  const [leader, member] = members;
  if (!leader || !member) throw new Error("there are members");
  const seen = standingOf(member, { leader, maxBlocksBehind: 15, raftPort: 5001 });
  expect(seen.kind === "takesPart" ? seen.kind : `${seen.kind}: ${seen.why}`).toBe(is);
});

test("the leader need not reach itself", () => {
  const { members } = rolling({ members: [leads, [], []] });
  const [leader] = members;
  if (!leader) throw new Error("there are members");
  expect(standingOf(leader, { leader, maxBlocksBehind: 15, raftPort: 5001 })).toEqual({ kind: "takesPart" });
});

test("what it says is the same while only its height moves", () => {
  const why = (blocks: number) => {
    const [leader, member] = rolling({ members: [leads, behind(blocks), []] }).members;
    if (!leader || !member) throw new Error("there are members");
    return standingOf(member, { leader, maxBlocksBehind: 15, raftPort: 5001 });
  };
  expect(why(41)).toEqual(why(42));
});

test("the leader is no exception with its execution layer", () => {
  const [leader] = rolling({ members: [[leads, layer(16)], [], []] }).members;
  if (!leader) throw new Error("there are members");
  expect(standingOf(leader, { leader, maxBlocksBehind: 15, raftPort: 5001 })).toEqual({
    kind: "away",
    why: "the execution layer of seq-0 is more than 15 blocks behind",
  });
});
