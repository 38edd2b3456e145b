import { afterEach, describe, expect, it } from "vitest";
import { KubeError } from "../../src/kube/errors.ts";
import { type CallRecord, createKubeApi, type KubeClientOptions } from "../../src/kube/node-client.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { ConfigMap } from "../../src/model/objects.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { settle, VirtualClock } from "../runtime/virtual-clock.ts";
import { ApiServer, credentialsFor, type Respond, sendJson, statusBody } from "./api-server.ts";

const cleanUps: Array<() => unknown> = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function start(respond: Respond, options: Partial<KubeClientOptions> & { tls?: boolean } = {}) {
  const { tls = false, ...overrides } = options;
  const server = await ApiServer.start(respond, { tls });
  const credentials = credentialsFor(server);
  const client = createKubeApi({ credentials, clock: systemClock, version: "1.2.3", ...overrides });
  cleanUps.push(() => server.stop());
  cleanUps.push(() => client.close());
  return { server, client };
}

/** What the promise is rejected with; asked for before the time passes in which that happens. */
function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "no failure",
    (error: unknown) => error,
  );
}

/** Waits for the other side of a socket, without a timer. */
async function until(isTrue: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100_000; turn++) {
    if (isTrue()) return;
    await settle();
  }
  throw new Error("it did not happen");
}

const node0 = { namespace: "default", name: "node-0" };

function configMap(extra: object = {}): ConfigMap {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { ...node0, resourceVersion: "7" }, ...extra };
}

const echo: Respond = (request, response) => sendJson(response, 200, JSON.parse(request.body));

describe("requests of the client", () => {
  it("reads one object from its own path, naming itself and the token", async () => {
    const { server, client } = await start((_, response) => sendJson(response, 200, configMap()));
    expect(await client.get(kinds.configMap, node0)).toEqual(configMap());
    expect(server.received).toHaveLength(1);
    expect(server.received[0]).toMatchObject({
      method: "GET",
      path: "/api/v1/namespaces/default/configmaps/node-0",
      query: {},
      headers: {
        accept: "application/json",
        authorization: "Bearer valid",
        "user-agent": "evnode-operator/1.2.3",
      },
    });
  });

  it("lists with selector, limit and version, and fills in the type that items lack", async () => {
    const items = [{ metadata: { name: "a" }, data: { x: "1" } }];
    const metadata = { resourceVersion: "41", continue: "next" };
    const { server, client } = await start((_, response) => sendJson(response, 200, { metadata, items }));
    const page = await client.list(kinds.configMap, { labelSelector: "a=b", limit: 2, resourceVersion: "0" });
    expect(page).toEqual({
      items: [{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { x: "1" } }],
      resourceVersion: "41",
      continueToken: "next",
    });
    expect(server.received[0]?.path).toBe("/api/v1/configmaps");
    expect(server.received[0]?.query).toEqual({ labelSelector: "a=b", limit: "2", resourceVersion: "0" });
  });

  it("asks for the next page without a version, and takes an empty token for the end", async () => {
    const { server, client } = await start((_, response) =>
      sendJson(response, 200, { metadata: { resourceVersion: "41", continue: "" }, items: null }),
    );
    const options = { namespace: "default", resourceVersion: "0", continueToken: "next" };
    const page = await client.list(kinds.configMap, options);
    expect(page).toEqual({ items: [], resourceVersion: "41", continueToken: undefined });
    expect(server.received[0]?.query).toEqual({ continue: "next" });
  });

  it("creates, replaces and updates the status with the object untouched, fields of other versions included", async () => {
    const { server, client } = await start(echo);
    const object = configMap({ fieldOfTomorrow: { from: [{ _from: 1 }] }, immutable: false });
    expect(await client.create(kinds.configMap, object)).toEqual(object);
    expect(await client.replace(kinds.configMap, object)).toEqual(object);
    expect(await client.replaceStatus(kinds.configMap, object)).toEqual(object);
    expect(server.received.map(({ method, path, query }) => [method, path, query["fieldManager"]])).toEqual([
      ["POST", "/api/v1/namespaces/default/configmaps", "evnode-operator"],
      ["PUT", "/api/v1/namespaces/default/configmaps/node-0", "evnode-operator"],
      ["PUT", "/api/v1/namespaces/default/configmaps/node-0/status", "evnode-operator"],
    ]);
  });

  it("does not replace an object whose version it does not know", async () => {
    const { server, client } = await start(echo);
    const object = { ...configMap(), metadata: node0 };
    await expect(client.replace(kinds.configMap, object)).rejects.toMatchObject({
      kind: "BadRequest",
      message: "cannot replace ConfigMap default/node-0: the object has no resourceVersion",
    });
    expect(server.received).toEqual([]);
  });

  it("patches with the preconditions inside the body, beside metadata of the patch", async () => {
    const { server, client } = await start(echo);
    const patch = { metadata: { labels: { role: "leader", old: null } } };
    await client.patch(kinds.configMap, node0, patch, { uid: "u1", resourceVersion: "9" });
    expect(server.received[0]?.method).toBe("PATCH");
    expect(server.received[0]?.headers["content-type"]).toBe("application/merge-patch+json");
    expect(JSON.parse(server.received[0]?.body ?? "")).toEqual({
      metadata: { labels: { role: "leader", old: null }, uid: "u1", resourceVersion: "9" },
    });
  });

  it("deletes with preconditions and propagation", async () => {
    const { server, client } = await start((_, response) => sendJson(response, 200, configMap()));
    const options = { preconditions: { uid: "u1" }, propagation: "Background" } as const;
    await client.delete(kinds.configMap, node0, options);
    expect(server.received[0]?.method).toBe("DELETE");
    expect(JSON.parse(server.received[0]?.body ?? "")).toEqual({
      apiVersion: "v1",
      kind: "DeleteOptions",
      preconditions: { uid: "u1" },
      propagationPolicy: "Background",
    });
  });

  it.each([
    [{ preconditions: { uid: "u1" } }],
    [{ preconditions: { uid: "u1", resourceVersion: "9" }, gracePeriodSeconds: 0 }],
  ])("evicts a pod with %j", async (options) => {
    const { server, client } = await start((_, response) => sendJson(response, 201, { kind: "Status" }));
    await client.evict(node0, options);
    expect(server.received[0]).toMatchObject({
      method: "POST",
      path: "/api/v1/namespaces/default/pods/node-0/eviction",
    });
    expect(JSON.parse(server.received[0]?.body ?? "")).toEqual({
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: node0,
      deleteOptions: options,
    });
  });

  it("takes an eviction for refused when only the body says so, as when two budgets guard the pod", async () => {
    const text = "This pod has more than one PodDisruptionBudget";
    const { client } = await start((_, response) => sendJson(response, 201, statusBody(500, "", text)));
    await expect(client.evict(node0, { preconditions: { uid: "u1" } })).rejects.toMatchObject({
      kind: "Unknown",
      status: 500,
      message: `cannot evict Pod default/node-0: 500: ${text}`,
    });
  });

  it("reads the version of the server", async () => {
    const { server, client } = await start((_, response) =>
      sendJson(response, 200, { gitVersion: "v1.35.2" }),
    );
    expect(await client.serverVersion()).toBe("v1.35.2");
    expect(server.received[0]?.path).toBe("/version");
  });
});

describe("a missing object", () => {
  const gone = statusBody(404, "NotFound", 'configmaps "node-0" not found', { name: "node-0" });
  const noSuchResource = statusBody(404, "NotFound", "the server could not find the requested resource");

  it("is undefined for a read and fine for a delete and an eviction", async () => {
    const { client } = await start((_, response) => sendJson(response, 404, gone));
    expect(await client.get(kinds.configMap, node0)).toBeUndefined();
    const options = { preconditions: { uid: "u1" }, propagation: "Background" } as const;
    expect(await client.delete(kinds.configMap, node0, options)).toBeUndefined();
    expect(await client.evict(node0, options)).toBeUndefined();
  });

  it("is not taken for granted when the server does not know the resource", async () => {
    const { client } = await start((_, response) => sendJson(response, 404, noSuchResource));
    const message =
      "cannot get ConfigMap default/node-0: 404 NotFound: the server could not find the requested resource";
    await expect(client.get(kinds.configMap, node0)).rejects.toMatchObject({ kind: "NotFound", message });
    const options = { preconditions: { uid: "u1" }, propagation: "Background" } as const;
    await expect(client.delete(kinds.configMap, node0, options)).rejects.toMatchObject({ kind: "NotFound" });
  });
});

describe("credentials of the client", () => {
  it("are read afresh, and the request sent once more, when the server refuses them", async () => {
    let token = "old";
    const { server, client } = await start(
      (request, response) =>
        request.headers.authorization === "Bearer new"
          ? sendJson(response, 200, configMap())
          : sendJson(response, 401, statusBody(401, "Unauthorized", "Unauthorized")),
      {},
    );
    const source = credentialsFor(server);
    const other = createKubeApi({
      credentials: {
        current: async () => ({ ...(await source.current()), headers: { authorization: `Bearer ${token}` } }),
        refused: () => {
          token = "new";
        },
      },
      clock: systemClock,
      version: "1",
    });
    cleanUps.push(() => other.close());
    expect(await other.get(kinds.configMap, node0)).toEqual(configMap());
    expect(server.received).toHaveLength(2);
    await expect(client.get(kinds.configMap, node0)).rejects.toMatchObject({ kind: "Unauthorized" });
    expect(server.received).toHaveLength(4);
  });
});

describe("deadlines of the client", () => {
  it("end a call that gets no answer", async () => {
    const clock = new VirtualClock();
    const { server, client } = await start(() => {}, { clock, timeoutMs: 5_000 });
    const failure = failureOf(client.get(kinds.configMap, node0));
    await until(() => server.received.length === 1);
    await clock.advance(5_000);
    expect(await failure).toMatchObject({
      kind: "Timeout",
      message:
        "cannot get ConfigMap default/node-0: " +
        "DEADLINE_EXCEEDED GET /api/v1/namespaces/default/configmaps/node-0 took longer than 5000 ms",
    });
    expect(clock.pendingTimers).toBe(0);
  });

  it("end a call whose answer stops in the middle", async () => {
    const clock = new VirtualClock();
    const answering: boolean[] = [];
    const { client } = await start(
      (_, response) => {
        response.writeHead(200);
        response.write('{"metadata":', () => answering.push(true));
      },
      { clock, timeoutMs: 5_000 },
    );
    const failure = failureOf(client.get(kinds.configMap, node0));
    await until(() => answering.length === 1);
    await clock.advance(5_000);
    expect(await failure).toMatchObject({ kind: "Timeout" });
  });

  it("hold for credentials that do not come", async () => {
    const clock = new VirtualClock();
    const credentials = { current: () => new Promise<never>(() => {}), refused: () => {} };
    const client = createKubeApi({ credentials, clock, version: "1", timeoutMs: 5_000 });
    const failure = failureOf(client.serverVersion());
    await clock.advance(5_000);
    expect(await failure).toMatchObject({ kind: "Timeout" });
  });
});

describe("connections of the client", () => {
  it.each([false, true])("are reused by 50 calls in a row (TLS: %s)", async (tls) => {
    const { server, client } = await start((_, response) => sendJson(response, 200, configMap()), { tls });
    for (let n = 0; n < 50; n++) await client.get(kinds.configMap, node0);
    expect(server.received).toHaveLength(50);
    expect(server.connections).toBe(1);
  });

  it("are no more than allowed for many calls at once", async () => {
    const { server, client } = await start((_, response) => sendJson(response, 200, configMap()), {
      tls: true,
      maxConnections: 4,
    });
    await Promise.all(Array.from({ length: 100 }, () => client.get(kinds.configMap, node0)));
    expect(server.received).toHaveLength(100);
    expect(server.connections).toBe(4);
  });

  it("are not used up by watches", async () => {
    const { server, client } = await start(
      (request, response) => {
        if (request.query["watch"] !== "true") return sendJson(response, 200, configMap());
        response.writeHead(200);
        response.flushHeaders();
      },
      { maxConnections: 1 },
    );
    const stop = new AbortController();
    const options = { resourceVersion: "1", timeoutSeconds: 300, signal: stop.signal };
    const watches = Array.from({ length: 5 }, () =>
      client.watch(kinds.configMap, options)[Symbol.asyncIterator]().next(),
    );
    await until(() => server.received.length === 5);
    expect(await client.get(kinds.configMap, node0)).toEqual(configMap());
    stop.abort();
    expect(await Promise.all(watches)).toEqual(watches.map(() => ({ done: true, value: undefined })));
  });

  it("that the server closes under a read are replaced by new ones", async () => {
    const { server, client } = await start((_, response) => {
      if (server.received.length === 2) response.socket?.resetAndDestroy();
      else sendJson(response, 200, configMap());
    });
    await client.get(kinds.configMap, node0);
    expect(await client.get(kinds.configMap, node0)).toEqual(configMap());
    expect([server.received.length, server.connections]).toEqual([3, 2]);
  });

  it("that break under a write are reported, because the write may have happened", async () => {
    const { server, client } = await start((request, response) => {
      if (request.method === "POST") response.socket?.resetAndDestroy();
      else sendJson(response, 200, configMap());
    });
    await client.get(kinds.configMap, node0);
    await expect(client.create(kinds.configMap, configMap())).rejects.toMatchObject({ kind: "Unavailable" });
    expect(server.received).toHaveLength(2);
  });

  it("to nobody are a passing trouble", async () => {
    const { server, client } = await start(echo);
    await server.stop();
    await expect(client.serverVersion()).rejects.toMatchObject({ kind: "Unavailable" });
  });

  it("to a server with a certificate of somebody else are refused", async () => {
    const { server } = await start(echo, { tls: true });
    const credentials = credentialsFor(server, { tls: {} });
    const client = createKubeApi({ credentials, clock: systemClock, version: "1" });
    cleanUps.push(() => client.close());
    await expect(client.serverVersion()).rejects.toMatchObject({
      kind: "Unavailable",
      message: expect.stringContaining("DEPTH_ZERO_SELF_SIGNED_CERT"),
    });
    expect(server.received).toEqual([]);
  });
});

describe("records of calls", () => {
  it("tell verb, kind, status and time of each call, also of those that fail", async () => {
    const calls: CallRecord[] = [];
    const { server, client } = await start((_, response) => sendJson(response, 200, configMap()), {
      onCall: (call) => calls.push(call),
      clock: new VirtualClock(),
    });
    await client.get(kinds.configMap, node0);
    await server.stop();
    await expect(client.get(kinds.configMap, node0)).rejects.toBeInstanceOf(KubeError);
    expect(calls).toEqual([
      { verb: "get", kind: "ConfigMap", status: 200, tookMs: 0 },
      { verb: "get", kind: "ConfigMap", status: undefined, tookMs: 0 },
    ]);
  });
});
