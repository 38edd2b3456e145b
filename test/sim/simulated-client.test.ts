import { describe, expect, it } from "vitest";
import { KubeError } from "../../src/kube/errors.ts";
import { kinds } from "../../src/model/kinds.ts";
import { configMap, gatedPod, identityOf, strangeUid } from "../conformance/objects.ts";
import type { Faults, Request } from "./faults.ts";
import { namespace, newWorld } from "./world.ts";

const name = "a";
const ref = { namespace, name };
const unavailable = new KubeError("Unavailable", "no answer");
const timeout = new KubeError("Timeout", "no answer in time");

/** A client whose faults are set as the test goes. */
function faultyClient() {
  const world = newWorld();
  const faults: Faults = {};
  return { ...world, faults, api: world.server.client({ name: "operator", faults }) };
}

describe("a request of a client", () => {
  it("that fails before it is carried out changes nothing", async () => {
    const { api, faults, store } = faultyClient();
    faults.before = () => ({ error: unavailable });
    await expect(api.create(kinds.configMap, configMap(namespace, name))).rejects.toBe(unavailable);
    expect(store.get(kinds.configMap, ref)).toBeUndefined();
  });

  it("may be carried out and its answer lost, which the client hears after its own deadline", async () => {
    const { api, faults, store, clock } = faultyClient();
    faults.after = () => ({ error: timeout, afterMs: 30_000 });
    const heard = api.create(kinds.configMap, configMap(namespace, name)).catch((error: unknown) => error);
    let answer: unknown = "nothing";
    void heard.then((error) => (answer = error));
    await clock.advance(29_999);
    expect([store.get(kinds.configMap, ref)?.metadata.name, answer]).toEqual([name, "nothing"]);
    await clock.advance(1);
    expect(answer).toBe(timeout);
  });

  it("may be refused and the refusal lost", async () => {
    const { api, faults } = faultyClient();
    faults.after = () => ({ error: timeout });
    const missing = { preconditions: { uid: strangeUid } };
    await expect(api.patch(kinds.configMap, ref, {}, missing.preconditions)).rejects.toBe(timeout);
  });

  it("is shown to its faults as what it is, and to no other client's", async () => {
    const { server, api, faults } = faultyClient();
    const seen: Request[] = [];
    faults.before = (request) => void seen.push(request);
    const object = configMap(namespace, name);
    const { uid } = identityOf(await api.create(kinds.configMap, object));
    await server.client({ name: "somebody" }).get(kinds.configMap, ref);
    await api.list(kinds.configMap, { limit: 1 });
    await api.evict(ref, { preconditions: { uid } });
    const sentAtMs: unknown = expect.any(Number);
    const asked = { client: "operator", sentAtMs, kind: "ConfigMap", namespace, name };
    expect(seen).toEqual([
      { ...asked, verb: "create", body: object },
      { ...asked, verb: "list", namespace: undefined, name: undefined, body: { limit: 1 } },
      { ...asked, verb: "evict", kind: "Pod", body: { preconditions: { uid } }, preconditions: { uid } },
    ]);
  });

  it("arrives after one way of its latency and is answered after two", async () => {
    const { server, clock, store } = newWorld();
    const api = server.client({ name: "far away", latencyMs: () => 40 });
    let isAnswered = false;
    void api.create(kinds.configMap, configMap(namespace, name)).then(() => (isAnswered = true));
    const seen: unknown[] = [];
    for (let ms = 0; ms <= 80; ms += 20) {
      seen.push([ms, store.get(kinds.configMap, ref) !== undefined, isAnswered]);
      await clock.advance(20);
    }
    expect(seen).toEqual([
      [0, false, false],
      [20, false, false],
      [40, true, false],
      [60, true, false],
      [80, true, true],
    ]);
  });

  it("that was overtaken on its way is a conflict", async () => {
    const { server, clock } = newWorld();
    const near = server.client({ name: "near" });
    const far = server.client({ name: "far away", latencyMs: () => 40 });
    const created = await near.create(kinds.configMap, configMap(namespace, name));
    const late = far
      .replace(kinds.configMap, { ...created, data: { a: "far" } })
      .catch((error: unknown) => error);
    await near.replace(kinds.configMap, { ...created, data: { a: "near" } });
    await clock.advance(80);
    expect(await late).toMatchObject({ kind: "Conflict", status: 409 });
  });

  it.each([
    ["", `"" is not a name of an object`],
    ["..", `".." is not a name of an object`],
  ])("for the name '%s' is a bug, here as in front of a real server", async (wrong, message) => {
    const api = newWorld().server.client({ name: "operator" });
    await expect(api.get(kinds.pod, { namespace, name: wrong })).rejects.toThrow(message);
    await expect(api.get(kinds.pod, { name })).rejects.toThrow("Pod a needs a namespace");
  });
});

describe("refusals", () => {
  it.each<[string, (api: ReturnType<typeof faultyClient>["api"]) => Promise<unknown>, string]>([
    [
      "an object that is missing",
      (api) => api.patch(kinds.pod, ref, {}, { uid: strangeUid }),
      'cannot patch Pod rollup/a: 404 NotFound: pods "a" not found',
    ],
    [
      "a namespace that is missing",
      (api) => api.create(kinds.pod, gatedPod("elsewhere", name)),
      'cannot create Pod elsewhere/a: 404 NotFound: namespaces "elsewhere" not found',
    ],
    [
      "a kind that is not served",
      (api) => api.list({ ...kinds.pod, kind: "Job", plural: "jobs" }, {}),
      "cannot list Job: 404 NotFound: the server could not find the requested resource",
    ],
  ])("of %s read as those of a real server", async (_, ask, message) => {
    await expect(ask(faultyClient().api)).rejects.toMatchObject({ kind: "NotFound", message });
  });

  it("of a Secret never repeat what is in it", async () => {
    const { api } = faultyClient();
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: ref,
      immutable: true,
      data: { key: "b25l" },
    } as const;
    const { uid } = identityOf(await api.create(kinds.secret, secret));
    await expect(api.patch(kinds.secret, ref, { data: { key: "dHdv" } }, { uid })).rejects.toMatchObject({
      message: "cannot patch Secret rollup/a: 422 Invalid: data",
    });
  });
});
