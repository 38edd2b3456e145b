import type { Look, MemberLook } from "../../../hack/demo/simulated/look.ts";
import type { Frame } from "../../../hack/demo/simulated/play.ts";
import type { Past } from "../../../hack/demo/simulated/witness.ts";

/** A cluster that is well, and a past in which nothing happened but blocks: a test states what differs. */

export const OLD = "example.org/testapp:v1.1.5";
export const NEW = "example.org/testapp:v1.1.6";

export function member(ordinal: number, over: Partial<MemberLook> = {}): MemberLook {
  return {
    name: `c-${ordinal}`,
    role: ordinal === 0 ? "leader" : "follower",
    state: "Running",
    ready: true,
    height: 10,
    image: OLD,
    process: { image: OLD, leads: ordinal === 0 },
    doing: "in sync",
    ...over,
  };
}

/** All members run this image, in their pods and in truth. */
export const running = (image: string): readonly MemberLook[] =>
  [0, 1, 2].map((ordinal) => member(ordinal, { image, process: { image, leads: ordinal === 0 } }));

export function look(over: Partial<Look> = {}): Look {
  return {
    name: "c",
    image: OLD,
    phase: "Running",
    leader: "c-0",
    quorum: "Healthy",
    ready: "3/3",
    updated: "3/3",
    rolloutComplete: { status: "True", reason: "UpToDate", message: "Every member runs the spec." },
    stalled: { status: "False", reason: "NotStalled", message: "Nothing needs a person." },
    lastRollout: undefined,
    members: running(OLD),
    ...over,
  };
}

export function past(over: Partial<Past> = {}): Past {
  return {
    sinceMs: 0,
    endings: [],
    leaders: ["c-0"],
    blocks: 20,
    replaced: 0,
    longestPauseMs: 250,
    firstBlockAtMs: 4_000,
    mostAway: 0,
    ...over,
  };
}

export const ending = (name: string, wasLeader = false) => ({ member: name, wasLeader, image: OLD, atMs: 0 });

export function frame(over: Partial<Frame> = {}): Frame {
  return {
    nowMs: 12_345,
    look: look(),
    scenes: [
      { title: "start", state: "ended", told: "three lead" },
      { title: "upgrade", state: "current", told: "" },
      { title: "killed leader", state: "toCome", told: "" },
    ],
    now: "kubectl edit: an image.",
    events: [{ atMs: 4_000, type: "Normal", reason: "LeaderElected", note: "c-0 leads." }],
    ...over,
  };
}
