import { describe, expect, it } from "vitest";
import type { Recorded } from "../../hack/measure/recorded-watch.ts";
import { type EndpointSlice, roleTimeline } from "../../hack/measure/role-timeline.ts";
import type { Pod } from "../../src/model/objects.ts";

const KILLED = 100;

const pod = (name: string, role: string | undefined, atMs: number): Recorded<Pod> => ({
  type: "MODIFIED",
  atMs,
  object: {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: role === undefined ? {} : { "evnode.dev/role": role } },
  },
});
const slice = (name: string, targets: readonly string[], atMs: number): Recorded<EndpointSlice> => ({
  type: "MODIFIED",
  atMs,
  object: {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name },
    endpoints: targets.map((target) => ({ targetRef: { name: target } })),
  },
});
const before = [pod("seq-0", "leader", 1), pod("seq-1", "follower", 1)];

describe("labels after a kill", () => {
  it("are told with their times, old one first", () => {
    const pods = [
      ...before,
      pod("seq-0", undefined, 150),
      pod("seq-1", "leader", 180),
      pod("seq-0", "follower", 900),
    ];
    expect(roleTimeline({ pods, slices: [] }, "seq-1", KILLED)).toEqual({
      oldLabelGoneMs: 150,
      newLabelMs: 180,
      overlaps: 0,
      serviceMs: undefined,
    });
  });

  it("overlap when the new one comes first", () => {
    const pods = [...before, pod("seq-1", "leader", 150), pod("seq-0", undefined, 180)];
    expect(roleTimeline({ pods, slices: [] }, "seq-1", KILLED)).toMatchObject({
      overlaps: 1,
      newLabelMs: 150,
    });
  });

  it("do not overlap when the old leader's pod is gone", () => {
    const gone: Recorded<Pod> = { ...pod("seq-0", "leader", 150), type: "DELETED" };
    const pods = [...before, gone, pod("seq-1", "leader", 180)];
    expect(roleTimeline({ pods, slices: [] }, "seq-1", KILLED)).toMatchObject({
      overlaps: 0,
      oldLabelGoneMs: 150,
    });
  });

  it("are not told when they do not change", () => {
    const pods = [...before, pod("seq-0", "leader", 500)];
    const timeline = roleTimeline({ pods, slices: [] }, "seq-1", KILLED);
    expect(timeline).toEqual({
      oldLabelGoneMs: undefined,
      newLabelMs: undefined,
      overlaps: 0,
      serviceMs: undefined,
    });
  });
});

describe("the Service after a kill", () => {
  const serviceMs = (...slices: Recorded<EndpointSlice>[]) =>
    roleTimeline({ pods: [], slices }, "seq-1", KILLED).serviceMs;

  it("is right from the moment on that it names the new leader alone", () => {
    expect(serviceMs(slice("a", ["seq-0"], 1), slice("a", [], 160), slice("a", ["seq-1"], 200))).toBe(200);
  });

  it("is not right while it names the old one, too", () => {
    expect(serviceMs(slice("a", ["seq-0"], 1), slice("a", ["seq-0", "seq-1"], 200))).toBeUndefined();
  });

  it("counts from the last time that it became right", () => {
    const changes = [slice("a", ["seq-1"], 200), slice("a", ["seq-0"], 300), slice("a", ["seq-1"], 400)];
    expect(serviceMs(...changes)).toBe(400);
  });

  it("looks at all slices together", () => {
    const removed: Recorded<EndpointSlice> = { ...slice("b", [], 300), type: "DELETED" };
    expect(serviceMs(slice("b", ["seq-0"], 1), slice("a", ["seq-1"], 200))).toBeUndefined();
    expect(serviceMs(slice("b", ["seq-0"], 1), slice("a", ["seq-1"], 200), removed)).toBe(300);
  });
});
