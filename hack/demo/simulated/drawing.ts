import type { MemberLook, Verdict } from "./look.ts";
import type { Frame, SceneView } from "./play.ts";
import type { Told } from "./stage.ts";
import { tagOf } from "./story.ts";

/** How a piece of text looks, on a terminal and in the picture. */
export type Tone = "plain" | "quiet" | "strong" | "good" | "busy" | "bad" | "label";

export interface Span {
  readonly text: string;
  readonly tone: Tone;
}

export type Line = readonly Span[];

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const MESSAGE_LINES = 3;
const MOST_EVENTS = 8;
/** Text is hard to read on longer lines. */
const WIDEST = 100;

/** One moment of the demo, for a terminal of this size. Nothing moves from one moment to the next but what changed. */
export function drawing(frame: Frame, speed: number, { columns, rows }: Size): readonly Line[] {
  const { look } = frame;
  const above = [
    ...title(frame, speed, columns),
    [],
    progress(frame.scenes),
    ...story(frame),
    [],
    ...clusterTable(frame),
    [],
    ...memberTable(look.members),
    [],
    ...condition(
      look.stalled.status === "True" ? ["Stalled", look.stalled] : ["RolloutComplete", look.rolloutComplete],
      columns,
    ),
    [],
  ];
  const space = Math.min(MOST_EVENTS, rows - 1 - above.length);
  const lines = [...above, ...padded(eventLines(frame.events, space), space)];
  return lines.slice(0, Math.max(1, rows - 1)).map((line) => cut(line, columns));
}

function title({ nowMs }: Frame, speed: number, columns: number): readonly Line[] {
  const [mark, what] = [" SIMULATION ", "  evnode-operator on a simulated Kubernetes cluster"];
  const clock = `${Math.floor(nowMs / 1000)} s`;
  const gap = Math.min(columns, WIDEST) - mark.length - what.length - clock.length;
  return [
    [label(mark), strong(what), quiet(`${" ".repeat(Math.max(2, gap))}${clock}`)],
    [quiet(`Real operator, simulated Kubernetes and ev-node; time runs ${speed} times as fast.`)],
  ];
}

const marks = { ended: "✓", current: "▸", toCome: "·", failed: "✗" } as const;
const tones = { ended: "good", current: "busy", toCome: "quiet", failed: "bad" } as const;

function progress(scenes: readonly SceneView[]): Line {
  return scenes.flatMap(({ title, state }, at) => [
    ...(at === 0 ? [] : [plain("  ")]),
    { text: `${marks[state]} ${title}`, tone: tones[state] },
  ]);
}

/** What is done now, and below it what came of it. */
function story({ now, scenes }: Frame): readonly Line[] {
  const last = scenes.findLast(({ state }) => state !== "toCome");
  const { told = "", state = "current" } = last ?? {};
  return [[strong(now)], [{ text: told, tone: tones[state] }]];
}

function clusterTable({ look }: Frame): readonly Line[] {
  const { name, phase, leader, quorum, updated, ready, members } = look;
  const height = Math.max(0, ...members.map((member) => member.height ?? 0));
  const cells: readonly Span[] = [
    strong(name),
    {
      text: phase,
      tone: phase === "Running" ? "good" : ["Down", "Degraded"].includes(phase) ? "bad" : "busy",
    },
    plain(leader ?? "-"),
    { text: quorum, tone: quorum === "Healthy" ? "good" : "busy" },
    plain(ready),
    plain(updated),
    plain(height === 0 ? "-" : String(height)),
  ];
  return [
    row(["CLUSTER", "PHASE", "LEADER", "QUORUM", "READY", "UPDATED", "BLOCK"].map(quiet), clusterWidths),
    row(cells, clusterWidths),
  ];
}

const clusterWidths = [10, 13, 10, 7, 5, 7, 0];
const memberWidths = [10, 8, 11, 7, 5, 0];

function memberTable(members: readonly MemberLook[]): readonly Line[] {
  return [
    row(["MEMBER", "ROLE", "STATE", "IMAGE", "BLOCK", "WAITS FOR"].map(quiet), memberWidths),
    ...members.map((member) => row(memberCells(member), memberWidths)),
  ];
}

function memberCells({ name, role, state, image, height, ready, doing }: MemberLook): readonly Span[] {
  const stateTone = state === "Running" ? "plain" : ["Failed", "Missing"].includes(state) ? "bad" : "busy";
  return [
    plain(name),
    { text: role === "unknown" ? "-" : role, tone: role === "leader" ? "strong" : "plain" },
    { text: state, tone: stateTone },
    plain(image === undefined ? "-" : tagOf(image)),
    plain(height === undefined ? "-" : String(height)),
    { text: doing, tone: ready ? "quiet" : state === "Failed" ? "bad" : "busy" },
  ];
}

function condition(
  [type, { status, reason, message }]: readonly [string, Verdict],
  columns: number,
): readonly Line[] {
  const isWell = status === (type === "Stalled" ? "False" : "True");
  const tone = isWell ? "good" : type === "Stalled" ? "bad" : "busy";
  return [
    [strong(`${type} `), { text: `${status}, ${reason}`, tone }],
    ...padded(
      wrapped(message, Math.min(columns, WIDEST), MESSAGE_LINES).map((text) => [plain(text)]),
      MESSAGE_LINES,
    ),
  ];
}

function eventLines(events: readonly Told[], count: number): readonly Line[] {
  if (count <= 0) return [];
  return events
    .slice(-count)
    .map(({ atMs, type, reason, note }) => [
      quiet(`${String(Math.floor(atMs / 1000)).padStart(4)} s  `),
      { text: reason.padEnd(17), tone: type === "Warning" ? "bad" : "plain" },
      quiet(` ${note}`),
    ]);
}

function row(cells: readonly Span[], widths: readonly number[]): Line {
  return cells.flatMap((cell, at) => {
    const gap = " ".repeat(Math.max(0, (widths[at] ?? 0) - cell.text.length) + 2);
    return at === cells.length - 1 ? [cell] : [cell, plain(gap)];
  });
}

/** Breaks at spaces; what does not fit into so many lines ends with three dots. */
function wrapped(text: string, columns: number, most: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length <= columns || line === "") line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  lines.push(line);
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), `${(lines[most - 1] ?? "").slice(0, columns - 2)} …`];
}

const padded = (lines: readonly Line[], count: number): readonly Line[] =>
  Array.from({ length: Math.max(count, lines.length) }, (_, at) => lines[at] ?? []);

/** No line may wrap: a terminal would then draw one more than was counted. */
function cut(line: Line, columns: number): Line {
  const spans: Span[] = [];
  let left = columns;
  for (const { text, tone } of line) {
    if (text.length <= left) spans.push({ text, tone });
    else if (left > 0) spans.push({ text: `${text.slice(0, left - 1)}…`, tone });
    left -= Math.min(left, text.length);
  }
  return spans;
}

const span =
  (tone: Tone) =>
  (text: string): Span => ({ text, tone });
const plain = span("plain");
const quiet = span("quiet");
const strong = span("strong");
const label = span("label");
