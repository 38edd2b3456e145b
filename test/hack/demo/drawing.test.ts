import { describe, expect, it } from "vitest";
import { ansi } from "../../../hack/demo/simulated/ansi.ts";
import { drawing } from "../../../hack/demo/simulated/drawing.ts";
import { newsIn } from "../../../hack/demo/simulated/news.ts";
import { newScreen } from "../../../hack/demo/simulated/screen.ts";
import { frame, look, member } from "./looks.ts";

const drawn = (columns: number, rows: number, shown = frame()) =>
  drawing(shown, 4, { columns, rows }).map((line) => ansi(line, false));

describe("the view", () => {
  it("shows cluster, members, story and events on a small terminal", () => {
    const waits = member(2, {
      role: "unknown",
      state: "Preparing",
      ready: false,
      doing: "waits for its order",
    });
    const shown = frame({ look: look({ members: [member(0), member(1), waits] }) });
    expect(drawn(80, 24, shown)).toEqual([
      " SIMULATION   evnode-operator on a simulated Kubernetes cluster             12 s",
      "Real operator, simulated Kubernetes and ev-node; time runs 4 times as fast.",
      "",
      "✓ start  ▸ upgrade  · killed leader",
      "kubectl edit: an image.",
      "",
      "",
      "CLUSTER     PHASE          LEADER      QUORUM   READY  UPDATED  BLOCK",
      "c           Running        c-0         Healthy  3/3    3/3      10",
      "",
      "MEMBER      ROLE      STATE        IMAGE    BLOCK  WAITS FOR",
      "c-0         leader    Running      v1.1.5   10     in sync",
      "c-1         follower  Running      v1.1.5   10     in sync",
      "c-2         -         Preparing    v1.1.5   10     waits for its order",
      "",
      "RolloutComplete True, UpToDate",
      "Every member runs the spec.",
      "",
      "",
      "",
      "   4 s  LeaderElected     c-0 leads.",
      "",
      "",
    ]);
  });

  it("shows what stalls the cluster, in as many lines as there are", () => {
    const message = `No member was touched: ${"image example.org/testapp:missing on node node-0 ".repeat(8)}`;
    const stalled = { status: "True" as const, reason: "RehearsalFailed", message };
    const lines = drawn(80, 24, frame({ look: look({ stalled }) }));
    expect(lines.slice(15, 19)).toEqual([
      "Stalled True, RehearsalFailed",
      "No member was touched: image example.org/testapp:missing on node node-0 image",
      "example.org/testapp:missing on node node-0 image example.org/testapp:missing on",
      "node node-0 image example.org/testapp:missing on node node-0 image …",
    ]);
  });

  it.each([
    [40, 10],
    [80, 24],
    [200, 60],
    [1, 1],
  ])("fits %i columns and %i rows", (columns, rows) => {
    const lines = drawn(columns, rows);
    expect(lines.length).toBeLessThanOrEqual(Math.max(1, rows - 1));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
  });

  it("does not jump when the story goes on", () => {
    const told = frame({ scenes: [{ title: "start", state: "ended", told: "all is well" }], events: [] });
    expect(drawn(80, 24, told)).toHaveLength(drawn(80, 24).length);
  });
});

function fakeOutput(isTTY: boolean) {
  const written: string[] = [];
  const write = (text: string | Uint8Array) => written.push(String(text)) > 0;
  return { written, output: { isTTY, columns: 80, rows: 24, write } };
}

describe("a terminal", () => {
  it("is drawn over in one write, not at all when nothing changed, and given back in the end", () => {
    const { written, output } = fakeOutput(true);
    const screen = newScreen({ output, isColoured: false, speed: 4 });
    screen.show(frame());
    screen.show(frame());
    expect(written).toHaveLength(1);
    expect(written[0]?.startsWith("\x1b[?1049h\x1b[?25l\x1b[?2026h\x1b[H SIMULATION ")).toBe(true);
    screen.show(frame({ nowMs: 13_345 }));
    expect(written).toHaveLength(2);
    expect(written[1]?.startsWith("\x1b[?2026h\x1b[H SIMULATION ")).toBe(true);
    screen.end(frame());
    expect(written[2]?.startsWith("\x1b[?25h\x1b[?1049l SIMULATION ")).toBe(true);
  });
});

describe("without a terminal", () => {
  it("one line is written for each change, and none for heights that rise", () => {
    const { written, output } = fakeOutput(false);
    const screen = newScreen({ output, isColoured: false, speed: 4 });
    screen.show(frame());
    expect(written[0]).toBe("SIMULATION: the real operator, on a simulated Kubernetes cluster\n");
    const before = written.length;
    screen.show(
      frame({ look: look({ members: [0, 1, 2].map((ordinal) => member(ordinal, { height: 11 })) }) }),
    );
    expect(written).toHaveLength(before);
  });

  it("says what is new", () => {
    const later = frame({
      nowMs: 14_000,
      look: look({ phase: "Updating" }),
      events: [...frame().events, { atMs: 14_000, type: "Warning", reason: "Restored", note: "a Service." }],
    });
    expect(newsIn(frame(), later)).toEqual([
      "  14.0 s  event      Warning Restored: a Service.",
      "  14.0 s  cluster    c: Updating, leader c-0, quorum Healthy, ready 3/3, updated 3/3",
    ]);
  });

  it("says how a scene has ended", () => {
    const scenes = frame().scenes.with(1, { title: "upgrade", state: "failed", told: "two were away" });
    expect(newsIn(frame(), frame({ scenes }))).toEqual(["--- upgrade failed: two were away"]);
  });
});
