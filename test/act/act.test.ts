import { beforeEach, describe, expect, test } from "vitest";
import { actAll } from "../../src/act/act.ts";
import { KubeError, type KubeErrorKind } from "../../src/kube/errors.ts";
import { annotations, labels } from "../../src/model/annotations.ts";
import type { DrillRecord } from "../../src/model/drill-record.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { Service } from "../../src/model/objects.ts";
import type { Action, Stages } from "../../src/plan/actions.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { briefAction } from "../brief.ts";
import { cluster, members as membersOf, present, snapshot } from "../builders.ts";
import type { MemoryApi, Request } from "../fake/memory-api.ts";
import { claimObject, namespace, podObject, RunningCluster } from "../fake/running-cluster.ts";
import { seededRandom } from "../runtime/seeded-random.ts";

const ref = (name: string) => ({ namespace, name });
const service = (name: string, over: Partial<Service["metadata"]> = {}): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { ...ref(name), labels: { [labels.managedBy]: "evnode-operator" }, ...over },
  spec: { type: "ClusterIP" },
});
const create = (name: string): Action => ({ kind: "create", resource: kinds.service, object: service(name) });

let running: RunningCluster;
let api: MemoryApi;
let mayWrite: boolean;

beforeEach(() => {
  running = new RunningCluster();
  api = running.api;
  mayWrite = true;
});

/** Carries out stages of one decider, or of several. */
async function act(seen: Snapshot, ...deciders: readonly Stages[]) {
  const decided = deciders.map((stages, at) => ({ by: `decider ${at}`, stages }));
  const { world, clock } = running;
  const deps = { api, world, clock, random: seededRandom(1), mayWrite: () => mayWrite };
  const outcome = await actAll(deps, seen, { decided, blockers: [], recheckAfterMs: undefined });
  return {
    done: outcome.done.map(({ by, action }) => `${by}: ${briefAction(action)}`),
    failures: outcome.failures.map(({ by, action, error }) => `${by}: ${briefAction(action)}: ${error.kind}`),
    ...(outcome.bugs.length > 0 && {
      bugs: outcome.bugs.map(({ by, action, error }) => `${by}: ${briefAction(action)}: ${String(error)}`),
    }),
  };
}

const refuse = (wanted: (request: Request) => boolean, kind: KubeErrorKind = "Forbidden") => {
  api.fault = (request) => (wanted(request) ? new KubeError(kind, "no") : undefined);
};
const named = (name: string) => (request: Request) => request.name === name && request.verb !== "get";

describe("stages", () => {
  test("each begins when all of the one before succeeded", async () => {
    const outcome = await act(snapshot(), [[create("a"), create("b")], [create("c")]]);
    expect(outcome).toEqual({
      done: ["decider 0: create Service a", "decider 0: create Service b", "decider 0: create Service c"],
      failures: [],
    });
    expect(api.writes).toEqual(["create Service a", "create Service b", "create Service c"]);
  });

  test("a failure ends its own decider's later stages, and leaves the other deciders alone", async () => {
    refuse(named("b"));
    const outcome = await act(snapshot(), [[create("a"), create("b")], [create("c")]], [[create("d")]]);
    expect(outcome).toEqual({
      done: ["decider 0: create Service a", "decider 1: create Service d"],
      failures: ["decider 0: create Service b: Forbidden"],
    });
    expect(api.held(kinds.service, ref("c"))).toBeUndefined();
  });

  test("every failure of a stage is told", async () => {
    refuse(() => true, "Unavailable");
    const { failures } = await act(snapshot(), [[create("a"), create("b")]]);
    expect(failures).toEqual([
      "decider 0: create Service a: Unavailable",
      "decider 0: create Service b: Unavailable",
    ]);
  });

  test("an operator that no longer leads writes nothing, and that may pass", async () => {
    mayWrite = false;
    const { done, failures } = await act(snapshot(), [[create("a")], [create("b")]], [[create("c")]]);
    expect(done).toEqual([]);
    expect(failures).toEqual([
      "decider 0: create Service a: Unavailable",
      "decider 1: create Service c: Unavailable",
    ]);
    expect(api.requests).toEqual([]);
  });

  test("one that loses the lead in the middle of a plan stops there", async () => {
    api.fault = () => {
      mayWrite = false;
      return undefined;
    };
    await act(snapshot(), [[create("a")], [create("b")]], [[create("c")]]);
    expect(api.writes).toEqual(["create Service a"]);
  });
});

describe("what is learned from a write", () => {
  test("what was written is known at once", async () => {
    await act(snapshot(), [[create("a")]]);
    expect((await running.world.watched(kinds.service, ref("a")))?.metadata.uid).toBeDefined();
  });

  test("an object that exists unseen is looked for behind the watches", async () => {
    api.put(service("a", { labels: {} }));
    const { failures } = await act(snapshot(), [[create("a")]]);
    expect(failures).toEqual(["decider 0: create Service a: AlreadyExists"]);
    expect((await running.world.watched(kinds.service, ref("a")))?.metadata.labels).toEqual({});
  });

  test("a conflict shows that what was remembered is old", async () => {
    const old = service("a");
    running.world.wrote(kinds.service, api.put(old));
    api.put(service("a", { labels: {} }));
    const replace: Action = { kind: "replace", resource: kinds.service, object: api.put(old), why: "x" };
    api.put(service("a", { labels: { by: "somebody" } }));
    const { failures } = await act(snapshot(), [[replace]]);
    expect(failures).toEqual(["decider 0: replace Service a: Conflict"]);
    expect(await running.world.watched(kinds.service, ref("a"))).toBeUndefined();
  });
});

describe("writes carry what they were decided on", () => {
  const members = membersOf(1, { claim: { uid: "uid-of-claim-0" } });
  const [first] = members;
  if (!first?.pod || !first.claim) throw new Error("a member that is well has a pod and a claim");
  const { pod, claim } = first;
  const seen = snapshot({ members });
  const order: Action = {
    kind: "order",
    member: first,
    pod,
    order: { id: "start-1", kind: "start", epoch: 1 },
  };
  const label: Action = {
    kind: "labelPod",
    member: first,
    pod,
    labels: { [labels.role]: null, team: "a" },
    why: "does not lead",
  };
  const mark: Action = { kind: "markClaim", member: first, claim, epoch: 1 };

  test("an order is written to the pod that was looked at, with the time", async () => {
    api.put(podObject("seq-0"));
    await act(seen, [[order]]);
    expect(api.requests).toMatchObject([
      {
        verb: "patch",
        kind: "Pod",
        namespace,
        name: "seq-0",
        preconditions: { uid: "uid-of-seq-0" },
        body: {
          metadata: {
            annotations: {
              [annotations.order]: '{"id":"start-1","kind":"start","epoch":1}',
              [annotations.orderGivenAt]: "2026-01-01T00:00:00.000Z",
            },
          },
        },
      },
    ]);
    const held = await running.world.watched(kinds.pod, ref("seq-0"));
    expect(held?.metadata.annotations?.[annotations.order]).toContain("start-1");
  });

  test("labels are set and taken off", async () => {
    api.put(podObject("seq-0"));
    await act(seen, [[label]]);
    expect(api.held(kinds.pod, ref("seq-0"))?.metadata.labels).toMatchObject({ team: "a" });
    expect(api.held(kinds.pod, ref("seq-0"))?.metadata.labels?.[labels.role]).toBeUndefined();
    expect(api.requests[0]?.preconditions).toEqual({ uid: "uid-of-seq-0" });
  });

  test("the leader's label is given where nobody else has it, whatever the watches show", async () => {
    const leads: Action = { ...label, labels: { [labels.role]: "leader" }, why: "leads" };
    const marks = { [labels.cluster]: "seq", [labels.role]: "leader" };
    api.put(podObject("seq-0"));
    api.put(podObject("seq-1", { labels: marks }));
    const { failures } = await act(seen, [[leads]]);
    expect(failures).toEqual(["decider 0: label seq-0 leader: Conflict"]);
    const known = await running.world.watched(kinds.pod, ref("seq-1"));
    expect(known?.metadata.labels).toMatchObject(marks);

    api.put(podObject("seq-1", { labels: {} }));
    expect((await act(seen, [[leads]])).failures).toEqual([]);
    expect(api.held(kinds.pod, ref("seq-0"))?.metadata.labels?.[labels.role]).toBe("leader");
  });

  test("a claim is marked with the epoch, and that it was started", async () => {
    const { metadata } = api.put(claimObject(0, {}));
    const known = { ...claim, uid: metadata.uid ?? "" };
    await act(seen, [[{ ...mark, claim: known }]]);
    expect(api.requests[0]?.preconditions).toEqual({ uid: known.uid });
    expect(api.held(kinds.claim, ref("data-seq-0"))?.metadata.annotations).toEqual({
      [annotations.epoch]: "1",
      [annotations.started]: "1",
    });
  });

  test.each<[string, Action]>([
    ["order", order],
    ["label", label],
    ["mark", mark],
  ])("another pod or claim of the name gets no %s", async (_, action) => {
    api.put(podObject("seq-0", { uid: "uid-of-the-next" }));
    api.put(claimObject(0, {}));
    const before = api.all();
    const { failures } = await act(seen, [[action]]);
    expect(failures).toEqual([expect.stringMatching(/: Invalid$/)]);
    expect(api.all()).toEqual(before);
  });

  test("an object is deleted only if it still is the one that was looked at", async () => {
    const object = api.put(service("a"));
    const remove = (uid: string): Action => ({
      kind: "delete",
      resource: kinds.service,
      object: { ...object, metadata: { ...object.metadata, uid } },
      why: "switched off",
    });
    expect((await act(seen, [[remove("another")]])).failures).toEqual([
      "decider 0: delete Service a: Conflict",
    ]);
    running.world.wrote(kinds.service, object);
    expect((await act(seen, [[remove(object.metadata.uid ?? "")]])).failures).toEqual([]);
    expect(api.requests.at(-1)?.body).toMatchObject({ propagation: "Background" });
    expect(await running.world.watched(kinds.service, ref("a"))).toBeUndefined();
  });

  test("an approval is taken off the cluster that was looked at, if nobody changed it since", async () => {
    const held = api.put(
      cluster({ metadata: { annotations: { [annotations.approveRejoin]: "seq-1", team: "a" } } }),
    );
    const end: Action = { kind: "endApproval", member: "seq-1", because: "used" };
    await act({ ...seen, cluster: held }, [[end]]);
    expect(api.requests[0]).toMatchObject({
      verb: "patch",
      kind: "EvNodeCluster",
      namespace,
      name: "seq",
      preconditions: { uid: held.metadata.uid, resourceVersion: held.metadata.resourceVersion },
      body: { metadata: { annotations: { [annotations.approveRejoin]: null } } },
    });
    const known = await running.world.watched(kinds.cluster, ref("seq"));
    expect(known?.metadata.annotations).toEqual({ team: "a" });

    // What its owner approved meanwhile is another approval.
    api.put(cluster({ metadata: { annotations: { [annotations.approveRejoin]: "seq-2" } } }));
    const { failures } = await act({ ...seen, cluster: held }, [[end]]);
    expect(failures).toEqual(["decider 0: end approval of seq-1: used: Conflict"]);
  });

  const drilled = { version: 1, request: "monday", at: "2026-01-01T00:00:00Z" } as const;
  test.each<[DrillRecord, boolean]>([
    [{ ...drilled, kind: "underWay", from: "seq-0", container: "c" }, true],
    [{ ...drilled, kind: "refused", message: "no member leads" }, true],
    // What was asked for meanwhile is the next drill.
    [{ ...drilled, kind: "failed", from: "seq-0", message: "nobody leads" }, false],
  ])("a drill is noted, and its request goes with the same write: %j", async (record, isTaken) => {
    const held = api.put(cluster({ metadata: { annotations: { [annotations.drill]: "monday" } } }));
    const turn: Action = { kind: "turnDrill", record };
    await act({ ...seen, cluster: held }, [[turn]]);
    const { uid, resourceVersion } = held.metadata;
    expect(api.requests).toMatchObject([{ verb: "patch", preconditions: { uid, resourceVersion } }]);
    expect((await running.world.watched(kinds.cluster, ref("seq")))?.metadata.annotations).toEqual({
      [annotations.lastDrill]: JSON.stringify(record),
      ...(isTaken ? {} : { [annotations.drill]: "monday" }),
    });
    expect((await act({ ...seen, cluster: held }, [[turn]])).failures).toHaveLength(1);
  });

  test.each<[Action, Readonly<Record<string, string>>]>([
    [{ kind: "decideMembership", epoch: 2, replicas: 5 }, { [annotations.epoch]: "2" }],
    [
      { kind: "withdrawMembership", startedAt: "2026-01-01T00:00:00Z" },
      { [annotations.withdrawn]: "2026-01-01T00:00:00Z" },
    ],
  ])(
    "the identity as it was read takes one decision alone, and is read anew where that is unclear: %j",
    async (action, notes) => {
      const secret = { apiVersion: "v1", kind: "Secret", metadata: ref("seq-identity") };
      api.put({ ...secret, metadata: { ...secret.metadata, uid: "uid-of-the-identity" } });
      const { resourceVersion = "" } = api.held(kinds.secret, ref("seq-identity"))?.metadata ?? {};
      await running.world.read(kinds.secret, ref("seq-identity"), 300_000);
      const asRead = { ...seen, identity: present({ resourceVersion }) };
      expect((await act(asRead, [[action]])).failures).toEqual([]);
      expect(api.held(kinds.secret, ref("seq-identity"))?.metadata.annotations).toMatchObject(notes);
      expect((await act(asRead, [[action]])).failures).toHaveLength(1);
      const requests = api.requests.length;
      await running.world.read(kinds.secret, ref("seq-identity"), 300_000);
      expect(api.requests).toHaveLength(requests + 1);
    },
  );

  test("the identity is marked with the epoch and the membership, if it is the one that was read", async () => {
    const secret = { apiVersion: "v1", kind: "Secret", metadata: ref("seq-identity") };
    api.put({ ...secret, metadata: { ...secret.metadata, uid: "uid-of-the-identity" } });
    await act(seen, [[{ kind: "markBootstrapped", epoch: 1 }]]);
    expect(api.held(kinds.secret, ref("seq-identity"))?.metadata.annotations).toEqual({
      [annotations.bootstrapped]: "1",
      [annotations.membership]: "3 members, raft port 5001",
    });
    api.put({ ...secret, metadata: { ...secret.metadata, uid: "another" } });
    const { failures } = await act(seen, [[{ kind: "markBootstrapped", epoch: 1 }]]);
    expect(failures).toEqual(["decider 0: markBootstrapped: Invalid"]);
  });
});

test("an error that is none of the API's is a bug, and no reason for the others not to write", async () => {
  api.fault = ({ name }) => {
    if (name === "a") throw new TypeError("something is not a function");
    return undefined;
  };
  const outcome = await act(snapshot(), [[create("a"), create("b")], [create("c")]], [[create("d")]]);
  expect(outcome).toEqual({
    done: ["decider 0: create Service b", "decider 1: create Service d"],
    failures: [],
    bugs: ["decider 0: create Service a: TypeError: something is not a function"],
  });
});
