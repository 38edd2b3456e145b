import { describe, expect, test } from "vitest";
import { type Next, nextMember } from "../../src/plan/next-member.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { evm } from "../builders.ts";
import {
  agentRestarted,
  begun,
  behind,
  broken,
  closed,
  cutFrom,
  gone,
  leaderless,
  leads,
  notStarted,
  OLD,
  restarted,
  says,
  silent,
  stopping,
  type Traits,
  touched,
  unready,
  updated,
  waits,
} from "../member-traits.ts";
import { reverting, rolling, sceneIn } from "../rolling.ts";

/** Whom it names, or what it waits for, in short. */
function next(seen: Snapshot, asked?: string): string {
  const scene = sceneIn(seen);
  return brief(nextMember(scene, scene.target, asked));
}

function brief(one: Next): string {
  if (one.kind === "done") return "done";
  if (one.kind === "update") return `${one.member.name}${one.isBroken ? ", broken" : ""}: ${one.why}`;
  return `wait${one.isUpdatesFault ? ", the fault of the update" : one.isFine ? ", which is fine" : ""}: ${one.why}`;
}

interface Case {
  readonly name: string;
  readonly members: readonly Traits[];
  readonly next: string;
  readonly asked?: string;
}

const refused = says({ prepare: { kind: "refused", reason: "Config", message: "not for this version" } });
const notReady = says({ ready: { ok: false, message: "41 blocks behind seq-0", forMs: 1_000 } });
const readyFor = (forMs: number) => says({ ready: { ok: true, message: "in sync", forMs } });
const follows: Traits = [];

const absent: readonly Case[] = [
  {
    name: "a member without a pod is waited for",
    members: [leads, follows, gone],
    next: "wait, the fault of the update: seq-2 has no pod",
  },
  {
    name: "so is one whose pod stops",
    members: [leads, stopping, follows],
    next: "wait: the pod of seq-1 stops",
  },
  {
    name: "also while another one cannot run",
    members: [leads, gone, broken],
    next: "wait, the fault of the update: seq-1 has no pod",
  },
];

const failed: readonly Case[] = [
  {
    name: "an outdated member that ends again and again is updated before all others",
    members: [leads, broken, follows],
    next: "seq-1, broken: seq-1 does not run with image example.org/testapp:1: CrashLoopBackOff: back-off",
  },
  {
    name: "without a leader too, and whatever the others are",
    members: [broken, silent, closed],
    next: "seq-0, broken: seq-0 does not run with image example.org/testapp:1: CrashLoopBackOff: back-off",
  },
  {
    name: "so is one whose image is not to be had",
    members: [leads, follows, [waits("evnode", "ImagePullBackOff", "not found"), closed]],
    next: "seq-2, broken: seq-2 does not run with image example.org/testapp:1: ImagePullBackOff: not found",
  },
  {
    name: "one whose agent refuses its config",
    members: [leads, [refused, closed, waits("evnode", "PodInitializing")], follows],
    next: "seq-1, broken: seq-1 does not run with image example.org/testapp:1: not started: not for this version",
  },
  {
    name: "and one whose agent does not start, and so nothing else does",
    members: [
      leads,
      [waits("agent", "ErrImageNeverPull"), waits("evnode", "PodInitializing"), silent],
      follows,
    ],
    next: "seq-1, broken: seq-1 does not run with image example.org/testapp:1: ErrImageNeverPull: ",
  },
  {
    name: "a member that is silent is not broken",
    members: [leads, silent, follows],
    next: "wait: the agent of seq-1 does not answer",
  },
];

const waitsForOrder = [
  leaderless(30_000),
  says({ prepare: { kind: "waiting", for: "bootstrap", message: "waits for an order" } }),
];

const stuck: readonly Case[] = [
  {
    name: "when nobody leads, everybody answers and it has lasted, an outdated member is updated",
    members: [leaderless(30_000), leaderless(30_000), leaderless(30_000)],
    next: "seq-0, broken: seq-0 does not run with image example.org/testapp:1: ev-node's API is closed: it knows no leader",
  },
  {
    name: "not before it has lasted",
    members: [leaderless(29_999), leaderless(29_999), leaderless(29_999)],
    next: "wait: no member leads",
  },
  {
    name: "also when the third one is not in Raft: two of three could have elected a leader",
    members: [waitsForOrder, leaderless(30_000), leaderless(30_000)],
    next: "seq-1, broken: seq-1 does not run with image example.org/testapp:1: ev-node's API is closed: it knows no leader",
  },
  {
    name: "not when two are not in Raft: what is missing is a majority",
    members: [waitsForOrder, waitsForOrder, leaderless(30_000)],
    next: "wait: no member leads",
  },
  {
    name: "not while one is about to start: it may be what the majority lacks",
    members: [leaderless(30_000), leaderless(30_000), [leaderless(30_000), notStarted]],
    next: "wait: no member leads",
  },
  {
    name: "and not while one is silent: it may lead",
    members: [leaderless(30_000), leaderless(30_000), silent],
    next: "wait: no member leads",
  },
  {
    name: "also beside an updated member that cannot run because its volume was lost: that is not the update's fault",
    members: [
      leaderless(30_000),
      leaderless(30_000),
      [updated, broken, says({ volume: { kind: "damaged", message: "raft-log.db is damaged" } })],
    ],
    next: "seq-0, broken: seq-0 does not run with image example.org/testapp:1: ev-node's API is closed: it knows no leader",
  },
  {
    name: "nor when an updated member cannot run: that speaks against the update",
    members: [leaderless(30_000), leaderless(30_000), [updated, broken]],
    next: "wait: seq-2 does not run with image example.org/testapp:2: CrashLoopBackOff: back-off",
  },
];

/** While a change is taken back, what it made is outdated. */
const stuckOnTheWayBack: readonly Case[] = [
  {
    name: "a member that cannot run what all ran before holds back nobody",
    members: [broken, leaderless(30_000), [updated, leaderless(30_000)]],
    next: "seq-2, broken: seq-2 does not run with image example.org/testapp:2: ev-node's API is closed: it knows no leader",
  },
  {
    name: "but not before its restart with that is seen: it may run now",
    members: [
      [begun({ revision: OLD, given: true, container: "container-of-seq-0" }), broken],
      leaderless(30_000),
      [updated, leaderless(30_000)],
    ],
    next: "wait, the fault of the update: seq-0 does not run with image example.org/testapp:1: CrashLoopBackOff: back-off",
  },
  {
    name: "and not while the others are no majority",
    members: [broken, waitsForOrder, [updated, leaderless(30_000)]],
    next: "wait: seq-0 does not run with image example.org/testapp:1: CrashLoopBackOff: back-off",
  },
];

const back: readonly Case[] = [
  {
    name: "an updated member that does not take part is waited for, and to blame",
    members: [leads, follows, [updated, closed, unready()]],
    next: "wait, the fault of the update: seq-2 is not ready: ev-node does not run",
  },
  {
    name: "so is one that cannot run after it was touched",
    members: [leads, follows, [touched(), broken, unready()]],
    next: "wait, the fault of the update: seq-2 does not run with image example.org/testapp:2: CrashLoopBackOff: back-off",
  },
  {
    name: "one that is touched and takes part has not restarted yet",
    members: [leads, follows, touched()],
    next: "wait, the fault of the update: seq-2 restarts",
  },
  {
    name: "one that is not ready, in words without numbers",
    members: [leads, follows, [updated, notReady, unready()]],
    next: "wait, the fault of the update: seq-2 is not ready: … blocks behind seq-…",
  },
  {
    name: "also while nobody leads",
    members: [follows, follows, [updated, notReady, unready()]],
    next: "wait, the fault of the update: seq-2 is not ready: … blocks behind seq-…",
  },
  {
    name: "one that takes part for too short a time is not to blame",
    members: [leads, follows, [updated, readyFor(999)]],
    next: "wait, which is fine: seq-2 has to take part for some time",
  },
  {
    name: "one that has taken part for long enough is not waited for",
    members: [leads, follows, [updated, readyFor(1_000)]],
    next: "seq-1: a follower",
  },
];

const choice: readonly Case[] = [
  {
    name: "two that say that they lead",
    members: [leads, leads, follows],
    next: "wait: more than one member says that it leads",
  },
  { name: "nobody leads", members: [follows, follows, follows], next: "wait: no member leads" },
  {
    name: "another member is behind",
    members: [leads, behind(16), follows],
    next: "seq-1: seq-1 is more than 15 blocks behind",
  },
  {
    name: "two are behind",
    members: [leads, behind(16), behind(20)],
    next: "wait: seq-2 is more than 15 blocks behind",
  },
  {
    name: "another member is silent",
    members: [leads, silent, follows],
    next: "wait: the agent of seq-1 does not answer",
  },
  {
    name: "the member that is next is silent",
    members: [leads, follows, silent],
    next: "wait: the agent of seq-2 does not answer",
  },
  {
    name: "the Raft port of another member is cut off",
    members: [leads, cutFrom("seq-0"), updated],
    next: "seq-1: there is no path from seq-1 to seq-0 on Raft port 5001: no answer, as behind a firewall",
  },
  {
    name: "that of two is",
    members: [leads, cutFrom("seq-0"), cutFrom("seq-0")],
    next: "wait: there is no path from seq-2 to seq-0 on Raft port 5001: no answer, as behind a firewall",
  },
];

const order: readonly Case[] = [
  { name: "the highest follower is first", members: [leads, follows, follows], next: "seq-2: a follower" },
  { name: "then the next lower one", members: [leads, follows, updated], next: "seq-1: a follower" },
  { name: "also above the leader", members: [follows, leads, follows], next: "seq-2: a follower" },
  { name: "a leader in between is left out", members: [follows, leads, updated], next: "seq-0: a follower" },
  {
    name: "what was begun is finished before something else is",
    members: [leads, begun(), follows],
    next: "seq-1: a follower",
  },
  {
    name: "one that does not take part can lose nothing more",
    members: [leads, closed, begun()],
    next: "seq-1: ev-node of seq-1 does not run",
  },
  {
    name: "the leader is last",
    members: [leads, updated, updated],
    next: "seq-0: the leader, last",
  },
  {
    name: "when all were updated and take part, it is done",
    members: [[updated, leads], updated, updated],
    next: "done",
  },
];

const requests: readonly Case[] = [
  {
    name: "a member that is up to date is restarted when its owner asks for it",
    members: [[updated, leads], updated, updated],
    asked: "seq-1",
    next: "seq-1: asked for by its owner",
  },
  {
    name: "the leader too",
    members: [[updated, leads], updated, updated],
    asked: "seq-0",
    next: "seq-0: asked for by its owner",
  },
  {
    name: "not before those that are outdated",
    members: [[updated, leads], updated, follows],
    asked: "seq-1",
    next: "seq-2: a follower",
  },
  {
    name: "nor while another member is away",
    members: [[updated, leads], updated, [updated, silent]],
    asked: "seq-1",
    next: "wait: the agent of seq-2 does not answer",
  },
  {
    name: "nobody is restarted for a name that is no member's",
    members: [[updated, leads], updated, updated],
    asked: "seq-9",
    next: "done",
  },
];

describe.each<[string, readonly Case[]]>([
  ["R1: absent members", absent],
  ["R2: members that cannot run", failed],
  ["R2: members that are stuck", stuck],
  ["R3: updated members", back],
  ["R4 and R5: what is waited for", choice],
  ["R6 and R7: the order", order],
  ["R8: requests", requests],
])("%s", (_, cases) => {
  test.each(cases)("$name", ({ members, asked, next: wanted }) => {
    expect(next(rolling({ members }), asked)).toBe(wanted);
  });
});

describe("R2: members that are stuck on the way back", () => {
  test.each(stuckOnTheWayBack)("$name", ({ members, next: wanted }) => {
    expect(next(reverting({ members }))).toBe(wanted);
  });
});

test.each([5, 7] as const)("of %i members the highest follower is first, and one at a time", (replicas) => {
  const many = (last: Traits) => [leads, ...Array.from({ length: replicas - 2 }, () => []), last];
  const spec = { replicas };
  expect(next(rolling({ spec, members: many(follows) }))).toBe(`seq-${replicas - 1}: a follower`);
  expect(next(rolling({ spec, members: many(updated) }))).toBe(`seq-${replicas - 2}: a follower`);
  expect(next(rolling({ spec, members: many([updated, closed, unready()]) }))).toBe(
    `wait, the fault of the update: seq-${replicas - 1} is not ready: ev-node does not run`,
  );
});

test("a member that was touched for another template is outdated, whatever its revision says", () => {
  const before = touched({ revision: "seq-0-of-old" });
  expect(next(rolling({ members: [[updated, leads], updated, [updated, before]] }))).toBe(
    "seq-2: a follower",
  );
});

test("a follower that lags by what is made in a second and a half is level with the leader", () => {
  const lags = (blocks: number) => [[leads], [updated, behind(blocks)], [updated, behind(9)]] as const;
  expect(next(rolling({ members: lags(2) }))).toBe("seq-0: the leader, last");
  expect(next(rolling({ members: lags(3) }))).toBe("wait: no follower is level with seq-0, the leader");
  const spec = { chain: { id: "rollup-1", blockTime: "500ms" } };
  expect(next(rolling({ spec, members: lags(3) }))).toBe("seq-0: the leader, last");
});

test("the leader is not restarted while no follower's execution layer is level", () => {
  const layer = (blocksBehind: number) => says({ execution: { blocksBehind, isEngineOpen: true } });
  const lags = (blocks: number) => [leads, [updated, layer(blocks)], [updated, layer(9)]] as const;
  expect(next(rolling({ members: lags(2) }))).toBe("seq-0: the leader, last");
  expect(next(rolling({ members: lags(3) }))).toBe("wait: no follower is level with seq-0, the leader");
  expect(next(rolling({ members: lags(16) }))).toBe(
    "wait: the execution layer of seq-1 is more than 15 blocks behind",
  );
});

test("a member whose execution client cannot run, and so nothing after it does, is broken", () => {
  const waiting = (reason: string) =>
    ({ kind: "waiting", reason, message: "", lastExit: undefined }) as const;
  const seen = rolling({
    spec: evm,
    change: { execution: { ...evm.execution, image: "example.org/ev-reth:2" } },
  });
  const held = { evnode: waiting("PodInitializing"), execution: waiting("ImagePullBackOff") };
  const members = seen.members.map((one) =>
    one.name === "seq-1" && one.pod ? { ...one, pod: { ...one.pod, ...held } } : one,
  );
  expect(next({ ...seen, members })).toMatch(/^seq-1, broken: seq-1 does not run .*: ImagePullBackOff/);
});

test("on a fast chain no lag is seen that is made in a second and a half", () => {
  const spec = { chain: { id: "rollup-1", blockTime: "50ms" } };
  const lags = (blocks: number) => [[leads], [behind(blocks)], [updated, behind(9)]] as const;
  expect(next(rolling({ spec, members: lags(30) }))).toBe("seq-1: a follower");
  expect(next(rolling({ spec, members: lags(31) }))).toBe("seq-1: seq-1 is more than 30 blocks behind");
});

test.each<[string, readonly Traits[], string | undefined]>([
  ["R2", [leads, broken, follows], undefined],
  ["R6", [leads, follows, follows], undefined],
  ["R7", [leads, updated, updated], undefined],
  ["R8", [[updated, leads], updated, updated], "seq-0"],
])("who is updated is told with the rule: %s", (rule, members, asked) => {
  const scene = sceneIn(rolling({ members }));
  expect(nextMember(scene, scene.target, asked)).toMatchObject({ kind: "update", rule });
});

describe("a member whose config is gone with the Secret", () => {
  const without = (members: readonly Traits[]): Snapshot => {
    const seen = rolling({ members, change: { log: { level: "debug" } } });
    const isOld = ([entry]: [string, string]) => entry.startsWith("seq-2.");
    const objects = [...seen.objects].map(([key, object]) => {
      const { data } = object as { readonly data?: Record<string, string> };
      if (!data) return [key, object] as const;
      const kept = Object.entries(data).filter((entry) => !isOld(entry));
      return [key, { ...object, data: Object.fromEntries(kept) }] as const;
    });
    return { ...seen, objects: new Map(objects) };
  };

  test("is updated first when it does not run: that config cannot come back", () => {
    expect(next(without([follows, follows, waits("evnode", "PodInitializing")]))).toBe(
      "seq-2, broken: the config of seq-2 is gone",
    );
  });

  test("goes on while it runs", () => {
    expect(next(without([leads, follows, follows]))).toBe("seq-2: a follower");
  });

  test("waits when the whole Secret is not seen", () => {
    const seen = without([leads, follows, [waits("evnode", "PodInitializing"), closed]]);
    expect(next({ ...seen, objects: new Map() })).not.toContain("is gone");
  });
});

describe("while its ev-node runs, a member is not broken by", () => {
  const other = [leads, closed];
  test("the failure of its agent", () => {
    const seen = rolling({ members: [...other, [waits("agent", "CrashLoopBackOff"), silent]] });
    expect(next(seen)).toBe("wait: the agent of seq-2 does not answer");
  });

  test("the failure of an agent that is to be another one: it gets it, whatever the others do", () => {
    const settings = { ...rolling().settings, agentImage: "example.org/operator:2" };
    const seen = rolling({
      members: [...other, [waits("agent", "CrashLoopBackOff"), silent]],
      seen: { settings },
    });
    expect(next(seen)).toBe("seq-2: the agent of seq-2 does not run");
  });

  test("an agent of another version that refuses its config", () => {
    const seen = rolling({ members: [...other, [agentRestarted, refused, begun()]] });
    expect(next(seen)).toBe("seq-1: ev-node of seq-1 does not run");
  });
});

describe("an updated member that was well until now is not to blame at once", () => {
  const blamedSince = (traits: Traits) => {
    const seen = rolling({ members: [leads, [], traits] });
    const scene = sceneIn(seen);
    const one = nextMember(scene, scene.target, undefined);
    return one.kind === "wait" && one.sinceMs !== undefined ? seen.nowMs - one.sinceMs : 0;
  };

  test("when its agent missed one look", () => {
    expect(blamedSince([updated, silent])).toBeLessThan(300_000);
  });

  test("when its ev-node started a second ago, and its pod never stopped being ready", () => {
    expect(blamedSince([updated, restarted, closed])).toBeLessThan(300_000);
  });

  test("when its agent says so since a moment, however long its pod was ready", () => {
    expect(blamedSince([updated, closed])).toBe(1_000);
  });
});

test("a follower that knows no height but its own is not known to be level", () => {
  const peers = ["seq-0", "seq-2"].map((name) => ({
    name,
    raft: { kind: "reached", rttMs: 1, ageMs: 1 } as const,
    p2p: { kind: "unknown" } as const,
  }));
  const alone = [updated, says({ peers, node: { kind: "open", isLeader: false, height: 1 } })];
  expect(next(rolling({ members: [leads, alone, [updated, behind(9)]] }))).toMatch(/^wait/);
});
