import { beforeEach, describe, expect, test } from "vitest";
import type { AgentAnswer } from "../../src/model/agent-protocol.ts";
import type { Question } from "../../src/observe/agent-client.ts";
import { Agents } from "../../src/observe/agents.ts";
import { answer } from "../builders.ts";
import { fixedRandom } from "../runtime/seeded-random.ts";
import { settle, VirtualClock } from "../runtime/virtual-clock.ts";

/** One question on its way, answered by the test. */
interface Asked extends Question {
  readonly ip: string;
  readonly signal: AbortSignal;
  readonly say: (over?: Partial<AgentAnswer>) => Promise<void>;
  readonly fail: (why: string) => Promise<void>;
}

let clock: VirtualClock;
let asked: Asked[];
let news: string[];
let agents: Agents;

beforeEach(() => {
  clock = new VirtualClock();
  asked = [];
  news = [];
  agents = new Agents(ask, clock, fixedRandom(0.5), (key) => news.push(key));
});

function ask(ip: string, question: Question, signal: AbortSignal): Promise<AgentAnswer> {
  return new Promise((resolve, reject) => {
    const say = (over: Partial<AgentAnswer> = {}) => {
      resolve(answer("seq-0", over));
      return settle();
    };
    const fail = (why: string) => {
      reject(new Error(why));
      return settle();
    };
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    asked.push({ ...question, ip, signal, say, fail });
  });
}

const target = { podUid: "uid-of-seq-0", ip: "10.0.0.1", clusterKey: "rollup/seq" };
const report = () => agents.report(target.podUid);
const version = () => {
  const known = report();
  return known.kind === "answered" ? known.answer.version : known.why;
};

/** The question that waits for an answer. */
function open(): Asked {
  const last = asked.at(-1);
  if (!last) throw new Error("nobody was asked");
  return last;
}

describe("the long poll", () => {
  test("asks at once, and then holds the question until the version changes", async () => {
    agents.follow(target);
    expect(open()).toMatchObject({ ip: "10.0.0.1", waitMs: 0 });
    expect(open().after).toBeUndefined();
    await open().say({ version: "a.1" });
    expect(open()).toMatchObject({ after: "a.1", waitMs: 30_000 });
    expect(asked).toHaveLength(2);
  });

  test("a new version is news for the cluster, once", async () => {
    agents.follow(target);
    await open().say({ version: "a.1" });
    await open().say({ version: "a.1" });
    expect(news).toEqual(["rollup/seq"]);
    await open().say({ version: "a.2" });
    expect(news).toEqual(["rollup/seq", "rollup/seq"]);
    expect(version()).toBe("a.2");
  });

  test("a member that falls silent is news, and silence that goes on is none", async () => {
    agents.follow(target);
    await open().say();
    await open().fail("connection refused");
    expect(version()).toBe("connection refused");
    expect(news).toHaveLength(2);
    await clock.advance(60_000);
    expect(news).toHaveLength(2);
  });

  test("a pod that never answered has no news either", async () => {
    agents.follow(target);
    await open().fail("connection refused");
    expect(news).toEqual([]);
  });

  test("an agent that answers again is asked anew, and is news", async () => {
    agents.follow(target);
    await open().say();
    await open().fail("connection refused");
    await clock.advance(312.5);
    expect(open()).toMatchObject({ waitMs: 0 });
    await open().say();
    expect(version()).toBe("a.1");
    expect(news).toHaveLength(3);
  });

  test("failures are spaced further and further apart, with jitter and up to a bound", async () => {
    agents.follow(target);
    const gaps: number[] = [];
    for (let n = 0; n < 7; n++) {
      const before = asked.length;
      await open().fail("connection refused");
      const failedMs = clock.monotonicMs();
      while (asked.length === before) await clock.advance(12.5);
      gaps.push(clock.monotonicMs() - failedMs);
    }
    // 250 ms, doubled each time up to 5 s, and a quarter of it on top: half of the jitter of one half.
    expect(gaps).toEqual([312.5, 625, 1_250, 2_500, 5_000, 6_250, 6_250]);
  });

  test("an answer ends the back-off", async () => {
    agents.follow(target);
    await open().fail("connection refused");
    await clock.advance(312.5);
    await open().say();
    await open().fail("connection refused");
    const before = asked.length;
    await clock.advance(312.5);
    expect(asked).toHaveLength(before + 1);
  });

  test("a path that is dead is given up soon after the agent should have answered", async () => {
    agents.follow(target);
    await clock.advance(2_999);
    expect(asked).toHaveLength(1);
    await clock.advance(1);
    expect(version()).toBe("no answer within 3000 ms");
    await clock.advance(312.5);
    await open().say();
    await clock.advance(32_999);
    expect(version()).toBe("a.1");
    await clock.advance(1);
    expect(version()).toBe("no answer within 33000 ms");
  });

  test("another pod that answers at this address says nothing about ours", async () => {
    agents.follow(target);
    await open().say({ podUid: "uid-of-another" });
    expect(version()).toBe("another pod answers at this address");
    expect(news).toEqual([]);
  });
});

describe("whom it follows", () => {
  test("following again changes nothing", async () => {
    agents.follow(target);
    agents.follow({ ...target });
    expect(asked).toHaveLength(1);
  });

  test("a pod with another address is asked there, and no longer at the old one", async () => {
    agents.follow(target);
    const [first] = asked;
    agents.follow({ ...target, ip: "10.0.0.2" });
    expect(first?.signal.aborted).toBe(true);
    expect(open().ip).toBe("10.0.0.2");
    expect(version()).toBe("not asked yet");
    await clock.advance(1);
    expect(asked).toHaveLength(2);
  });

  test("a pod that is gone is asked no more, and what it said is forgotten", async () => {
    agents.follow(target);
    await open().say();
    agents.unfollow(target.podUid);
    expect(version()).toBe("the pod has no address yet");
    await clock.advance(120_000);
    expect(asked).toHaveLength(2);
    expect(clock.pendingTimers).toBe(0);
    expect(news).toHaveLength(1);
  });

  test("stopping ends every poll, also one that waits after a failure", async () => {
    agents.follow(target);
    agents.follow({ podUid: "uid-of-seq-1", ip: "10.0.0.2", clusterKey: "rollup/seq" });
    await asked[0]?.fail("connection refused");
    await agents.stop();
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(120_000);
    expect(asked).toHaveLength(2);
  });

  test("a pod is new until its first question ended, well or not", async () => {
    expect(agents.isNew(target.podUid)).toBe(false);
    agents.follow(target);
    expect(agents.isNew(target.podUid)).toBe(true);
    await open().fail("connection refused");
    expect(agents.isNew(target.podUid)).toBe(false);
  });
});

describe("asking now", () => {
  const followAll = async () => {
    agents.follow(target);
    await open().say({ version: "a.1" });
    agents.follow({ podUid: "uid-of-seq-1", ip: "10.0.0.2", clusterKey: "rollup/seq" });
    await open().fail("connection refused");
    asked = [];
  };
  const uids = ["uid-of-seq-0", "uid-of-seq-1", "uid-of-nobody"];

  test("all are asked in parallel, with no wait, and those that are not followed are left out", async () => {
    await followAll();
    const done = agents.refresh(uids, 1_000);
    expect(asked.map(({ ip, waitMs, after }) => [ip, waitMs, after])).toEqual([
      ["10.0.0.1", 0, undefined],
      ["10.0.0.2", 0, undefined],
    ]);
    await Promise.all(asked.map(({ fail }) => fail("no")));
    await done;
  });

  test("a fresh answer replaces the old one, with the time at which it came", async () => {
    await followAll();
    await clock.advance(100);
    const done = agents.refresh(["uid-of-seq-0"], 1_000);
    await open().say({ version: "a.9" });
    await done;
    expect(report()).toMatchObject({ kind: "answered", atMs: 100, answer: { version: "a.9" } });
  });

  test("who does not answer a refresh in time keeps its last report", async () => {
    await followAll();
    const done = agents.refresh(["uid-of-seq-0"], 1_000);
    await clock.advance(1_000);
    await done;
    expect(version()).toBe("a.1");
  });

  test("who does not answer a confirmation in time counts as silent", async () => {
    await followAll();
    const done = agents.confirm(["uid-of-seq-0"], 1_000);
    await clock.advance(1_000);
    await done;
    expect(version()).toBe("no answer within 1000 ms");
  });

  test("the long poll that goes on meanwhile tells when the silent one is back", async () => {
    agents.follow(target);
    await open().say({ version: "a.1" });
    const poll = open();
    const done = agents.confirm(["uid-of-seq-0"], 1_000);
    await clock.advance(1_000);
    await done;
    news = [];
    await poll.say({ version: "a.1" });
    expect(version()).toBe("a.1");
    expect(news).toEqual(["rollup/seq"]);
  });
});
