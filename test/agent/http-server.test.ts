import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Board, newBoard } from "../../src/agent/board.ts";
import { type AgentServer, startServer } from "../../src/agent/http-server.ts";
import { agentAnswerSchema, type BlockAnswer, blockAnswerSchema } from "../../src/model/agent-protocol.ts";
import { settle, VirtualClock } from "../runtime/virtual-clock.ts";
import { closedNode, inSync, NOW, openNode } from "./findings.ts";
import { recordedLog } from "./recorded-log.ts";
import { until } from "./until.ts";

let clock: VirtualClock;
let board: Board;
let server: AgentServer;
let problem: string | undefined;
let isClosed: boolean;
let blockAt: (height: number) => Promise<BlockAnswer>;

beforeEach(async () => {
  clock = new VirtualClock();
  await clock.advance(NOW);
  board = newBoard(
    { member: "chain-0", podUid: "uid-0", maxBlocksBehind: 10, bootId: "boot" },
    clock,
    recordedLog(),
  );
  problem = undefined;
  isClosed = false;
  blockAt = async () => ({ kind: "pruned" });
  server = await startServer(0, { board, clock, stuck: () => problem, blockAt: (height) => blockAt(height) });
});
afterEach(async () => {
  if (!isClosed) await closeServer();
});

async function closeServer(): Promise<void> {
  isClosed = true;
  const closed = server.close();
  await settle();
  await clock.advance(200);
  await closed;
}

interface Reply {
  readonly status: number;
  readonly text: string;
}

async function get(path: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
  return { status: response.status, text: await response.text() };
}

/** A request and whether it was answered by now. */
function ask(path: string, init: RequestInit = {}) {
  const asked: { reply: Promise<Reply>; isAnswered: boolean } = { reply: get(path, init), isAnswered: false };
  const note = () => {
    asked.isAnswered = true;
  };
  asked.reply.then(note, note);
  return asked;
}

/** The only timer of an idle server is the one of a request that waits. */
const someoneWaits = (count = 1) => until(`${count} requests wait`, () => clock.pendingTimers === count);

describe("probes", () => {
  test("of the start fail with what is waited for, and pass once prepare is done", async () => {
    expect(await get("/startupz")).toEqual({ status: 503, text: "looks at the member\n" });
    board.update({ prepare: { kind: "waiting", for: "start", message: "waits for the order to start" } });
    expect(await get("/startupz")).toEqual({ status: 503, text: "waits for the order to start\n" });
    board.update({ prepare: { kind: "done" } });
    expect(await get("/startupz")).toEqual({ status: 200, text: "prepared\n" });
  });

  test("of readiness say what is missing", async () => {
    expect(await get("/readyz")).toEqual({ status: 503, text: "the member is not prepared yet\n" });
    board.update(inSync);
    expect(await get("/readyz")).toEqual({ status: 200, text: "in sync\n" });
  });

  test("of life fail when the agent's own loop hangs", async () => {
    expect(await get("/livez")).toEqual({ status: 200, text: "alive\n" });
    problem = "the loop has not run for 31000 ms";
    expect(await get("/livez")).toEqual({ status: 503, text: `${problem}\n` });
  });
});

test.each(["/", "/v1/states", "/metrics"])("there is no %s", async (path) => {
  expect(await get(path)).toMatchObject({ status: 404 });
});

test("nothing can be changed", async () => {
  expect(await get("/v1/state", { method: "POST" })).toMatchObject({ status: 405 });
});

describe("the state", () => {
  test("is answered at once when nothing is waited for", async () => {
    const { status, text } = await get("/v1/state");
    expect(status).toBe(200);
    expect(agentAnswerSchema.parse(JSON.parse(text))).toEqual(board.answer());
  });

  test("is answered at once to who has another version", async () => {
    expect(await get("/v1/state?after=old.7&waitMs=30000")).toMatchObject({ status: 200 });
    expect(await get("/v1/state?waitMs=30000")).toMatchObject({ status: 200 });
  });

  test.each(["-1", "1.5", "soon"])("cannot be waited for %s ms", async (waitMs) => {
    expect(await get(`/v1/state?after=boot.0&waitMs=${waitMs}`)).toMatchObject({ status: 400 });
  });

  test("is held back until its meaning changes", async () => {
    const asked = ask(`/v1/state?after=${board.version()}&waitMs=30000`);
    await someoneWaits();
    board.update({ disk: { freeBytes: 1, totalBytes: 2 } });
    await clock.advance(100);
    expect(asked.isAnswered).toBe(false);

    board.update({ node: openNode() });
    expect(JSON.parse((await asked.reply).text)).toMatchObject({ version: "boot.1", node: { kind: "open" } });
    expect(clock.pendingTimers).toBe(0);
  });

  test("is told unchanged when the time is over", async () => {
    const asked = ask("/v1/state?after=boot.0&waitMs=2000");
    await someoneWaits();
    await clock.advance(1_999);
    expect(asked.isAnswered).toBe(false);
    await clock.advance(1);
    expect(JSON.parse((await asked.reply).text)).toMatchObject({ version: "boot.0" });
  });

  test("is held back for half a minute at most", async () => {
    const asked = ask("/v1/state?after=boot.0&waitMs=86400000");
    await someoneWaits();
    await clock.advance(30_000);
    expect(await asked.reply).toMatchObject({ status: 200 });
  });

  test("is not held back for more requests than the agent can bear", async () => {
    const all = Array.from({ length: 64 }, () => ask("/v1/state?after=boot.0&waitMs=30000"));
    await someoneWaits(64);
    expect(await get("/v1/state?after=boot.0&waitMs=30000")).toEqual({
      status: 503,
      text: "64 requests wait already\n",
    });
    board.update({ node: closedNode({ raftPortOpen: true }) });
    const replies = await Promise.all(all.map(({ reply }) => reply));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
  });

  test("of a request that was given up leaves nothing behind", async () => {
    const stop = new AbortController();
    const asked = ask("/v1/state?after=boot.0&waitMs=30000", { signal: stop.signal });
    await someoneWaits();
    stop.abort();
    await expect(asked.reply).rejects.toThrow("aborted");
    await until("the request is forgotten", () => clock.pendingTimers === 0);
  });

  test("is told to all who wait when the agent stops", async () => {
    const asked = ask("/v1/state?after=boot.0&waitMs=30000");
    await someoneWaits();
    await closeServer();
    expect(await asked.reply).toMatchObject({ status: 200 });
    await expect(get("/v1/state")).rejects.toThrow("fetch failed");
  });
});

describe("a block", () => {
  test("is told with its height and the pod", async () => {
    const asked: number[] = [];
    blockAt = async (height) => {
      asked.push(height);
      return { kind: "held", hash: "aa" };
    };
    const { status, text } = await get("/v1/blocks/17");
    expect(status).toBe(200);
    const block = { kind: "held", hash: "aa" };
    expect(blockAnswerSchema.parse(JSON.parse(text))).toEqual({
      protocol: 1,
      podUid: "uid-0",
      height: 17,
      block,
    });
    expect(asked).toEqual([17]);
  });

  test.each(["", "0", "-1", "1.5", "07", "latest", "1/2", "9".repeat(16)])(
    "has a height, and %s is none",
    async (height) => {
      expect(await get(`/v1/blocks/${height}`)).toMatchObject({ status: 400 });
    },
  );

  test("that cannot be looked for is no answer", async () => {
    blockAt = () => Promise.reject(new Error("no way"));
    expect(await get("/v1/blocks/1")).toEqual({ status: 500, text: "no way\n" });
  });
});

test("a port that is taken is an error", async () => {
  const given = { board, clock, stuck: () => undefined, blockAt };
  await expect(startServer(server.port, given)).rejects.toMatchObject({ code: "EADDRINUSE" });
});
