import { afterEach, describe, expect, it } from "vitest";
import type { WatchEvent } from "../../src/kube/api.ts";
import { jsonLines } from "../../src/kube/json-lines.ts";
import { createKubeApi } from "../../src/kube/node-client.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { Pod } from "../../src/model/objects.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { ApiServer, credentialsFor, type Respond, sendJson, statusBody } from "./api-server.ts";

const cleanUps: Array<() => unknown> = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function start(respond: Respond) {
  const server = await ApiServer.start(respond);
  const client = createKubeApi({ credentials: credentialsFor(server), clock: systemClock, version: "1" });
  cleanUps.push(() => server.stop());
  cleanUps.push(() => client.close());
  return { server, client };
}

function options(signal: AbortSignal = new AbortController().signal) {
  return { namespace: "default", resourceVersion: "5", timeoutSeconds: 300, signal };
}

function pod(name: string, resourceVersion: string): Pod {
  return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default", resourceVersion } };
}

function line(type: string, object: object): string {
  return `${JSON.stringify({ type, object })}\n`;
}

async function collect(events: AsyncIterable<WatchEvent<Pod>>): Promise<WatchEvent<Pod>[]> {
  const all: WatchEvent<Pod>[] = [];
  for await (const event of events) all.push(event);
  return all;
}

describe("a watch of the client", () => {
  it("asks for bookmarks and an end, and gives events until the server closes the stream", async () => {
    const { server, client } = await start((_, response) => {
      response.write(line("ADDED", pod("a", "6")));
      response.write(line("MODIFIED", pod("a", "7")));
      response.write(line("BOOKMARK", { kind: "Pod", metadata: { resourceVersion: "8" } }));
      response.write(line("TYPE OF TOMORROW", pod("a", "9")));
      response.end(line("DELETED", pod("a", "10")));
    });
    expect(await collect(client.watch(kinds.pod, { ...options(), labelSelector: "x=y" }))).toEqual([
      { type: "ADDED", object: pod("a", "6") },
      { type: "MODIFIED", object: pod("a", "7") },
      { type: "BOOKMARK", resourceVersion: "8" },
      { type: "DELETED", object: pod("a", "10") },
    ]);
    expect(server.received[0]?.query).toEqual({
      watch: "true",
      allowWatchBookmarks: "true",
      labelSelector: "x=y",
      resourceVersion: "5",
      timeoutSeconds: "300",
    });
  });

  it("throws the error that comes as an event", async () => {
    const { client } = await start((_, response) => {
      response.end(line("ERROR", statusBody(410, "Expired", "too old resource version: 5 (900)")));
    });
    await expect(collect(client.watch(kinds.pod, options()))).rejects.toMatchObject({
      kind: "Expired",
      message: "cannot watch Pod default: 410 Expired: too old resource version: 5 (900)",
    });
  });

  it("throws when the server refuses it", async () => {
    const refusal = statusBody(429, "TooManyRequests", "slow down");
    const { client } = await start((_, response) => sendJson(response, 429, refusal, { "retry-after": "2" }));
    await expect(collect(client.watch(kinds.pod, options()))).rejects.toMatchObject({
      kind: "Throttled",
      retryAfterMs: 2_000,
    });
  });

  it("throws when the connection breaks", async () => {
    const { client } = await start((_, response) => {
      response.write(line("ADDED", pod("a", "6")), () => response.socket?.resetAndDestroy());
    });
    await expect(collect(client.watch(kinds.pod, options()))).rejects.toMatchObject({ kind: "Unavailable" });
  });

  it.each([
    ["half an event", '{"type":"ADDED","obj'],
    ["something that is not JSON", "<html>secret</html>\n"],
  ])("throws without quoting at the end of %s", async (_, text) => {
    const { client } = await start((_, response) => {
      response.end(text);
    });
    const failure = await collect(client.watch(kinds.pod, options())).catch((error: unknown) => error);
    expect(failure).toMatchObject({ kind: "Unavailable" });
    expect(String(failure)).not.toContain("secret");
  });

  it("ends without an error when it is aborted, and closes the connection", async () => {
    const closed: string[] = [];
    const { client } = await start((_, response) => {
      response.on("close", () => closed.push("closed"));
      response.write(line("ADDED", pod("a", "6")));
    });
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const event of client.watch(kinds.pod, options(stop.signal))) {
      seen.push(event.type);
      stop.abort();
    }
    expect(seen).toEqual(["ADDED"]);
    await expect.poll(() => closed).toEqual(["closed"]);
  });

  it("closes the connection when its reader has enough", async () => {
    const closed: string[] = [];
    const { client } = await start((_, response) => {
      response.on("close", () => closed.push("closed"));
      response.write(line("ADDED", pod("a", "6")));
    });
    for await (const event of client.watch(kinds.pod, options())) {
      expect(event.type).toBe("ADDED");
      break;
    }
    await expect.poll(() => closed).toEqual(["closed"]);
  });
});

describe("jsonLines", () => {
  async function* inPieces(text: string, size: number) {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }

  async function all(chunks: AsyncIterable<Uint8Array>, maxLineBytes = 1_000): Promise<unknown[]> {
    const values: unknown[] = [];
    for await (const value of jsonLines(chunks, maxLineBytes)) values.push(value);
    return values;
  }

  it.each([1, 2, 3, 7, 1_000])(
    "finds the values whatever the size of the pieces (%i bytes)",
    async (size) => {
      const values = [{ a: "ä€😀" }, { b: 'with "quotes" and \n' }, 3];
      const text = values.map((value) => `${JSON.stringify(value)}\n`).join("\n");
      expect(await all(inPieces(text, size))).toEqual(values);
    },
  );

  it("gives up on a line without end", async () => {
    await expect(all(inPieces("x".repeat(2_000), 100))).rejects.toThrow("a line is longer than 1000 bytes");
  });
});
