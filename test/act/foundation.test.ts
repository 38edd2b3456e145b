import { beforeEach, describe, expect, test } from "vitest";
import { createIdentity, releaseChainLock, setFinalizer, takeChainLock } from "../../src/act/foundation.ts";
import { KubeError } from "../../src/kube/errors.ts";
import { FINALIZER } from "../../src/model/annotations.ts";
import { kinds } from "../../src/model/kinds.ts";
import { chainLockName } from "../../src/model/names.ts";
import { entryText } from "../../src/model/secret-text.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { cluster, identity, isPrepared, justApplied, snapshot, UID, unstarted } from "../builders.ts";
import { vector } from "../evnode/fixtures.ts";
import type { MemoryApi } from "../fake/memory-api.ts";
import { namespace, operators, RunningCluster } from "../fake/running-cluster.ts";
import { seededRandom } from "../runtime/seeded-random.ts";

let running: RunningCluster;
let api: MemoryApi;

beforeEach(() => {
  running = new RunningCluster();
  api = running.api;
});

function deps(mayWrite = () => true) {
  const { world, clock } = running;
  return { api, world, clock, random: seededRandom(1), mayWrite };
}

/** The lead is lost in the middle of an act: after its reads and before its write. */
const never = () => false;
const tooLate = {
  kind: "Unavailable",
  message: expect.stringMatching(/^nothing is written any more/) as unknown,
};
const ref = (name: string) => ({ namespace, name });

describe("the finalizer", () => {
  const seen = (finalizers: readonly string[]): Snapshot => {
    const object = api.put(cluster({ metadata: { finalizers } }));
    return snapshot({ cluster: object });
  };
  const held = () => api.held(kinds.cluster, ref("seq"))?.metadata.finalizers;

  test("is added beside those of others", async () => {
    await setFinalizer(deps(), seen(["other/one"]), true);
    expect(held()).toEqual(["other/one", FINALIZER]);
    expect((await running.world.watched(kinds.cluster, ref("seq")))?.metadata.finalizers).toEqual(held());
  });

  test("is not added twice", async () => {
    await setFinalizer(deps(), seen([FINALIZER]), true);
    expect(held()).toEqual([FINALIZER]);
  });

  test("is taken off alone", async () => {
    await setFinalizer(deps(), seen(["other/one", FINALIZER, "other/two"]), false);
    expect(held()).toEqual(["other/one", "other/two"]);
  });

  test("is left alone on a cluster that somebody changed meanwhile: a list is written as a whole", async () => {
    const old = seen([FINALIZER]);
    api.put(cluster({ metadata: { finalizers: [FINALIZER, "other/one"] } }));
    await expect(setFinalizer(deps(), old, false)).rejects.toMatchObject({ kind: "Conflict" });
    expect(held()).toEqual([FINALIZER, "other/one"]);
  });
});

describe("the identity", () => {
  const given = cluster({ spec: { signer: { secretName: "keys" } } });
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const giveSigner = (data: Record<string, string>) =>
    api.put({ apiVersion: "v1", kind: "Secret", metadata: ref("keys"), data });

  test("is made once, and known without a read", async () => {
    await createIdentity(deps(), justApplied());
    expect(api.writes).toEqual(["create Secret seq-identity"]);
    const known = await running.world.read(kinds.secret, ref("seq-identity"), 1_000);
    expect(known?.immutable).toBe(true);
    expect(api.reads).toEqual([]);
  });

  test("that exists is not overwritten, and is read at the next look", async () => {
    api.put({ apiVersion: "v1", kind: "Secret", metadata: ref("seq-identity"), data: { a: "" } });
    await running.world.read(kinds.secret, ref("seq-identity"), 1_000);
    await expect(createIdentity(deps(), justApplied())).rejects.toMatchObject({ kind: "AlreadyExists" });
    expect(api.held(kinds.secret, ref("seq-identity"))?.data).toEqual({ a: "" });
    api.requests.length = 0;
    await running.world.read(kinds.secret, ref("seq-identity"), 1_000);
    expect(api.reads).toEqual(["Secret seq-identity"]);
  });

  test("takes a given signer from the server as it is now", async () => {
    giveSigner({ "signer.json": base64(vector.signerJson), passphrase: base64(vector.passphrase) });
    await createIdentity(deps(), justApplied({ cluster: given }));
    const secret = api.held(kinds.secret, ref("seq-identity"));
    expect(secret && entryText(secret, "signer.json")).toBe(vector.signerJson);
  });

  test.each<[string, Record<string, string> | undefined]>([
    ["that is gone by now", undefined],
    ["that lost its passphrase by now", { "signer.json": base64(vector.signerJson) }],
  ])("is not made without a given signer %s", async (_, data) => {
    if (data) giveSigner(data);
    await expect(createIdentity(deps(), justApplied({ cluster: given }))).rejects.toMatchObject({
      kind: "Conflict",
      message: "Secret keys changed while it was read",
    });
    expect(api.writes).toEqual([]);
  });

  test("takes a given genesis unchanged, and none of another signer", async () => {
    giveSigner({ "signer.json": base64(vector.signerJson), passphrase: base64(vector.passphrase) });
    const genesis = { kind: "found", value: "{}" } as const;
    const seen = justApplied({ cluster: given });
    const wrong = { ...seen, references: { ...seen.references, genesis } };
    await expect(createIdentity(deps(), wrong)).rejects.toThrow("the genesis cannot be used");
    expect(api.writes).toEqual([]);
  });

  test("is not written any more when the lead was lost while it was made", async () => {
    await expect(createIdentity(deps(never), justApplied())).rejects.toMatchObject(tooLate);
    expect(api.writes).toEqual([]);
  });

  test("is not made for a spec that is invalid", async () => {
    await createIdentity(deps(), { ...justApplied(), parsed: { kind: "invalid", problems: [] } });
    expect(api.requests).toEqual([]);
  });
});

describe("the chain lock", () => {
  const name = chainLockName("rollup-1", identity().proposer);
  const lockRef = { namespace: operators, name };
  const ours = {
    chainId: "rollup-1",
    proposer: identity().proposer,
    namespace,
    name: "seq",
    uid: UID,
    clusterId: "c1",
  };
  const put = (data: Record<string, string>) =>
    api.put({ apiVersion: "v1", kind: "ConfigMap", metadata: lockRef, data });
  const held = () => api.held(kinds.configMap, lockRef)?.data;

  test("is taken in the operator's namespace, under a name that chain and signer alone decide", async () => {
    await takeChainLock(deps(), snapshot(), false);
    expect(held()).toEqual(ours);
    expect(name).toMatch(/^evnode-chain-[0-9a-f]{32}$/);
  });

  test("that another cluster took a moment before is not taken", async () => {
    put({ ...ours, uid: "x", name: "copy" });
    await expect(takeChainLock(deps(), snapshot(), false)).rejects.toMatchObject({ kind: "AlreadyExists" });
    expect(held()).toMatchObject({ name: "copy" });
  });

  test("that an earlier life left is taken over", async () => {
    put({ ...ours, uid: "before" });
    await takeChainLock(deps(), snapshot(), true);
    expect(held()).toEqual(ours);
  });

  test("is not taken over from a cluster that took it since it was looked at", async () => {
    put({ ...ours, uid: "x", name: "copy" });
    await expect(takeChainLock(deps(), snapshot(), true)).rejects.toMatchObject({
      kind: "Conflict",
      message: "the chain lock changed hands",
    });
    expect(held()).toMatchObject({ name: "copy" });
  });

  test("is not taken over in the moment in which it changes", async () => {
    put({ ...ours, uid: "before" });
    api.fault = ({ verb }) => {
      if (verb === "patch") put({ ...ours, uid: "x", name: "copy" });
      return undefined;
    };
    await expect(takeChainLock(deps(), snapshot(), true)).rejects.toBeInstanceOf(KubeError);
    expect(held()).toMatchObject({ name: "copy" });
  });

  const neverBegun = () => unstarted(isPrepared);

  test("is given back when it is ours and the chain was never begun", async () => {
    put(ours);
    await releaseChainLock(deps(), neverBegun());
    expect(held()).toBeUndefined();
  });

  test("of a chain that was begun stays with its identity and volumes", async () => {
    put(ours);
    await releaseChainLock(deps(), snapshot());
    expect(held()).toEqual(ours);
    expect(api.writes).toEqual([]);
  });

  test("stays also when only the claims tell that the chain was begun", async () => {
    put(ours);
    await releaseChainLock(deps(), unstarted({ claim: { started: 1 } }));
    expect(held()).toEqual(ours);
  });

  test.each<[string, Record<string, string>]>([
    ["another cluster's", { ...ours, uid: "x" }],
    ["an unreadable one", {}],
  ])("%s is left alone", async (_, data) => {
    put(data);
    await releaseChainLock(deps(), neverBegun());
    expect(held()).toEqual(data);
    expect(api.writes).toEqual([]);
  });

  test("that is gone already is no failure", async () => {
    await releaseChainLock(deps(), neverBegun());
    expect(api.writes).toEqual([]);
  });

  test.each(["absent", "unusable"] as const)("of an identity that is %s is not known", async (kind) => {
    const seen = { ...snapshot(), identity: kind === "absent" ? { kind } : { kind, message: "damaged" } };
    await takeChainLock(deps(), seen, false);
    await releaseChainLock(deps(), seen);
    expect(api.requests).toEqual([]);
  });

  test("is neither taken over nor given back when the lead was lost while it was read", async () => {
    put({ ...ours, uid: "before" });
    await expect(takeChainLock(deps(never), snapshot(), true)).rejects.toMatchObject(tooLate);
    put(ours);
    await expect(releaseChainLock(deps(never), neverBegun())).rejects.toMatchObject(tooLate);
    expect(api.writes).toEqual([]);
  });

  test("a read that failed is not taken for a lock that is not there", async () => {
    put(ours);
    api.fault = () => new KubeError("Unavailable", "no answer");
    await expect(releaseChainLock(deps(), neverBegun())).rejects.toMatchObject({ kind: "Unavailable" });
  });
});
