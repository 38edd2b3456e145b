import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AGENT_PORT } from "../../src/model/agent-protocol.ts";
import { type AgentClient, newAgentClient } from "../../src/observe/agent-client.ts";
import { answer } from "../builders.ts";

/** An address of the loopback network that nothing else listens on. */
const IP = "127.77.0.5";

let respond: (request: IncomingMessage, response: ServerResponse) => void;
let asked: string[];
let sockets: Set<unknown>;
let server: Server;
let client: AgentClient;

beforeEach(async () => {
  asked = [];
  sockets = new Set();
  respond = (_, response) => response.end(JSON.stringify(answer("seq-0")));
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    sockets.add(request.socket);
    respond(request, response);
  });
  await new Promise<void>((resolve) => server.listen(AGENT_PORT, IP, resolve));
  client = newAgentClient();
});

afterEach(async () => {
  client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const never = new AbortController().signal;
const ask = (signal: AbortSignal = never) => client.ask(IP, { waitMs: 0 }, signal);

test("an answer of the known protocol is taken", async () => {
  expect(await ask()).toEqual(answer("seq-0"));
});

test("the question says what is known, and how long the agent may hold it", async () => {
  await client.ask(IP, { waitMs: 0 }, never);
  await client.ask(IP, { waitMs: 30_000, after: "a/1&b" }, never);
  expect(asked).toEqual(["/v1/state?waitMs=0", "/v1/state?waitMs=30000&after=a%2F1%26b"]);
});

test("questions one after another share a connection", async () => {
  await ask();
  await ask();
  expect(sockets.size).toBe(1);
});

describe("what is no answer", () => {
  test.each<[string, string, number, string | RegExp]>([
    ["another status", JSON.stringify(answer("seq-0")), 503, "the agent answered with status 503"],
    ["no JSON", "<html>", 200, /JSON/],
    ["another protocol", JSON.stringify({ ...answer("seq-0"), protocol: 2 }), 200, /protocol/],
    ["a part of an answer", JSON.stringify({ protocol: 1 }), 200, /podUid/],
    ["far too much", "x".repeat(300_000), 200, "the answer is too long to be an agent's"],
  ])("%s", async (_, body, status, message) => {
    respond = (_request, response) => response.writeHead(status).end(body);
    await expect(ask()).rejects.toThrow(message);
  });

  test("nobody at the address", async () => {
    await expect(client.ask("127.77.0.6", { waitMs: 0 }, never)).rejects.toMatchObject({
      code: "ECONNREFUSED",
    });
  });

  test("a connection that ends in the middle", async () => {
    respond = (_, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write("{");
      response.destroy();
    };
    await expect(ask()).rejects.toThrow(/aborted|terminated|hang up/);
  });

  test("one that is given up while the agent still holds the question", async () => {
    const stop = new AbortController();
    respond = () => stop.abort(new Error("the pod is gone"));
    await expect(ask(stop.signal)).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("a block", () => {
  const askBlock = (podUid = "uid-of-seq-0", height = 17) =>
    client.askBlock({ ip: IP, podUid }, height, never);
  const tells = (over: object = {}) => {
    const block = { kind: "held", hash: "aa" };
    const told = { protocol: 1, podUid: "uid-of-seq-0", height: 17, block, ...over };
    respond = (_, response) => response.end(JSON.stringify(told));
  };

  test("is asked for by its height", async () => {
    tells();
    expect(await askBlock()).toEqual({ kind: "held", hash: "aa" });
    expect(asked).toEqual(["/v1/blocks/17"]);
  });

  test("is what an agent of an earlier version does not know of", async () => {
    respond = (_, response) =>
      response.writeHead(404).end("there is /v1/state, /startupz, /readyz and /livez");
    expect(await askBlock()).toEqual({ kind: "cannot" });
  });

  test.each<[string, object, string | RegExp]>([
    ["of another pod", { podUid: "uid-of-seq-1" }, "the answer is of another block"],
    ["of another height", { height: 18 }, "the answer is of another block"],
    ["of another protocol", { protocol: 2 }, /protocol/],
    ["of an unknown kind", { block: { kind: "rumoured" } }, /kind/],
    ["with a hash that is none", { block: { kind: "held", hash: "a".repeat(129) } }, /hash/],
  ])("%s is no answer", async (_, over, why) => {
    tells(over);
    await expect(askBlock()).rejects.toThrow(why);
  });

  test("with another status is no answer", async () => {
    respond = (_, response) => response.writeHead(503).end();
    await expect(askBlock()).rejects.toThrow("status 503");
  });
});
