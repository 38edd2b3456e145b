import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { serveHealth } from "../../src/telemetry/health.ts";

const problems = { live: [] as string[], ready: [] as string[] };
let close: () => void = () => {};

afterEach(() => close());

async function serve(): Promise<(path: string) => Promise<[status: number, body: string]>> {
  const server = await serveHealth(0, { live: () => problems.live, ready: () => problems.ready });
  close = () => server.close();
  const { port } = server.address() as AddressInfo;
  return async (path) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return [response.status, await response.text()];
  };
}

test("each page answers for its own check, and says what is wrong", async () => {
  const get = await serve();
  problems.live = [];
  problems.ready = ["a watch is silent", "another too"];
  expect(await get("/livez")).toEqual([200, "ok\n"]);
  expect(await get("/readyz")).toEqual([503, "a watch is silent\nanother too\n"]);
  problems.ready = [];
  problems.live = ["it hangs"];
  expect(await get("/livez")).toEqual([503, "it hangs\n"]);
  expect(await get("/readyz")).toEqual([200, "ok\n"]);
});

test("any other page is not there", async () => {
  const get = await serve();
  expect(await get("/metrics")).toEqual([404, "no such page: try /livez or /readyz\n"]);
});

test("a port that is taken is told at the start", async () => {
  const first = await serveHealth(0, { live: () => [], ready: () => [] });
  close = () => first.close();
  const { port } = first.address() as AddressInfo;
  const second = serveHealth(port, { live: () => [], ready: () => [] });
  await expect(second).rejects.toMatchObject({ code: "EADDRINUSE" });
});
