import { beforeEach, describe, expect, test } from "vitest";
import { actAll, type Failure, type Outcome } from "../src/act/act.ts";
import { Events } from "../src/act/events.ts";
import { Gathering } from "../src/act/gathering.ts";
import { ProgressRation } from "../src/act/progress-ration.ts";
import { report } from "../src/act/report.ts";
import { KubeError, type KubeErrorKind } from "../src/kube/errors.ts";
import { orderSchema } from "../src/model/agent-protocol.ts";
import { annotations, FINALIZER } from "../src/model/annotations.ts";
import { kinds } from "../src/model/kinds.ts";
import { memberName } from "../src/model/names.ts";
import { makePlan } from "../src/plan/plan.ts";
import { newReconcile, type ReconcileDependencies } from "../src/reconcile.ts";
import type { Reconcile } from "../src/runtime/controller.ts";
import { cluster, has, isClosed, leads, snapshot } from "./builders.ts";
import { claimObject, namespace, podObject, RunningCluster } from "./fake/running-cluster.ts";
import { seededRandom } from "./runtime/seeded-random.ts";

const key = "rollup/seq";
const never = new AbortController().signal;

describe("when a cluster is looked at again", () => {
  const failure = (kind: KubeErrorKind): Failure => ({
    by: "x",
    action: { kind: "addFinalizer" },
    error: new KubeError(kind, "no"),
  });

  const run = (
    recheckAfterMs: number | undefined,
    failures: readonly Failure[] = [],
    reportDueInMs = 60_000,
  ) => {
    const outcome: Outcome = { done: [], failures, bugs: [] };
    const reconcile = newReconcile({
      observe: () => Promise.resolve(snapshot()),
      plan: () => ({ decided: [], blockers: [], recheckAfterMs }),
      act: () => Promise.resolve(outcome),
      report: () => Promise.resolve(),
      reportDueInMs: () => reportDueInMs,
      forget: () => {},
    });
    return reconcile(key, never);
  };

  test.each<[string, Parameters<typeof run>, number]>([
    ["a quiet one once a minute", [undefined], 60_000],
    ["one with something to do, when its plan says", [15_000], 15_000],
    ["at once, when the next step is known", [0], 0],
    ["when its height may be told", [undefined, [], 20_000], 20_000],
    ["not in the same moment, when that is due already", [undefined, [], 0], 1_000],
    [
      "one whose writes were refused for good, slowly, whatever its plan says",
      [0, [failure("Forbidden")]],
      30_000,
    ],
  ])("%s", async (_, given, recheckAfterMs) => {
    expect(await run(...given)).toEqual({ kind: "done", recheckAfterMs });
  });

  test("a write that may succeed soon is tried again with back-off, also beside one that was refused", async () => {
    const failures = [failure("Forbidden"), failure("Conflict")];
    expect(await run(0, failures)).toEqual({ kind: "retry", error: failures[1]?.error });
  });
});

/** A loop whose steps are told, and end as the test says. */
function stepping(over: Partial<ReconcileDependencies> = {}) {
  const steps: string[] = [];
  const step = <T>(name: string, result: T): T => {
    steps.push(name);
    return result;
  };
  const nothing: Outcome = { done: [], failures: [], bugs: [] };
  const deps: ReconcileDependencies = {
    observe: async () => step("observe", snapshot()),
    plan: () => step("plan", { decided: [], blockers: [], recheckAfterMs: undefined }),
    act: async () => step("act", nothing),
    report: async () => step("report", undefined),
    reportDueInMs: () => 60_000,
    forget: () => {},
    ...over,
  };
  return { steps, step, deps, reconcile: newReconcile(deps) };
}

describe("a loop whose time is over", () => {
  test.each<["observe" | "act" | "report", readonly string[]]>([
    ["observe", ["observe"]],
    ["act", ["observe", "plan", "act"]],
    ["report", ["observe", "plan", "act", "report"]],
  ])("during %s ends there, with the reason", async (during, done) => {
    const stop = new AbortController();
    const { steps, deps } = stepping();
    const { [during]: before } = deps;
    const reconcile = newReconcile({
      ...deps,
      [during]: async (...args: never[]) => {
        stop.abort(new Error("too late"));
        return (before as (...args: never[]) => unknown)(...args);
      },
    });
    await expect(reconcile(key, stop.signal)).rejects.toThrow("too late");
    expect(steps).toEqual(done);
  });

  test("hands its signal to those that write", async () => {
    const signals: AbortSignal[] = [];
    const { deps } = stepping();
    const reconcile = newReconcile({
      ...deps,
      act: (seen, plan, signal) => {
        signals.push(signal);
        return deps.act(seen, plan, signal);
      },
      report: async (_seen, _plan, _outcome, signal) => void signals.push(signal),
    });
    const { signal } = new AbortController();
    await reconcile(key, signal);
    expect(signals).toEqual([signal, signal]);
  });
});

test("a bug in a write is thrown, after the status was written all the same", async () => {
  const error = new TypeError("x is undefined");
  const bugs = [{ by: "converge", action: { kind: "addFinalizer" }, error }] as const;
  const { steps, reconcile } = stepping({ act: async () => ({ done: [], failures: [], bugs }) });
  await expect(reconcile(key, never)).rejects.toBe(error);
  expect(steps).toEqual(["observe", "plan", "report"]);
});

describe("a read or a status write that the API did not answer", () => {
  test.each(["observe", "report"] as const)(
    "%s: is tried again with back-off, as it is no bug",
    async (during) => {
      const error = new KubeError("Unavailable", "no answer");
      const { reconcile } = stepping({ [during]: () => Promise.reject(error) });
      expect(await reconcile(key, never)).toEqual({ kind: "retry", error });
    },
  );

  test.each([new KubeError("Forbidden", "no"), new TypeError("x is undefined")])(
    "%s is no such",
    async (error) => {
      const fails = async () => {
        throw error;
      };
      const { reconcile } = stepping({ observe: fails });
      await expect(reconcile(key, never)).rejects.toBe(error);
    },
  );
});

test("a cluster that is gone is forgotten, and nothing else is done", async () => {
  const forgotten: string[] = [];
  const unexpected = () => {
    throw new Error("there is no cluster");
  };
  const deps: ReconcileDependencies = {
    observe: () => Promise.resolve(undefined),
    plan: unexpected,
    act: unexpected,
    report: unexpected,
    reportDueInMs: unexpected,
    forget: (gone) => forgotten.push(gone),
  };
  expect(await newReconcile(deps)(key, never)).toEqual({ kind: "done" });
  expect(forgotten).toEqual([key]);
});

describe("the whole loop, from nothing to a running cluster and to nothing again", () => {
  let running: RunningCluster;
  let reconcile: Reconcile;

  beforeEach(async () => {
    running = new RunningCluster();
    const { api, world, clock } = running;
    const random = seededRandom(3);
    const mayWrite = () => true;
    const events = new Events({ api, clock, random, instance: "operator-0", onLost: () => {} });
    const ration = new ProgressRation(clock);
    const gathering = new Gathering(clock);
    const told = { api, world, events, ration, gathering, mayWrite };
    reconcile = newReconcile({
      observe: (_namespace, _name, how) => running.look(how),
      plan: makePlan,
      act: (seen, plan) => actAll({ api, world, random, clock, mayWrite }, seen, plan),
      report: (seen, plan, outcome) => report(told, seen, plan, outcome),
      reportDueInMs: (one) => Math.min(ration.dueInMs(one), gathering.dueInMs(one)),
      forget: () => {},
    });
    api.put(cluster({ metadata: { finalizers: [] } }));
    await running.deliver();
  });

  /** Runs the loop for as long as it asks to be run at once. Returns how often it ran. */
  async function settle(): Promise<number> {
    for (let runs = 1; runs <= 20; runs++) {
      const result = await reconcile(key, never);
      await running.deliver();
      expect(result.kind).toBe("done");
      if (result.kind === "done" && result.recheckAfterMs !== 0) return runs;
    }
    throw new Error("the loop does not come to rest");
  }

  const ref = (name: string) => ({ namespace, name });
  const names = [0, 1, 2].map((ordinal) => memberName("seq", ordinal));
  const pod = (name: string) => running.api.held(kinds.pod, ref(name));
  const orders = () =>
    names.map((name) => {
      const text = pod(name)?.metadata.annotations?.[annotations.order];
      return text === undefined ? undefined : orderSchema.parse(JSON.parse(text)).kind;
    });
  const marks = () =>
    [0, 1, 2].map((n) => running.api.held(kinds.claim, ref(`data-seq-${n}`))?.metadata.annotations);
  const phase = () => running.api.held(kinds.cluster, ref("seq"))?.status?.phase;

  /** What the StatefulSet controller does, and agents on empty volumes. */
  async function startPods(): Promise<void> {
    const identity = running.api.held(kinds.secret, ref("seq-identity"));
    const clusterId = Buffer.from(identity?.data?.["cluster_id"] ?? "", "base64").toString();
    for (const [ordinal, name] of names.entries()) {
      running.api.put(podObject(name));
      running.api.put(claimObject(ordinal, {}));
      running.says.set(name, { ...has({ kind: "empty" }).says, clusterId });
    }
    await running.deliver();
  }

  /** All agents say something else from now on. */
  async function say(over: (name: string) => object): Promise<void> {
    for (const name of names) {
      running.agents.unfollow(`uid-of-${name}`);
      running.says.set(name, { ...running.says.get(name), ...over(name) });
    }
    await running.deliver();
  }

  async function start(): Promise<void> {
    await settle();
    await startPods();
    await settle();
    await say(() => ({ volume: { kind: "intact", epoch: 1, started: false } }));
    await settle();
    await settle();
    await say((name) => ({
      volume: { kind: "intact", epoch: 1, started: true },
      ...(name === "seq-1" ? leads : { node: { kind: "open", isLeader: false, height: 1 } }),
    }));
    await settle();
  }

  test("everything is made in one go, the StatefulSet last", async () => {
    expect(await settle()).toBe(4);
    expect(running.api.writes.filter((write) => !/Status|Event/.test(write))).toEqual([
      "patch EvNodeCluster seq",
      "create Secret seq-identity",
      expect.stringMatching(/^create ConfigMap evnode-chain-/),
      "create ServiceAccount seq-member",
      "create Secret seq-config",
      "create Service seq",
      "create Service seq-leader",
      "create Service seq-rpc",
      "create NetworkPolicy seq",
      "create PodDisruptionBudget seq",
      "create StatefulSet seq",
    ]);
  });

  test("members are prepared, marked and only then let start; their leader is labelled", async () => {
    await settle();
    await startPods();
    await settle();
    expect(orders()).toEqual(["bootstrap", "bootstrap", "bootstrap"]);
    expect(marks()).toEqual([{}, {}, {}]);

    await say(() => ({ volume: { kind: "intact", epoch: 1, started: false } }));
    running.api.requests.length = 0;
    await settle();
    const marked = { [annotations.epoch]: "1", [annotations.started]: "1" };
    expect(marks()).toEqual([marked, marked, marked]);
    const writes = running.api.writes.filter((write) => !/Status|Event/.test(write));
    expect(writes.map((write) => write.replace(/-\d$/, ""))).toEqual([
      ...Array(3).fill("patch PersistentVolumeClaim data-seq"),
      "patch Secret seq-identity",
      ...Array(3).fill("patch Pod seq"),
    ]);
    expect(orders()).toEqual(["start", "start", "start"]);
  });

  const statusWrites = () => running.api.writes.filter((write) => write.startsWith("replaceStatus")).length;

  test.each<[string, object, number]>([
    ["that is new are gathered", { creationTimestamp: "2030-01-01T00:00:00Z" }, 2],
    ["that is old are told one by one", { creationTimestamp: "2029-01-01T00:00:00Z" }, 6],
  ])("the steps of a cluster %s", async (_, times, writes) => {
    running.api.put(cluster({ metadata: { finalizers: [], ...times } }));
    await running.deliver();
    await start();
    expect(phase()).toBe("Running");
    expect(statusWrites()).toBe(writes);
  });

  test("a cluster that runs gets no write at all, look after look", async () => {
    await start();
    expect(phase()).toBe("Running");
    expect(names.map((name) => pod(name)?.metadata.labels?.["evnode.dev/role"])).toEqual([
      "follower",
      "leader",
      "follower",
    ]);
    running.api.requests.length = 0;
    for (let looks = 0; looks < 3; looks++) expect(await settle()).toBe(1);
    expect(running.api.writes).toEqual([]);
  });

  test("an operator that starts anew on a running cluster writes nothing either", async () => {
    await start();
    const { api, clock } = running;
    const next = new RunningCluster();
    for (const object of api.all()) next.api.put(object);
    for (const [name, says] of running.says) next.says.set(name, says);
    await next.deliver();
    await next.clock.advance(clock.monotonicMs());
    const seen = await next.see();
    expect(makePlan(seen).decided).toEqual([]);
  });

  const held = () => running.api.held(kinds.cluster, ref("seq"));
  async function startDeletion(): Promise<void> {
    const uid = held()?.metadata.uid ?? "";
    await running.api.delete(kinds.cluster, ref("seq"), {
      preconditions: { uid },
      propagation: "Background",
    });
    await running.deliver();
  }
  const locks = () => running.api.all().filter(({ kind }) => kind === "ConfigMap");

  test("a deletion stops the members, and keeps identity, volumes and the lock that belongs to them", async () => {
    await start();
    const { api } = running;
    await startDeletion();
    await settle();
    expect(api.held(kinds.statefulSet, ref("seq"))).toBeUndefined();

    await say(() => isClosed);
    await settle();
    expect(held()?.metadata.finalizers).toEqual([FINALIZER]);

    for (const name of names) api.remove(kinds.pod, ref(name));
    await running.deliver();
    await settle();
    expect(held()).toBeUndefined();
    expect(locks()).toHaveLength(1);
    expect(api.held(kinds.secret, ref("seq-identity"))).toBeDefined();
    expect(marks().map((notes) => notes?.[annotations.started])).toEqual(["1", "1", "1"]);
  });

  test("a cluster that is deleted before its chain began gives the lock back", async () => {
    await settle();
    await startDeletion();
    await settle();
    await settle();
    expect(held()).toBeUndefined();
    expect(locks()).toEqual([]);
  });
});
