import { describe, expect, test } from "vitest";
import { annotations, labels } from "../../src/model/annotations.ts";
import { type ContainerState, claimOf, epochFrom, isFailed, podOf } from "../../src/model/member.ts";
import type { PersistentVolumeClaim, Pod } from "../../src/model/objects.ts";

type Status = NonNullable<Pod["status"]>;
type Container = NonNullable<Status["containerStatuses"]>[number];

const asPod = (status: Status = {}, over: Partial<Pod> = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "seq-0", uid: "u", resourceVersion: "7" },
  status,
  ...over,
});
const container = (name: string, state: Container["state"], lastState?: Container["state"]): Container => ({
  name,
  image: "i",
  imageID: "i",
  ready: true,
  restartCount: 2,
  ...(state && { state }),
  ...(lastState && { lastState }),
});
const evnodeOf = (state: Container["state"], lastState?: Container["state"]) =>
  podOf(asPod({ containerStatuses: [container("evnode", state, lastState)] })).evnode;

test("a pod that runs, with what the operator looks at", () => {
  const pod = asPod(
    {
      podIP: "10.0.0.1",
      conditions: [{ type: "Ready", status: "True" }],
      initContainerStatuses: [container("agent", { running: {} })],
      containerStatuses: [container("other", { waiting: {} }), container("evnode", { running: {} })],
    },
    {
      metadata: {
        name: "seq-0",
        uid: "u",
        resourceVersion: "7",
        labels: { [labels.revision]: "seq-1", [labels.role]: "leader" },
        annotations: {
          [annotations.configRevision]: "r1",
          [annotations.order]: "{}",
          [annotations.orderGivenAt]: "2026-01-01T00:00:00.000Z",
        },
      },
      spec: { nodeName: "node-a", containers: [{ name: "evnode", image: "app:1" }] },
    },
  );
  expect(podOf(pod)).toEqual({
    uid: "u",
    resourceVersion: "7",
    ip: "10.0.0.1",
    node: "node-a",
    revision: "seq-1",
    configRevision: "r1",
    image: "app:1",
    agentImage: undefined,
    containerId: undefined,
    agentContainerId: undefined,
    startedAt: undefined,
    update: undefined,
    createdAt: undefined,
    readySince: undefined,
    object: pod,
    role: "leader",
    order: "{}",
    orderGivenAt: "2026-01-01T00:00:00.000Z",
    labels: { [labels.revision]: "seq-1", [labels.role]: "leader" },
    terminating: false,
    ready: true,
    scheduling: "scheduled",
    agent: { kind: "running", restarts: 2, lastExit: undefined },
    execution: { kind: "absent" },
    evnode: { kind: "running", restarts: 2, lastExit: undefined },
  });
});

test("a pod of which nothing is known yet", () => {
  const { metadata } = asPod();
  expect(podOf({ apiVersion: "v1", kind: "Pod", metadata })).toMatchObject({
    ip: undefined,
    node: undefined,
    ready: false,
    terminating: false,
    scheduling: "pending",
    agent: { kind: "absent" },
    evnode: { kind: "absent" },
    labels: {},
  });
});

test("a pod with a time of deletion is terminating", () => {
  const metadata = { name: "seq-0", deletionTimestamp: "2026-01-01T00:00:00Z" };
  expect(podOf(asPod({}, { metadata })).terminating).toBe(true);
});

test.each<[string, NonNullable<Status["conditions"]>, unknown]>([
  ["not looked at by the scheduler", [], "pending"],
  [
    "refused by every node",
    [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/3 nodes" }],
    { unschedulable: "0/3 nodes" },
  ],
  [
    "refused without a word",
    [{ type: "PodScheduled", status: "False", reason: "Unschedulable" }],
    { unschedulable: "no reason given" },
  ],
  ["held back by a gate", [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }], "pending"],
])("a pod %s", (_, conditions, scheduling) => {
  expect(podOf(asPod({ conditions })).scheduling).toEqual(scheduling);
});

/** The end of ev-node's output on a Raft log whose pages were overwritten, as far as Kubernetes keeps it. */
const panic = `boltdb@v0.0.0-20251103221153-05f9dd7a5148/bolt_store.go:87 +0xb5
github.com/hashicorp/raft-boltdb.NewBoltStore(...)
\tgithub.com/hashicorp/raft-boltdb@v0.0.0-20251103221153-05f9dd7a5148/bolt_store.go:66
github.com/evstack/ev-node/pkg/raft.NewNode(0x39087ed345b0?, {{0x2249288, 0x39087ec40830}, 0xff, ...})
\tgithub.com/evstack/ev-node@v1.2.2/pkg/raft/node.go:107 +0x670
main.main()
\tevnode.dev/local-cluster/evnode/testnode/main.go:35 +0xde
`;

describe("a container", () => {
  const usage = "Error: leader lock lost\nUsage:\n  testapp start\n\nleader lock lost\n";
  const exit = { exitCode: 1, message: usage };

  test.each<[string, ContainerState, ContainerState]>([
    ["without a state", evnodeOf(undefined), { kind: "absent" }],
    [
      "that waits",
      evnodeOf({ waiting: { reason: "ImagePullBackOff", message: "not found" } }),
      { kind: "waiting", reason: "ImagePullBackOff", message: "not found", lastExit: undefined },
    ],
    [
      "that waits without a reason",
      evnodeOf({}),
      { kind: "waiting", reason: "Unknown", message: "", lastExit: undefined },
    ],
    [
      "that waits after an exit, of which the last line alone is evidence",
      evnodeOf({ waiting: { reason: "CrashLoopBackOff" } }, { terminated: exit }),
      {
        kind: "waiting",
        reason: "CrashLoopBackOff",
        message: "",
        lastExit: { code: 1, lastLine: "leader lock lost" },
      },
    ],
    [
      "that panicked, of which the innermost function that is left says most",
      evnodeOf({ terminated: { exitCode: 2, message: panic } }),
      {
        kind: "terminated",
        lastExit: { code: 2, lastLine: "panic in github.com/hashicorp/raft-boltdb.NewBoltStore" },
      },
    ],
    [
      "that ended",
      evnodeOf({ terminated: { exitCode: 137 } }),
      { kind: "terminated", lastExit: { code: 137, lastLine: "" } },
    ],
    [
      "that runs again",
      evnodeOf({ running: {} }, { terminated: exit }),
      { kind: "running", restarts: 2, lastExit: { code: 1, lastLine: "leader lock lost" } },
    ],
  ])("%s", (_, state, expected) => {
    expect(state).toEqual(expected);
  });

  test.each<[string, boolean]>([
    ["CrashLoopBackOff", true],
    ["ImagePullBackOff", true],
    ["ErrImagePull", true],
    ["CreateContainerConfigError", true],
    ["RunContainerError", true],
    ["PodInitializing", false],
    ["ContainerCreating", false],
    ["Unknown", false],
  ])("that waits because of %s: failed is %s", (reason, failed) => {
    expect(isFailed({ kind: "waiting", reason, message: "", lastExit: undefined })).toBe(failed);
  });

  test("that ended once is not failed: a leader that hands over ends with 1", () => {
    expect(isFailed({ kind: "terminated", lastExit: { code: 1, lastLine: "leader lock lost" } })).toBe(false);
  });
});

test("a claim, with the marks that outlive everything else", () => {
  const claim: PersistentVolumeClaim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name: "data-seq-0",
      uid: "u",
      resourceVersion: "7",
      deletionTimestamp: "2026-01-01T00:00:00Z",
      annotations: { [annotations.epoch]: "2", [annotations.started]: "1" },
    },
    spec: { volumeName: "pv", storageClassName: "fast" },
    status: { phase: "Bound" },
  };
  expect(claimOf(claim)).toEqual({
    uid: "u",
    resourceVersion: "7",
    phase: "Bound",
    terminating: true,
    volume: "pv",
    storageClass: "fast",
    epoch: 2,
    started: 1,
  });
  const { metadata } = asPod();
  expect(claimOf({ apiVersion: "v1", kind: "PersistentVolumeClaim", metadata })).toMatchObject({
    phase: "Unknown",
    terminating: false,
    epoch: undefined,
    started: undefined,
  });
});

test.each<[string | undefined, number | undefined]>([
  ["1", 1],
  ["12", 12],
  [undefined, undefined],
  ["", undefined],
  ["0", undefined],
  ["01", undefined],
  ["-1", undefined],
  ["1.0", undefined],
  ["1 ", undefined],
  ["1e3", undefined],
  ["1000000000", undefined],
])("the annotation %j is epoch %s", (text, epoch) => {
  expect(epochFrom(text)).toBe(epoch);
});
