import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { blockRequest, proposerRequest, stateRequest, storeInfoRequest } from "../../src/evnode/rpc.ts";
import { askOldSequencer } from "../../src/observe/old-sequencer-client.ts";

const IP = "127.0.0.1";
const servers: { close(): void }[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, IP, resolve));
  return `http://${IP}:${(server.address() as AddressInfo).port}`;
}

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  servers.push({ close: () => (server.closeAllConnections(), server.close()) });
  return listen(server);
}

const time = "2026-01-01T00:00:00Z";
const answers = {
  [stateRequest.path]: { state: { chainId: "rollup-1", lastBlockHeight: "7", lastBlockTime: time } },
  [storeInfoRequest.path]: {
    stores: [{ label: "Header Store", height: "7", head: { height: "7", hash: "q80=", time } }],
  },
  [proposerRequest.path]: { address: "cHJvcG9zZXI=" },
};

const sequencer = (over: Partial<typeof answers> = {}): RequestListener => {
  const all: Record<string, unknown> = { ...answers, ...over };
  return (request, response) => {
    const answer = all[request.url ?? ""];
    response.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(answer ?? { code: "not_found" }));
  };
};

const ask = (rpcAddress: string, withinMs = 5_000) =>
  askOldSequencer(rpcAddress, AbortSignal.timeout(withinMs));

describe("a look at a sequencer outside", () => {
  test("learns its chain, its proposer and its last block", async () => {
    expect(await ask(await serve(sequencer()))).toEqual({
      kind: "told",
      block: { height: 7, hash: "abcd" },
      chain: { chainId: "rollup-1", proposer: "cHJvcG9zZXI=" },
    });
  });

  test.each<[string, string | undefined, number, readonly unknown[]]>([
    ["one that it has", "5", 5, [{ height: 5, hash: expect.stringMatching(/^[0-9a-f]{64}$/) }]],
    ["not taken when it is another one", "6", 5, []],
    ["unknown when it has come so far and does not tell", undefined, 7, []],
    ["one that it has not got yet", undefined, 8, [{ height: 8 }]],
  ])("asks for a single block: %s", async (_name, height, wanted, expected) => {
    const header = { header: { header: { chainId: "rollup-1", height }, signature: "AA==" } };
    const blocks = height === undefined ? undefined : { block: header };
    const rpcAddress = await serve(sequencer({ [blockRequest(1).path]: blocks as never }));
    const found = await askOldSequencer(rpcAddress, AbortSignal.timeout(5_000), [wanted]);
    expect(found.kind === "told" && found.asked).toEqual(expected);
  });

  test("does with the height where nothing else is told", async () => {
    const only = sequencer({
      [storeInfoRequest.path]: undefined,
      [proposerRequest.path]: undefined,
    });
    expect(await ask(await serve(only))).toEqual({
      kind: "told",
      block: { height: 7 },
      chain: { chainId: "rollup-1" },
    });
  });

  test("takes no hash that is none", async () => {
    const head = { height: "7", hash: Buffer.alloc(10_000).toString("base64"), time };
    const stores = [{ label: "Header Store", height: "7", head }];
    const found = await ask(await serve(sequencer({ [storeInfoRequest.path]: { stores } })));
    expect(found).toMatchObject({ kind: "told", block: { height: 7 } });
    expect(found.kind === "told" && found.block.hash).toBeUndefined();
  });

  test("takes no hash of a block below", async () => {
    const later = { state: { chainId: "rollup-1", lastBlockHeight: "8", lastBlockTime: time } };
    const found = await ask(await serve(sequencer({ [stateRequest.path]: later })));
    expect(found).toMatchObject({ block: { height: 8 } });
    expect(found.kind === "told" && found.block.hash).toBeUndefined();
  });

  test.each<[string, RequestListener, string]>([
    ["another status", (_, response) => response.writeHead(502).end("bad gateway"), "HTTP status 502"],
    ["no state", (_, response) => response.end("{}"), "HTTP status 200"],
    [
      "a redirection, which is not followed",
      (_, response) => response.writeHead(307, { location: "http://127.0.0.1:1/" }).end(),
      "HTTP status 307",
    ],
    ["far too much", (_, response) => response.end("x".repeat(100_000)), "too long"],
  ])("finds that somebody listens: %s", async (_name, answer, expected) => {
    const found = await ask(await serve(answer));
    expect(found).toMatchObject({ kind: "listens" });
    expect(found.kind === "listens" && found.what).toContain(expected);
  });

  test("finds that somebody listens who never answers", async () => {
    const server = createTcpServer();
    servers.push(server);
    expect(await ask(await listen(server), 300)).toMatchObject({ kind: "listens" });
  });

  test("finds nobody where the connection is refused", async () => {
    const server = createTcpServer();
    const address = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await ask(address)).toEqual({ kind: "silent", why: "the connection is refused" });
  });

  test("finds nobody under a name without an address", async () => {
    expect(await ask("http://nobody.invalid:7331")).toMatchObject({ kind: "silent" });
  });
});
