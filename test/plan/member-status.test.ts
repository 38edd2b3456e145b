import { describe, expect, test } from "vitest";
import type { ContainerState } from "../../src/model/member.ts";
import { memberStatus, messageOf, stateOf } from "../../src/plan/member-status.ts";
import { isClosed, isEmpty, leads, type MemberShape, member, peer } from "../builders.ts";

const waits = (reason: string, message = ""): ContainerState => ({
  kind: "waiting",
  reason,
  message,
  lastExit: undefined,
});
const crashing = (code: number, lastLine: string): ContainerState => ({
  kind: "waiting",
  reason: "CrashLoopBackOff",
  message: "back-off",
  lastExit: { code, lastLine },
});
const runs: ContainerState = { kind: "running", restarts: 0, lastExit: undefined };
const ended: ContainerState = { kind: "terminated", lastExit: { code: 1, lastLine: "leader lock lost" } };

test("a member that runs shows everything that is known about it", () => {
  const shape: MemberShape = {
    says: {
      node: { kind: "open", isLeader: false, height: 98, peerId: "12D3KooWA" },
      peers: [peer("seq-0", { height: 100 }), peer("seq-2", { raft: { kind: "refused", ageMs: 1 } })],
    },
    pod: { evnode: { ...runs, lastExit: { code: 1, lastLine: "leader lock lost" } } },
  };
  expect(memberStatus(member(1, shape))).toEqual({
    name: "seq-1",
    role: "Follower",
    state: "Running",
    ready: true,
    height: 98,
    blocksBehind: 2,
    configRevision: "r1",
    podRevision: "seq-1",
    peersReached: 1,
    peerId: "12D3KooWA",
    node: "node-of-seq-1",
    lastExit: "exit 1: leader lock lost",
    lastExitReason: "LeadershipLost",
  });
});

test("a member of an EVM chain shows the height of its execution layer too", () => {
  const row = memberStatus(member(1, { says: { execution: { height: 97, blocksBehind: 1 } } }));
  expect(row).toMatchObject({ height: 100, executionHeight: 97 });
});

test("an execution client that cannot run is what is wrong with its member", () => {
  const pod = { evnode: waits("PodInitializing"), execution: waits("ErrImagePull", "not found") };
  expect([stateOf(member(1, { pod })), messageOf(member(1, { pod }))]).toEqual([
    "Failed",
    "ErrImagePull: not found",
  ]);
  const executionClaim = { phase: "Pending" };
  expect(messageOf(member(1, { executionClaim }))).toBe(
    "the volume claim of the execution client is Pending",
  );
});

test("a member of which nothing is known shows no numbers at all", () => {
  expect(memberStatus(member(1, { pod: "none" }))).toEqual({
    name: "seq-1",
    role: "Unknown",
    state: "Missing",
    ready: false,
    message: "there is no pod",
  });
});

test.each<[string, MemberShape, string]>([
  ["without a pod", { pod: "none" }, "Missing"],
  ["that is stopping", { pod: { terminating: true } }, "Terminating"],
  ["whose ev-node runs", {}, "Running"],
  ["whose agent prepares", { pod: { evnode: waits("PodInitializing") } }, "Preparing"],
  [
    "whose agent does not run yet",
    { pod: { agent: { kind: "absent" }, evnode: { kind: "absent" } } },
    "Waiting",
  ],
  ["whose ev-node ends again and again", { pod: { evnode: waits("CrashLoopBackOff") } }, "Failed"],
  [
    "whose agent has no image",
    { pod: { agent: waits("ImagePullBackOff"), evnode: { kind: "absent" } } },
    "Failed",
  ],
  ["whose ev-node just ended", { pod: { evnode: ended } }, "Preparing"],
])("the state of a member %s", (_, shape, state) => {
  expect(stateOf(member(1, shape))).toBe(state);
});

test.each<[string, MemberShape, string]>([
  ["that leads", { says: leads }, "Leader"],
  ["that follows", {}, "Follower"],
  ["that does not say", { says: { node: { kind: "open", height: 1 } } }, "Unknown"],
  ["whose API is closed", { says: isClosed }, "Unknown"],
  ["that is silent", { says: "nothing" }, "Unknown"],
])("the role of a member %s", (_, shape, role) => {
  expect(memberStatus(member(1, shape)).role).toBe(role);
});

describe("what a member waits for, the nearest cause first", () => {
  test.each<[string, MemberShape, string | undefined]>([
    ["nothing", {}, undefined],
    ["its pod", { pod: "none" }, "there is no pod"],
    ["its end", { pod: { terminating: true }, says: isClosed }, "the pod is stopping"],
    [
      "a node",
      { pod: { scheduling: { unschedulable: "0/3 nodes are available" } }, claim: { phase: "Pending" } },
      "no node takes the pod: 0/3 nodes are available",
    ],
    ["its volume", { claim: { phase: "Pending" }, says: "nothing" }, "the volume claim is Pending"],
    [
      "its image, in one line",
      { pod: { evnode: waits("ErrImagePull", "not found\nmore of it") }, says: isClosed },
      "ErrImagePull: not found",
    ],
    [
      "the cure of what it ends of again and again",
      { pod: { evnode: crashing(1, "create raft: HeartbeatTimeout is too low") }, says: isClosed },
      "CrashLoopBackOff: it ended with exit code 1: create raft: HeartbeatTimeout is too low (RaftTimingInvalid: A raft time-out breaks a rule of the raft library.)",
    ],
    [
      "that, too, where nobody knows what its words mean",
      { pod: { evnode: crashing(1, "what now") }, says: isClosed },
      "CrashLoopBackOff: it ended with exit code 1: what now",
    ],
    [
      "that, too, where it left no words",
      { pod: { evnode: crashing(137, "") }, says: isClosed },
      "CrashLoopBackOff: it ended with exit code 137 (Killed: The process was killed without a word: out of memory, or still there when its time to stop was over.)",
    ],
    [
      "an order that it can carry out",
      { says: { ...isEmpty.says, refusedOrder: { id: "start-1", message: "the volume is empty" } } },
      "the volume is empty",
    ],
    [
      "a config that it accepts",
      { says: { prepare: { kind: "refused", reason: "Config", message: "rpc.address differs" } } },
      "not started: rpc.address differs",
    ],
    [
      "its order",
      {
        says: {
          prepare: { kind: "waiting", for: "bootstrap", message: "waiting for the order to bootstrap" },
        },
      },
      "waiting for the order to bootstrap",
    ],
    ["its agent", { says: "nothing" }, "the agent does not answer"],
    [
      "nothing yet, as its agent does not run",
      { says: "nothing", pod: { agent: { kind: "absent" } } },
      undefined,
    ],
    ["a leader", { says: isClosed }, "ev-node's API is closed: it knows no leader"],
    [
      "to catch up, told without numbers that change by themselves",
      { says: { ready: { ok: false, message: "31 blocks behind seq-0 at 131" } } },
      "… blocks behind seq-… at …",
    ],
  ])("%s", (_, shape, message) => {
    expect(messageOf(member(1, shape))).toBe(message);
  });

  test("a very long message is cut where the status ends", () => {
    const long = member(1, {
      says: { prepare: { kind: "waiting", for: "start", message: "x".repeat(2_000) } },
    });
    expect(messageOf(long)).toHaveLength(1_024);
  });
});

test.each<[string, ContainerState, string | undefined]>([
  ["none so far", runs, undefined],
  ["without a last line", { ...runs, lastExit: { code: 137, lastLine: "" } }, "exit 137"],
  ["with one", ended, "exit 1: leader lock lost"],
  [
    "that is very long",
    { ...runs, lastExit: { code: 1, lastLine: "x".repeat(3_000) } },
    `exit 1: ${"x".repeat(2_040)}`,
  ],
  ["of a container that is not there", { kind: "absent" }, undefined],
])("the last exit of a member: %s", (_, evnode, text) => {
  expect(memberStatus(member(1, { pod: { evnode } })).lastExit).toBe(text);
});
