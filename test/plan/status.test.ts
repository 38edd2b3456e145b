import { describe, expect, test } from "vitest";
import { defaultsV1 } from "../../src/api/defaults.ts";
import type { Status } from "../../src/api/evnodecluster.ts";
import { status as statusSchema } from "../../src/api/schema/status.ts";
import { parseDuration } from "../../src/model/duration.ts";
import type { Member } from "../../src/model/member.ts";
import { makePlan } from "../../src/plan/plan.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { canWait, sameMeaning, sameStatus, statusOf } from "../../src/plan/status.ts";
import {
  cluster,
  isClosed,
  isPrepared,
  justApplied,
  leader,
  leads,
  member,
  members,
  NOW_MS,
  peer,
  snapshot,
  unstarted,
} from "../builders.ts";

const status = (seen: Snapshot, refusals: readonly string[] = []) => statusOf(seen, makePlan(seen), refusals);
const of = (...some: readonly Member[]) => snapshot({ members: some });
const defaultTiming = Object.fromEntries(
  Object.entries(defaultsV1.raft.timing).map(([field, text]) => [field, `${parseDuration(text)}ms`]),
);
const now = new Date(NOW_MS).toISOString();
const earlier = "2025-06-01T00:00:00.000Z";

test("the status of a cluster that is well", () => {
  const { conditions, members: rows, ...rest } = status(snapshot());
  expect(rest).toEqual({
    observedGeneration: 1,
    phase: "Running",
    leader: "seq-0",
    lastLeader: "seq-0",
    height: 100,
    readyMembers: "3/3",
    replicas: 3,
    quorum: "Healthy",
    chainId: "rollup-1",
    proposerAddress: "cHJvcG9zZXI=",
    image: "example.org/testapp:1",
    effective: {
      defaultsVersion: 1,
      raftTiming: { source: "Default", ...defaultTiming },
      raftLog: { snapshotThreshold: 5_000, trailingLogs: 18_000, absenceCovered: "1h40m" },
      daNamespace: "rollup-1",
    },
    updatedMembers: "3/3",
    membership: { epoch: 1, nextEpoch: 2 },
    retained: { claims: ["data-seq-0", "data-seq-1", "data-seq-2"], identity: "seq-identity" },
  });
  expect(rows?.map(({ name, role }) => `${name} ${role}`)).toEqual([
    "seq-0 Leader",
    "seq-1 Follower",
    "seq-2 Follower",
  ]);
  expect(conditions?.[0]).toEqual({
    type: "Ready",
    status: "True",
    reason: "AllMembersReady",
    message: "seq-0 leads and every member follows.",
    observedGeneration: 1,
    lastTransitionTime: now,
  });
});

test("what is not known is absent, and what a wish would change is not shown as running", () => {
  expect(status(justApplied())).toMatchObject({ readyMembers: "0/3", quorum: "Unknown", phase: "Pending" });
  const absent = ["leader", "height", "chainId", "proposerAddress", "image", "effective", "updatePending"];
  expect(Object.keys(status(justApplied())).filter((field) => absent.includes(field))).toEqual([]);
  const wish = snapshot({ cluster: cluster({ spec: { image: "example.org/testapp:2" } }) });
  expect(status(wish)).toMatchObject({ image: "example.org/testapp:1", updatePending: ["image"] });
});

test("time-outs that follow from the round trip time are shown with their source", () => {
  const wanted = cluster({ spec: { raft: { rttMax: "40ms" } } });
  const seen = snapshot({ cluster: wanted, statefulSet: undefined });
  expect(status(seen).effective?.raftTiming).toEqual({
    source: "RttMax",
    heartbeatTimeout: "160ms",
    electionTimeout: "640ms",
    leaderLeaseTimeout: "80ms",
    sendTimeout: "120ms",
  });
});

describe("phase", () => {
  const noPod = { pod: "none" } as const;
  const invalid = { kind: "invalid", problems: ["spec.image: Required"] } as const;
  const wasRunning = cluster({ status: { phase: "Running" } });
  const deleted = cluster({ metadata: { deletionTimestamp: now } });

  test.each<[string, Snapshot, Status["phase"]]>([
    ["nothing made yet", justApplied(), "Pending"],
    ["not to be made before a person acts", { ...justApplied(), parsed: invalid }, "Blocked"],
    ["volumes being prepared", unstarted(isPrepared), "Bootstrapping"],
    ["allowed to start, and no block yet", of(...members(3, isPrepared)), "Bootstrapping"],
    ["running", snapshot(), "Running"],
    ["running without its StatefulSet", { ...snapshot(), statefulSet: undefined }, "Running"],
    ["running with an invalid spec", { ...snapshot(), parsed: invalid }, "Running"],
    ["one member not ready", of(leader(0), member(1), member(2, { pod: { ready: false } })), "Degraded"],
    ["no leader", of(...members(3)), "Degraded"],
    [
      "no quorum",
      { ...of(member(0, { says: leads }), member(1, noPod), member(2, noPod)), cluster: wasRunning },
      "Down",
    ],
    [
      "no quorum yet: the first leader tells its height before the others follow it",
      of(member(0, { says: leads }), member(1, noPod), member(2, noPod)),
      "Bootstrapping",
    ],
    [
      "no quorum after the chain had begun, with no member that tells a height",
      snapshot({
        cluster: cluster({ status: { height: 7, phase: "Degraded" } }),
        members: members(3, { says: isClosed }),
      }),
      "Down",
    ],
    ["being deleted", snapshot({ cluster: deleted }), "Deleting"],
  ])("%s", (_, seen, phase) => {
    expect(status(seen).phase).toBe(phase);
  });
});

describe("conditions through time", () => {
  const was = (reason: string, status: "True" | "False") => ({
    type: "Ready",
    status,
    reason,
    message: "as it was",
    lastTransitionTime: earlier,
  });
  const after = (before: ReturnType<typeof was>) =>
    status(snapshot({ cluster: cluster({ status: { conditions: [before] } }) })).conditions?.[0];

  test("the time of the last turn stays while the status stays, whatever the reason", () => {
    expect(after(was("SomethingElse", "True"))?.lastTransitionTime).toBe(earlier);
  });

  test("and is now when the status turned", () => {
    expect(after(was("QuorumLost", "False"))?.lastTransitionTime).toBe(now);
  });

  test("a condition says which generation it is about", () => {
    const seen = snapshot({ cluster: cluster({ metadata: { generation: 4 } }) });
    expect(status(seen).conditions?.every(({ observedGeneration }) => observedGeneration === 4)).toBe(true);
    expect(status(seen).observedGeneration).toBe(4);
  });
});

test("whatever is to be told fits what the API server accepts", () => {
  const domain = `${`${"x".repeat(60)}.`.repeat(3)}example.com`;
  const labels = Object.fromEntries(
    Array.from({ length: 60 }, (_, n) => [`${domain}/${"y".repeat(60)}-${n}`, "a"]),
  );
  const others = {
    rpc: { port: 7000 },
    p2p: { port: 7001 },
    metrics: { port: 7002 },
    log: { level: "warn" },
  } as const;
  const long = "x".repeat(5_000);
  const many = snapshot({
    cluster: cluster({ spec: { ...others, image: "example.org/other:1", pod: { labels } } }),
  });
  expect(many.parsed.kind).toBe("valid");
  const seen: Snapshot = {
    ...many,
    members: [
      leader(0),
      member(1, { says: { ready: { ok: false, message: long } } }),
      member(2, {
        pod: { evnode: { kind: "running", restarts: 1, lastExit: { code: 1, lastLine: long } } },
      }),
    ],
  };
  const told = status(seen, [long]);
  expect(statusSchema.safeParse(told).error?.issues).toBeUndefined();
  expect(told.updatePending).toHaveLength(64);
  expect(told.conditions?.find(({ type }) => type === "Stalled")?.message).toHaveLength(4_096);
});

describe("what is worth a write", () => {
  const base = status(snapshot());
  const higher = status(
    of(
      member(0, { pod: { role: "leader" }, says: { node: { kind: "open", isLeader: true, height: 140 } } }),
      member(1, { says: { peers: [peer("seq-0", { height: 120 }), peer("seq-2")] } }),
      member(2),
    ),
  );
  const reordered = JSON.parse(JSON.stringify({ ...base, phase: base.phase, height: base.height })) as Status;

  test.each<[string, Status | undefined, Status, boolean, boolean]>([
    ["a first status is news", undefined, base, false, false],
    ["an equal one is none", base, structuredClone(base), true, true],
    ["the order of fields says nothing", reordered, base, true, true],
    ["heights alone are progress", base, higher, true, false],
    ["another leader is news", base, { ...base, leader: "seq-1" }, false, false],
    [
      "a member's turn is news",
      base,
      status(of(leader(0), member(1, { says: isClosed }), member(2))),
      false,
      false,
    ],
    ["a message is news", base, { ...base, conditions: [] }, false, false],
  ])("%s", (_, before, after, meansTheSame, isSame) => {
    expect(sameMeaning(before, after)).toBe(meansTheSame);
    expect(sameStatus(before, after)).toBe(isSame);
  });
});

describe("news that can wait a moment", () => {
  const created = (agoMs: number, before?: Status) =>
    cluster({
      metadata: { creationTimestamp: new Date(NOW_MS - agoMs).toISOString() },
      ...(before && { status: before }),
    });
  const is = (type: string, generation = 1): Status => ({
    observedGeneration: generation,
    conditions: [{ type, status: "True", reason: "R", message: "", lastTransitionTime: now }],
  });
  const comesUp = is("Reconciling");

  test.each<[string, Parameters<typeof canWait>[0], Status, boolean]>([
    ["of a cluster that comes up", created(0, comesUp), comesUp, true],
    ["of one that has come up for nearly ten minutes", created(599_999, comesUp), comesUp, true],
    ["not of one that has for ten", created(600_000, comesUp), comesUp, false],
    ["not the first of all", created(0), comesUp, false],
    ["not that it is ready", created(0, comesUp), is("Ready"), false],
    ["not that it is no longer ready", created(0, is("Ready")), comesUp, false],
    ["not that it needs a person", created(0, comesUp), is("Stalled"), false],
    ["not that it needs none any more", created(0, is("Stalled")), comesUp, false],
    ["not of another spec", created(0, comesUp), is("Reconciling", 2), false],
    ["not of one whose age is not known", cluster({ status: comesUp }), comesUp, false],
  ])("%s", (_, seen, after, can) => {
    expect(canWait(seen, after, NOW_MS)).toBe(can);
  });
});
