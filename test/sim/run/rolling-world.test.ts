import { describe, expect, it } from "vitest";
import { annotations } from "../../../src/model/annotations.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { configEntry, configSecretName } from "../../../src/model/names.ts";
import { entryText } from "../../../src/model/secret-text.ts";
import { heightOf } from "../member/block.ts";
import { StandingCluster } from "./standing-cluster.ts";
import { MAIN } from "./wanted.ts";

const GOOD = "example.org/testapp:2";

describe("a member that gets another image in place", () => {
  it("runs it in a new container of the same pod, catches up and is counted by its label", async () => {
    const cluster = await StandingCluster.start();
    const { universe } = cluster;
    const [follower] = cluster.followers;
    const { name, uid } = follower;
    const { id } = follower.container;
    cluster.retarget(GOOD);
    await cluster.until(
      "the set has another revision",
      () => (cluster.set.status?.updatedReplicas ?? 0) === 0,
    );
    await cluster.updateInPlace(name, GOOD);
    await cluster.until("the old process has ended", () => cluster.run(name).process === undefined);
    expect(follower.container.lastExit).toMatchObject({ code: 0, containerId: id });
    await cluster.until("it is back", () => cluster.isTaking(name));
    const [status] = cluster.pod(name).status?.containerStatuses ?? [];
    expect(status).toMatchObject({ image: GOOD, restartCount: 1, containerID: `containerd://${uid}-2` });
    expect(status?.state).toHaveProperty("running.startedAt");
    await cluster.label(name);
    await cluster.until("it is counted", () => cluster.set.status?.updatedReplicas === 1);
    expect(universe.violations).toEqual([]);
  });

  it("hands the lead over when it has it, ends with 1, and the next leader tells how it took it", async () => {
    const cluster = await StandingCluster.start();
    const { leader } = cluster;
    const before = heightOf(leader.volume.stored);
    await cluster.putImage(leader.name, GOOD);
    await cluster.until("another one leads", () => leader.process === undefined && cluster.leader !== leader);
    expect(leader.container.lastExit).toMatchObject({
      code: 1,
      message: expect.stringMatching(/leader lock lost\n$/),
    });
    await cluster.until("it is back", () => cluster.isTaking(leader.name));
    const { handover } = cluster.universe.answer(cluster.leader);
    expect(handover?.parentHash).toBe(handover?.lastHash);
    expect(handover?.lastHeight).toBeGreaterThanOrEqual(before);
    expect(handover?.gapMs).toBeLessThan(2_000);
  });

  it.each([
    ["missing", { kind: "waiting", reason: "ImagePullBackOff" }],
    ["foreign", { kind: "waiting", reason: "CrashLoopBackOff", lastExit: { code: 255 } }],
    ["crashing", { kind: "waiting", reason: "CrashLoopBackOff", lastExit: { code: 1 } }],
  ])("shows that it is %s", async (tag, shown) => {
    const cluster = await StandingCluster.start();
    const [{ name }] = cluster.followers;
    await cluster.putImage(name, `example.org/testapp:${tag}-1`);
    const evnode = () => cluster.member(name).evnode;
    await cluster.until("it is shown", () => JSON.stringify(evnode()).includes(shown.reason));
    expect(evnode()).toMatchObject(shown);
    expect(cluster.taking()).toHaveLength(2);
    // Another image is another container, which did not fail yet.
    await cluster.putImage(name, GOOD);
    await cluster.until("it runs", () => evnode().kind === "running");
    await cluster.until("it is back", () => cluster.isTaking(name));
  });

  it("runs one that never catches up, and is not ready", async () => {
    const cluster = await StandingCluster.start();
    const [{ name }] = cluster.followers;
    await cluster.putImage(name, "example.org/testapp:lagging-1");
    await cluster.pass(30_000);
    expect(cluster.member(name)).toMatchObject({ ready: false, evnode: { kind: "running" } });
    expect(cluster.universe.answer(cluster.run(name)).ready.message).toMatch(/blocks behind/);
    expect(cluster.isTaking(name)).toBe(false);
  });
});

describe("a member that gets another config", () => {
  it("waits for it, installs it, and restarts once when the token changes", async () => {
    const cluster = await StandingCluster.start();
    const [follower] = cluster.followers;
    const { name } = follower;
    const { registry } = cluster.universe;
    const answer = () => cluster.universe.answer(cluster.run(name));
    const notes = { [annotations.configRevision]: "next", [annotations.restartToken]: "t1" };
    const image = follower.container.image;
    await cluster.putImage(name, image, notes);
    await cluster.until("it says what it waits for", () => answer().pendingConfig?.revision === "next");
    expect(follower.container.starts).toBe(1);

    const ref = { namespace: MAIN.namespace, name: configSecretName(MAIN.name) };
    const secret = registry.require(kinds.secret, ref);
    const before = entryText(secret, configEntry(name, answer().configRevision ?? "")) ?? "";
    const text = before.replace('level: "info"', 'level: "debug"');
    const data = { [configEntry(name, "next")]: Buffer.from(text).toString("base64") };
    registry.patch(kinds.secret, ref, { data });
    await cluster.until("it runs again", () => follower.container.starts === 2 && cluster.isTaking(name));
    expect(follower.process?.config).toEqual({ revision: "next", text });
    expect(answer()).toMatchObject({ configRevision: "next", restartToken: "t1" });
    await cluster.pass(10_000);
    expect(follower.container.starts).toBe(2);
  });

  it("is not restarted by the token that its pod was made with", async () => {
    const cluster = await StandingCluster.start();
    const [{ name, uid }] = cluster.followers;
    const { registry } = cluster.universe;
    const notes = { [annotations.restartToken]: "t1" };
    const template = { metadata: { annotations: notes } };
    registry.patch(kinds.statefulSet, MAIN, { spec: { template } });
    await cluster.pass(2_000);
    registry.delete(kinds.pod, cluster.pod(name).metadata);
    await cluster.until("the next pod is there", () =>
      cluster.runs().some((run) => run.name === name && run.uid !== uid),
    );
    await cluster.until("it takes part", () => cluster.isTaking(name));
    await cluster.pass(5_000);
    expect(cluster.run(name).container.starts).toBe(1);
    expect(cluster.universe.answer(cluster.run(name)).restartToken).toBe("t1");
  });
});

describe("the nodes", () => {
  it("have no place for a pod that asks for a label that none has", async () => {
    const cluster = await StandingCluster.start();
    const [{ name }] = cluster.followers;
    const { registry } = cluster.universe;
    const nodeSelector = { "example.org/pool": "nowhere" };
    registry.patch(kinds.statefulSet, MAIN, { spec: { template: { spec: { nodeSelector } } } });
    await cluster.pass(2_000);
    registry.delete(kinds.pod, cluster.pod(name).metadata);
    await cluster.until("the pod is gone", () => !cluster.runs().some((run) => run.name === name));
    await cluster.pass(5_000);
    expect(cluster.member(name).scheduling).toEqual({ unschedulable: expect.stringMatching(/^0\/3 nodes/) });
  });

  it("end nothing while they are lost, and say nothing", async () => {
    const cluster = await StandingCluster.start();
    const [{ name, node, uid }] = cluster.followers;
    const { registry, kubelet } = cluster.universe;
    kubelet.lose(node, 60_000);
    registry.delete(kinds.pod, cluster.pod(name).metadata);
    await cluster.pass(30_000);
    expect(cluster.member(name)).toMatchObject({ uid, terminating: true, ready: true });
    await cluster.pass(15_000);
    expect(cluster.member(name)).toMatchObject({ uid, terminating: true, ready: false });
    await cluster.until("the next pod takes part", () => cluster.isTaking(name));
    expect(cluster.member(name).uid).not.toBe(uid);
  });

  it.each([
    ["good-1", "node-1", "Succeeded"],
    ["crashing-1", "node-1", "Succeeded"],
    ["foreign-1", "node-1", "Failed"],
    ["missing-1", "node-1", "Pending"],
    ["good-1", "no-such-node", "Pending"],
  ])("run a pod with the image %s once on %s, which is then %s", async (tag, nodeName, phase) => {
    const cluster = await StandingCluster.start();
    const { registry } = cluster.universe;
    const metadata = { namespace: MAIN.namespace, name: "rehearsal" };
    const containers = [{ name: "evnode", image: `example.org/testapp:${tag}` }];
    const spec = { restartPolicy: "Never", nodeName, containers } as const;
    registry.create(kinds.pod, { apiVersion: "v1", kind: "Pod", metadata, spec });
    await cluster.pass(10_000);
    const { status } = registry.require(kinds.pod, metadata);
    expect(status?.phase).toBe(phase);
    const reason = status?.containerStatuses?.[0]?.state?.waiting?.reason;
    expect(reason).toBe(tag.startsWith("missing") ? "ImagePullBackOff" : undefined);
  });
});

describe("a raft port that is cut", () => {
  it("leaves a follower with its blocks and its role, but without a vote", async () => {
    const cluster = await StandingCluster.start();
    const { universe, leader } = cluster;
    const [follower] = cluster.followers;
    const before = heightOf(follower.volume.stored);
    universe.links.cut(leader, follower, 60_000);
    await cluster.pass(10_000);
    const [own, leaders] = [universe.answer(follower), universe.answer(leader)];
    expect(own.node).toMatchObject({ kind: "open", isLeader: false });
    expect(heightOf(follower.volume.stored)).toBeGreaterThan(before + 20);
    for (const [answer, name] of [
      [own, leader.name],
      [leaders, follower.name],
    ] as const)
      expect(answer.peers.find((peer) => peer.name === name)?.raft.kind).toBe("timedOut");
    expect(cluster.taking().map(({ name }) => name)).not.toContain(follower.name);
    universe.links.heal();
    await cluster.until("it votes again", () => cluster.isTaking(follower.name));
  });

  it("makes a leader that reaches nobody end, and another one lead", async () => {
    const cluster = await StandingCluster.start();
    const { universe, leader } = cluster;
    for (const follower of cluster.followers) universe.links.cut(leader, follower, 60_000);
    await cluster.until("it ended", () => leader.container.lastExit?.code === 1);
    await cluster.until("another one leads", () =>
      cluster.runs().some(({ process }) => process?.role === "leader"),
    );
    expect(cluster.leader.name).not.toBe(leader.name);
    expect(universe.violations).toEqual([]);
  });
});
