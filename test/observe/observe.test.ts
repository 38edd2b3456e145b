import { beforeEach, describe, expect, test } from "vitest";
import { annotations } from "../../src/model/annotations.ts";
import { kinds } from "../../src/model/kinds.ts";
import { answerOf } from "../../src/model/member.ts";
import type { EvNodeClusterObject } from "../../src/model/objects.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { briefPlan, cluster, has, isClosed, leads } from "../builders.ts";
import { namespace, podObject, RunningCluster, runningCluster } from "../fake/running-cluster.ts";

const ref = (name: string) => ({ namespace, name });
const deletionTimestamp = "2026-01-01T00:00:00Z";
const invalidSpec = { pod: { resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } } } as const;

let running: RunningCluster;

/** Puts the cluster there again with other fields. */
function apply(over: Parameters<typeof cluster>[0]): Promise<void> {
  running.api.put(cluster(over));
  return running.deliver();
}

const pods = ({ members }: Snapshot) => members.map(({ name, pod }) => `${name} ${pod ? "runs" : "is gone"}`);

describe("a cluster that runs", () => {
  beforeEach(async () => {
    running = await runningCluster();
  });

  test("is seen whole, from the caches, with one read of what is not watched", async () => {
    const seen = await running.see();
    expect(running.readsSince()).toEqual(["Secret seq-config"]);
    expect(seen.identity).toMatchObject({ kind: "present", identity: { clusterId: "c1", bootstrapped: 1 } });
    expect(seen.chainLock).toEqual({ kind: "ours" });
    expect([...seen.objects.keys()].sort()).toEqual([
      "NetworkPolicy/seq",
      "PodDisruptionBudget/seq",
      "Secret/seq-config",
      "Service/seq",
      "Service/seq-leader",
      "Service/seq-rpc",
      "ServiceAccount/seq-member",
    ]);
    expect(seen.members.map((one) => answerOf(one)?.node)).toEqual([
      leads.node,
      { kind: "open", isLeader: false, height: 100 },
      { kind: "open", isLeader: false, height: 100 },
    ]);
    expect(briefPlan(seen)).toEqual([]);
  });

  test("is looked at again without any read", async () => {
    await running.see();
    running.readsSince();
    await running.see();
    expect(running.readsSince()).toEqual([]);
  });

  test("has its Secrets read again every five minutes, and every five seconds while a member waits", async () => {
    await running.see();
    running.readsSince();
    await running.clock.advance(300_001);
    await running.see();
    expect(running.readsSince()).toEqual([
      "Secret seq-identity",
      expect.stringMatching(/^ConfigMap evnode-chain-/),
      "Secret seq-config",
    ]);

    running.says.set("seq-2", { version: "a.2", prepare: { kind: "waiting", for: "start", message: "" } });
    await running.clock.advance(30_000);
    running.readsSince();
    await running.see();
    expect(running.readsSince()).toEqual(["Secret seq-identity", "Secret seq-config"]);
  });

  test("whose identity is gone has it looked for every five seconds, and sees at once that it is back", async () => {
    const secret = running.api.held(kinds.secret, ref("seq-identity"));
    if (!secret) throw new Error("it has an identity");
    running.api.remove(kinds.secret, ref("seq-identity"));
    await running.clock.advance(300_001);
    expect((await running.see()).identity).toEqual({ kind: "absent" });
    running.api.put(secret);
    await running.clock.advance(5_001);
    running.readsSince();
    expect((await running.see()).identity).toMatchObject({ kind: "present", identity: { clusterId: "c1" } });
    expect(running.readsSince()).toContain("Secret seq-identity");
  });

  test("that is no longer there is not seen", async () => {
    running.api.remove(kinds.cluster, ref("seq"));
    running.api.deliver();
    expect(await running.look()).toBeUndefined();
  });

  test("has the members of its intent, whatever its StatefulSet is scaled to", async () => {
    const held = running.api.held(kinds.statefulSet, ref("seq"));
    if (!held?.spec) throw new Error("it has a StatefulSet");
    running.api.put({ ...held, spec: { ...held.spec, replicas: 1 } });
    running.api.deliver();
    const seen = await running.see();
    expect(pods(seen)).toEqual(["seq-0 runs", "seq-1 runs", "seq-2 runs"]);
    expect(briefPlan(seen)).toEqual(["converge: replace StatefulSet seq"]);
  });

  test("has them also when its spec is no longer valid", async () => {
    await apply({ spec: invalidSpec });
    const seen = await running.see();
    expect(seen.parsed).toEqual({
      kind: "invalid",
      problems: [
        "spec.pod.resources.requests: cpu is 2, but the limit of 1 is lower; lower the request or raise the limit.",
      ],
    });
    expect(pods(seen)).toEqual(["seq-0 runs", "seq-1 runs", "seq-2 runs"]);
  });

  test("has them also when nothing but its StatefulSet tells how many they are", async () => {
    const held = running.api.held(kinds.statefulSet, ref("seq"));
    if (!held) throw new Error("it has a StatefulSet");
    const notes = { ...held.metadata.annotations, [annotations.intent]: '{"version":1,"spec":{}}' };
    const put = (replicas: number) =>
      running.api.put({
        ...held,
        metadata: { ...held.metadata, annotations: notes },
        spec: { ...held.spec, replicas } as NonNullable<typeof held.spec>,
      });
    put(3);
    await apply({ spec: invalidSpec });
    expect(pods(await running.see())).toEqual(["seq-0 runs", "seq-1 runs", "seq-2 runs"]);
    put(9_999);
    running.api.deliver();
    expect((await running.see()).members).toHaveLength(7);
  });

  test("has those that its chain was begun with where no intent tells them, and its spec asks for more", async () => {
    const held = running.api.held(kinds.statefulSet, ref("seq"));
    if (!held) throw new Error("it has a StatefulSet");
    const notes = { ...held.metadata.annotations, [annotations.intent]: "{}" };
    running.api.put({ ...held, metadata: { ...held.metadata, annotations: notes } });
    await apply({ spec: { replicas: 5 } });
    expect(pods(await running.see())).toEqual(["seq-0 runs", "seq-1 runs", "seq-2 runs"]);
  });

  test("a pod whose labels were all taken off is found on the server", async () => {
    running.api.put(podObject("seq-1", { labels: {} }));
    running.api.deliver();
    const seen = await running.see();
    expect(pods(seen)[1]).toBe("seq-1 runs");
    expect(briefPlan(seen)).toEqual([
      "labels: label seq-1 app.kubernetes.io/name app.kubernetes.io/instance evnode.dev/cluster app.kubernetes.io/managed-by, label seq-1 follower",
    ]);
  });

  test("a pod of the name that is none of ours is not taken for a member", async () => {
    running.api.put(podObject("seq-1", { labels: {}, annotations: {} }));
    running.api.deliver();
    expect(pods(await running.see())[1]).toBe("seq-1 is gone");
  });

  test("a config that an earlier cluster of the name left is not believed", async () => {
    await running.see();
    const held = running.api.held(kinds.secret, ref("seq-config"));
    if (!held) throw new Error("it has configs");
    const uid = "uid-of-the-next-life";
    running.api.put({
      ...held,
      metadata: { ...ref("seq-config"), annotations: { [annotations.clusterUid]: uid } },
    });
    await apply({ metadata: { uid } });
    expect((await running.see()).objects.get("Secret/seq-config")?.metadata.annotations).toEqual({
      [annotations.clusterUid]: uid,
    });
  });
});

describe("answers of agents", () => {
  beforeEach(async () => {
    running = await runningCluster();
  });

  test("are believed for five seconds, and then asked for again, all together", async () => {
    await running.clock.advance(5_000);
    await running.see();
    expect(running.asked).toEqual([]);
    await running.clock.advance(1);
    await running.see();
    expect(running.asked).toEqual(["seq-0 0", "seq-1 0", "seq-2 0"]);
  });

  test("that are old stay when a refresh gets none in time: the long poll tells", async () => {
    await running.clock.advance(6_000);
    running.says.delete("seq-1");
    expect(answerOf((await running.see()).members[1] ?? never())?.member).toBe("seq-1");
  });

  test("are all asked for again when two members lead, and only fresh ones count", async () => {
    running.says.set("seq-1", { ...leads, version: "a.2" });
    running.says.delete("seq-0");
    running.agents.unfollow("uid-of-seq-1");
    await running.deliver();
    running.asked.length = 0;
    const seen = await running.see();
    expect(running.asked).toEqual(["seq-0 0", "seq-1 0", "seq-2 0"]);
    expect(seen.members.map(({ report }) => report.kind)).toEqual(["none", "answered", "answered"]);
    expect(briefPlan(seen)).toEqual(["labels: label seq-0 without role", "labels: label seq-1 leader"]);
  });

  test("two members that still lead after that are both reported", async () => {
    running.says.set("seq-1", { ...leads, version: "a.2" });
    running.agents.unfollow("uid-of-seq-1");
    await running.deliver();
    expect(briefPlan(await running.see())).toEqual([]);
  });

  test("an agent that was never asked is asked before its member counts as silent", async () => {
    running.agents.unfollow("uid-of-seq-2");
    running.agents.follow({ podUid: "uid-of-seq-2", ip: "ip-of-seq-2", clusterKey: "rollup/seq" });
    expect((await running.see()).members[2]?.report.kind).toBe("answered");
  });
});

describe("a cluster that was just applied", () => {
  beforeEach(async () => {
    running = new RunningCluster();
    await apply({});
  });

  test("has its claims looked for on the server before an identity is made", async () => {
    const seen = await running.see();
    expect(seen.identity).toEqual({ kind: "absent" });
    expect(seen.chainLock).toEqual({ kind: "unknown" });
    expect(running.readsSince()).toEqual([
      "Secret seq-identity",
      "Secret seq-config",
      "PersistentVolumeClaim data-seq-0",
      "PersistentVolumeClaim data-seq-1",
      "PersistentVolumeClaim data-seq-2",
    ]);
    expect(briefPlan(seen)).toEqual(["foundation: createIdentity"]);
  });

  test("is looked at with few reads while it has no finalizer, since no identity is made before", async () => {
    await apply({ metadata: { finalizers: [] } });
    const seen = await running.see();
    expect(running.readsSince()).toEqual(["Secret seq-identity", "Secret seq-config"]);
    expect(briefPlan(seen)).toEqual(["foundation: addFinalizer"]);
  });

  test("a marked claim that no watch shows keeps it from an identity", async () => {
    running.startMember(1, has({ kind: "empty" }).says);
    running.api.remove(kinds.pod, ref("seq-1"));
    const seen = await running.see();
    expect(seen.members.map(({ claim }) => claim?.started)).toEqual([undefined, 1, undefined]);
    expect(briefPlan(seen)).toEqual([]);
  });

  test("a stranger's StatefulSet of the name is in the way, and says nothing about the cluster", async () => {
    const stranger = {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { ...ref("seq"), labels: { app: "theirs" } },
      spec: { replicas: 9 },
    };
    running.api.put(stranger);
    running.world.lookBehind(kinds.statefulSet, ref("seq"));
    const seen = await running.see();
    expect(seen.statefulSet).toBeUndefined();
    expect([...seen.objects.keys()]).toEqual(["StatefulSet/seq"]);
    expect(seen.members).toHaveLength(3);
    expect(briefPlan(seen)).toEqual([]);

    await apply({ metadata: { deletionTimestamp } });
    expect(briefPlan(await running.see())).toEqual([
      "deletion: releaseChainLock",
      "deletion: removeFinalizer",
    ]);
    expect(running.api.held(kinds.statefulSet, ref("seq"))).toBeDefined();
  });

  test("an invalid spec has no members to look for", async () => {
    await apply({ spec: invalidSpec });
    expect((await running.see()).members).toEqual([]);
  });
});

describe("a cluster that is being deleted", () => {
  beforeEach(async () => {
    running = await runningCluster({ metadata: { deletionTimestamp } });
  });

  const removeStatefulSet = () => {
    running.api.remove(kinds.statefulSet, ref("seq"));
    running.api.deliver();
  };
  const removePods = (...names: readonly string[]) => {
    for (const name of names) running.api.remove(kinds.pod, ref(name));
    running.api.deliver();
  };
  const seeAgain = async (over: Partial<EvNodeClusterObject["metadata"]> = {}) => {
    await apply({ metadata: { deletionTimestamp, ...over } });
    return running.see();
  };

  test("a StatefulSet that no watch shows is found on the server, and deleted", async () => {
    const held = running.api.held(kinds.statefulSet, ref("seq"));
    if (!held) throw new Error("it has a StatefulSet");
    running.api.put({ ...held, metadata: { ...held.metadata, labels: {} } });
    running.api.deliver();
    expect(briefPlan(await running.see())).toEqual(["deletion: delete StatefulSet seq"]);
  });

  test("pods that no watch shows keep the lock", async () => {
    removeStatefulSet();
    removePods("seq-0", "seq-1");
    running.api.put(podObject("seq-2", { labels: {} }));
    running.api.deliver();
    const seen = await seeAgain();
    expect(pods(seen)).toEqual(["seq-0 is gone", "seq-1 is gone", "seq-2 runs"]);
    expect(briefPlan(seen).filter((line) => line.startsWith("deletion"))).toEqual([]);
  });

  test("pods keep the lock also when an invalid spec does not tell how many there are", async () => {
    removeStatefulSet();
    removePods("seq-0", "seq-1");
    await apply({ metadata: { deletionTimestamp }, spec: invalidSpec });
    const seen = await running.see();
    expect(pods(seen)).toEqual(["seq-2 runs"]);
    expect(briefPlan(seen)).toEqual([]);
  });

  test("somebody else's pod of the name keeps nothing", async () => {
    removeStatefulSet();
    removePods("seq-0", "seq-1", "seq-2");
    running.api.put(podObject("seq-2", { labels: {}, annotations: {} }));
    expect(briefPlan(await seeAgain())).toEqual(["deletion: releaseChainLock", "deletion: removeFinalizer"]);
  });

  test("a member that still stops is seen with what its agent says", async () => {
    removeStatefulSet();
    running.says.set("seq-0", { ...isClosed, version: "a.2" });
    await running.clock.advance(30_000);
    const seen = await running.see();
    expect(seen.members.map((one) => answerOf(one)?.node.kind)).toEqual(["closed", "open", "open"]);
  });
});

function never(): never {
  throw new Error("there are three members");
}
