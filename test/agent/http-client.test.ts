import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HttpClient, newHttpClient } from "../../src/agent/http-client.ts";
import { settle, VirtualClock } from "../runtime/virtual-clock.ts";
import { closedPort, type Handle, type LocalServer, startHttp } from "./servers.ts";
import { until } from "./until.ts";

const get = { method: "GET", path: "/" } as const;

let clock: VirtualClock;
let client: HttpClient;
let server: LocalServer | undefined;

beforeEach(() => {
  clock = new VirtualClock();
  client = newHttpClient(clock);
});
afterEach(async () => {
  client.close();
  await server?.close();
  server = undefined;
});

async function targetOf(handle: Handle) {
  server = await startHttp(handle);
  return { address: "127.0.0.1", port: server.port };
}

test("an answer is status and body, also when it is no success", async () => {
  const target = await targetOf((_, response) => response.writeHead(503).end("UNREADY"));
  expect(await client.send(target, get, 1_000)).toEqual({ kind: "answered", status: 503, body: "UNREADY" });
  expect(clock.pendingTimers).toBe(0);
});

test("a body is sent as JSON", async () => {
  const target = await targetOf((request, response) => {
    request.on("data", (part) =>
      response.end(`${request.method} ${request.headers["content-type"]} ${part}`),
    );
  });
  const post = { method: "POST", path: "/x", body: '{"height":"0"}' } as const;
  expect(await client.send(target, post, 1_000)).toMatchObject({
    body: 'POST application/json {"height":"0"}',
  });
});

test("the same connection serves all requests", async () => {
  const target = await targetOf((_, response) => response.end("ok"));
  for (let count = 0; count < 20; count += 1) await client.send(target, get, 1_000);
  expect(server?.connections()).toBe(1);
});

test("where nobody listens the request is refused", async () => {
  expect(await client.send({ address: "127.0.0.1", port: await closedPort() }, get, 1_000)).toEqual({
    kind: "refused",
  });
});

test("a connection that is dropped is no refusal: somebody is there", async () => {
  const target = await targetOf((request) => request.socket.destroy());
  expect(await client.send(target, get, 1_000)).toMatchObject({ kind: "failed" });
});

test("a kept connection that the server closed meanwhile is replaced", async () => {
  let served = 0;
  const target = await targetOf((request, response) => {
    served += 1;
    if (served === 2) request.socket.resetAndDestroy();
    else response.end(`answer ${served}`);
  });
  await client.send(target, get, 1_000);
  expect(await client.send(target, get, 1_000)).toEqual({ kind: "answered", status: 200, body: "answer 3" });
});

describe("every request ends", () => {
  test("at its deadline, when there is no answer", async () => {
    let arrived = false;
    const target = await targetOf(() => {
      arrived = true;
    });
    const result = client.send(target, get, 500);
    await until("the request arrives", () => arrived);
    await clock.advance(500);
    expect(await result).toEqual({ kind: "failed", why: "no answer within 500 ms" });
  });

  test("at its deadline, when the answer never ends", async () => {
    let begun = false;
    const target = await targetOf((_, response) => {
      response.write("a part");
      begun = true;
    });
    const result = client.send(target, get, 500);
    await until("the answer begins", () => begun);
    for (let turn = 0; turn < 50; turn += 1) await settle();
    await clock.advance(500);
    expect(await result).toMatchObject({ kind: "failed" });
  });

  test("when the answer is too long to be one", async () => {
    const target = await targetOf((_, response) => response.end("x".repeat(1_100_000)));
    expect(await client.send(target, get, 60_000)).toMatchObject({ kind: "failed" });
  });
});
