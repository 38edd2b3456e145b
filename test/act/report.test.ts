import { beforeEach, describe, expect, test } from "vitest";
import type { Failure, Outcome } from "../../src/act/act.ts";
import { Events } from "../../src/act/events.ts";
import { Gathering } from "../../src/act/gathering.ts";
import { ProgressRation } from "../../src/act/progress-ration.ts";
import { report } from "../../src/act/report.ts";
import { KubeError, type KubeErrorKind } from "../../src/kube/errors.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { Event, EvNodeClusterObject } from "../../src/model/objects.ts";
import type { Action } from "../../src/plan/actions.ts";
import { makePlan } from "../../src/plan/plan.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { cluster, isClosed, leads, member, members, NOW_MS, snapshot } from "../builders.ts";
import type { MemoryApi } from "../fake/memory-api.ts";
import { namespace, RunningCluster } from "../fake/running-cluster.ts";
import { seededRandom } from "../runtime/seeded-random.ts";

const ref = { namespace, name: "seq" };
const nothing: Outcome = { done: [], failures: [], bugs: [] };

let running: RunningCluster;
let api: MemoryApi;
let mayWrite: boolean;
let deps: Parameters<typeof report>[0];

beforeEach(() => {
  running = new RunningCluster();
  api = running.api;
  mayWrite = true;
  const { clock, world } = running;
  const onLost = () => {};
  const events = new Events({ api, clock, random: seededRandom(1), instance: "operator-0", onLost });
  const [ration, gathering] = [new ProgressRation(clock), new Gathering(clock)];
  deps = { api, world, events, ration, gathering, mayWrite: () => mayWrite };
  api.put(cluster());
  api.deliver();
});

/** A cluster of which this was seen, in the version that the server holds now. */
function seen(over: Partial<Snapshot> = {}): Snapshot {
  const held = api.held(kinds.cluster, ref);
  if (!held) throw new Error("the cluster is there");
  return { ...snapshot(over), cluster: held };
}

async function tell(one: Snapshot, outcome: Outcome = nothing): Promise<void> {
  await report(deps, one, makePlan(one), outcome);
  api.deliver();
}

const at = (height: number) =>
  members(3).map((one) => {
    const isLeader = one.ordinal === 0;
    const shape = isLeader ? { pod: { role: "leader" } } : {};
    return member(one.ordinal, { ...shape, says: { node: { kind: "open", isLeader, height } } });
  });
const status = () => api.held(kinds.cluster, ref)?.status;
const writes = () => api.writes.filter((write) => write.startsWith("replaceStatus")).length;
const told = () => api.all().flatMap((object) => (object.kind === "Event" ? [(object as Event).reason] : []));
const failed = (kind: KubeErrorKind): Failure => ({
  by: "converge",
  action: {
    kind: "create",
    resource: kinds.service,
    object: { apiVersion: "v1", kind: "Service", metadata: { name: "seq" } },
  },
  error: new KubeError(kind, `cannot create Service rollup/seq: ${kind}`),
});

describe("the status", () => {
  test("is written when it says something new, and not again while it does not", async () => {
    await tell(seen());
    expect(status()).toMatchObject({ phase: "Running", leader: "seq-0", height: 100 });
    await tell(seen());
    await tell(seen());
    expect(writes()).toBe(1);
  });

  test("tells progress alone once a minute", async () => {
    await tell(seen());
    await tell(seen({ members: at(101) }));
    await running.clock.advance(59_999);
    await tell(seen({ members: at(159) }));
    expect(status()?.height).toBe(100);
    await running.clock.advance(1);
    await tell(seen({ members: at(160) }));
    expect(status()?.height).toBe(160);
    expect(writes()).toBe(2);
  });

  test("tells news at once, with the heights of that moment", async () => {
    await tell(seen());
    await tell(
      seen({ members: [member(0, { says: leads }), member(1), member(2, { pod: { ready: false } })] }),
    );
    expect(status()?.readyMembers).toBe("2/3");
    expect(writes()).toBe(2);
  });

  test("that stays the same when it is due waits for the next minute", async () => {
    await tell(seen());
    await running.clock.advance(60_000);
    await tell(seen());
    expect(deps.ration.dueInMs("rollup/seq")).toBe(60_000);
  });

  test("goes onto the newest version, such as one that this run itself wrote", async () => {
    const before = seen();
    const { uid = "" } = before.cluster.metadata;
    const finalizers = ["evnode.dev/chain-lock", "another/one"];
    running.world.wrote(
      kinds.cluster,
      await api.patch(kinds.cluster, ref, { metadata: { finalizers } }, { uid }),
    );
    await tell(before);
    expect(status()?.phase).toBe("Running");
    expect(api.held(kinds.cluster, ref)?.metadata.finalizers).toEqual(finalizers);
  });

  test("is known at once, so that the next run compares with it", async () => {
    const before = seen();
    await report(deps, before, makePlan(before), nothing);
    expect((await running.world.watched(kinds.cluster, ref))?.status?.phase).toBe("Running");
  });

  test("names what the API refused for good, and nothing that is tried again", async () => {
    const failures = [failed("Forbidden"), failed("Conflict"), failed("Timeout")];
    await tell(seen(), { ...nothing, failures });
    expect(status()?.conditions?.find(({ type }) => type === "Stalled")).toMatchObject({
      status: "True",
      reason: "ApplyRefused",
      message: "cannot create Service rollup/seq: Forbidden",
    });
  });
});

describe("a cluster that comes up", () => {
  const closed = members(3, { pod: { ready: false, role: undefined }, says: isClosed });
  const isUp = (count: number) =>
    closed.map((one) =>
      one.ordinal < count ? member(one.ordinal, one.ordinal === 0 ? { says: leads } : {}) : one,
    );
  const young = (over: Partial<Snapshot> = {}): Snapshot => {
    const before = seen(over);
    const creationTimestamp = new Date(NOW_MS - 30_000).toISOString();
    return {
      ...before,
      cluster: { ...before.cluster, metadata: { ...before.cluster.metadata, creationTimestamp } },
    };
  };
  const key = "rollup/seq";

  test("has its first status at once, and then its small steps gathered for a second", async () => {
    await tell(young({ members: closed }));
    expect(writes()).toBe(1);
    await tell(young({ members: isUp(1) }));
    await running.clock.advance(500);
    await tell(young({ members: isUp(2) }));
    expect(writes()).toBe(1);
    expect(deps.gathering.dueInMs(key)).toBe(500);
    await running.clock.advance(500);
    await tell(young({ members: isUp(2) }));
    expect(status()?.readyMembers).toBe("2/3");
    expect(writes()).toBe(2);
  });

  test("is told ready at once, with all that was gathered, and its news once", async () => {
    await tell(young({ members: closed }));
    await tell(young({ members: isUp(2) }));
    expect(told()).toEqual([]);
    await tell(young({ members: isUp(3) }));
    expect(status()).toMatchObject({ phase: "Running", leader: "seq-0", readyMembers: "3/3" });
    expect(told()).toEqual(["LeaderElected", "AllMembersReady"]);
    expect(deps.gathering.dueInMs(key)).toBe(Number.POSITIVE_INFINITY);
  });

  test.each<[string, () => Snapshot]>([
    [
      "that needs a person",
      () => ({ ...young({ members: isUp(1) }), parsed: { kind: "invalid", problems: ["x"] } }),
    ],
    [
      "whose spec was edited",
      () => {
        const { cluster: now, ...rest } = young({ members: isUp(1) });
        return { ...rest, cluster: { ...now, metadata: { ...now.metadata, generation: 2 } } };
      },
    ],
    ["that has been there for long", () => seen({ members: isUp(1) })],
  ])("waits with nothing when it is one %s", async (_, next) => {
    await tell(young({ members: closed }));
    await tell(next());
    expect(writes()).toBe(2);
  });

  test("that turns back to what was told has nothing to wait for", async () => {
    await tell(young({ members: closed }));
    await tell(young({ members: isUp(1) }));
    await tell(young({ members: closed }));
    expect(deps.gathering.dueInMs(key)).toBe(Number.POSITIVE_INFINITY);
    expect(writes()).toBe(1);
  });

  test("waits with nothing once it is ready", async () => {
    await tell(young());
    await tell(young({ members: isUp(2) }));
    await tell(young({ members: isUp(3) }));
    expect(writes()).toBe(3);
  });
});

describe("a write that fails", () => {
  const failWith = (kind: KubeErrorKind) => {
    api.fault = ({ verb }) => (verb === "replaceStatus" ? new KubeError(kind, "no") : undefined);
  };

  test.each<KubeErrorKind>(["Conflict", "NotFound"])(
    "with %s is no trouble: what happened to the object brings the next run",
    async (kind) => {
      failWith(kind);
      await expect(tell(seen())).resolves.toBeUndefined();
    },
  );

  test.each<KubeErrorKind>(["Unavailable", "Invalid", "Forbidden"])("with %s is told", async (kind) => {
    failWith(kind);
    await expect(tell(seen())).rejects.toMatchObject({ kind });
  });

  test("leaves nothing remembered that the server does not hold", async () => {
    const old = seen();
    running.world.wrote(kinds.cluster, old.cluster);
    api.remove(kinds.cluster, ref);
    api.deliver();
    await tell(old);
    expect(await running.world.watched(kinds.cluster, ref)).toBeUndefined();
  });

  test("to a cluster that is gone ends what is known of it, though a mute watch still shows it", async () => {
    const old = seen();
    api.remove(kinds.cluster, ref);
    await tell(old);
    expect(await running.world.watched(kinds.cluster, ref)).toBeUndefined();
  });

  test("by another operator's leadership is not even tried, and nothing is told twice", async () => {
    mayWrite = false;
    await tell(seen(), { ...nothing, done: [{ by: "foundation", action: { kind: "createIdentity" } }] });
    expect(api.writes).toEqual([]);
  });
});

describe("events", () => {
  const did = (...actions: readonly Action[]): Outcome => ({
    ...nothing,
    done: actions.map((action) => ({ by: "x", action })),
  });

  test("tell what was done and what turned, once", async () => {
    await tell(seen(), did({ kind: "createIdentity" }, { kind: "addFinalizer" }));
    expect(told()).toEqual(["IdentityCreated", "LeaderElected"]);
    await tell(seen());
    expect(told()).toHaveLength(2);
  });

  test("tell a new leader", async () => {
    await tell(seen());
    const moved = [member(0), member(1, { pod: { role: "leader" }, says: leads }), member(2)];
    await tell(seen({ members: moved }));
    expect(told().slice(1)).toEqual(["LeaderElected"]);
  });

  test("tell nothing of a write that failed", async () => {
    await tell(seen(), {
      ...nothing,
      failures: [{ ...failed("Conflict"), action: { kind: "createIdentity" } }],
    });
    expect(told()).not.toContain("IdentityCreated");
  });

  test("of a status that was not written are told by the run that writes it, and once", async () => {
    let refused: KubeErrorKind | undefined = "Conflict";
    api.fault = ({ verb }) =>
      verb === "replaceStatus" && refused ? new KubeError(refused, "no") : undefined;
    await tell(seen());
    refused = "Unavailable";
    await expect(tell(seen())).rejects.toMatchObject({ kind: "Unavailable" });
    expect(told()).toEqual([]);
    refused = undefined;
    await tell(seen());
    await tell(seen());
    expect(told()).toEqual(["LeaderElected"]);
  });

  test("of what was done are told even so: it will not be done again", async () => {
    api.fault = ({ verb }) => (verb === "replaceStatus" ? new KubeError("Conflict", "no") : undefined);
    await tell(seen(), did({ kind: "createIdentity" }));
    expect(told()).toEqual(["IdentityCreated"]);
  });

  test("are told no further once the lead is lost", async () => {
    api.fault = ({ kind }) => {
      mayWrite = kind !== "Event";
      return undefined;
    };
    await tell(seen(), did({ kind: "createIdentity" }, { kind: "takeChainLock", takeOver: false }));
    expect(told()).toEqual(["IdentityCreated"]);
    expect(writes()).toBe(0);
  });

  test("of a cluster that was let go are the last word: no status is written any more", async () => {
    const deleted: EvNodeClusterObject = cluster({ metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } });
    const gone = { ...snapshot({ statefulSet: undefined, members: [] }), cluster: deleted };
    await tell(gone, did({ kind: "releaseChainLock" }, { kind: "removeFinalizer" }));
    expect(told()).toEqual(["VolumesRetained"]);
    expect(writes()).toBe(0);
  });
});
