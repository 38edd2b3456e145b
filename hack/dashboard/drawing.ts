import { escaped } from "../svg.ts";
import { type DrawnPanel, type Line, linesOf, nameOf, stacked } from "./lines.ts";
import type { Panel } from "./panels.ts";
import type { Mark } from "./recording.ts";
import { type Scale, scaleFor, shown } from "./scale.ts";

/** Of one cell of Grafana's grid, which has 24 columns. */
const [CELL_WIDTH, CELL_HEIGHT, GAP, TOP] = [52, 26, 6, 44];
const WIDTH = 24 * CELL_WIDTH + GAP;
const [AXIS_WIDTH, TITLE_HEIGHT, LEGEND_LINE] = [50, 26, 14];

const colours = ["#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#b877d9", "#5794f2", "#ffa6b0"];
const thresholdFills: Readonly<Record<string, string>> = {
  red: "#c4162a",
  orange: "#e0752d",
  green: "#37872d",
};

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Timeline {
  readonly seconds: readonly number[];
  readonly marks: readonly Mark[];
}

/** The whole dashboard as a picture. */
export function picture(panels: readonly DrawnPanel[], timeline: Timeline): string {
  const bottom = Math.max(...panels.map(({ panel: { gridPos } }) => gridPos.y + gridPos.h));
  const height = TOP + bottom * CELL_HEIGHT + GAP;
  return [
    "<!-- Drawn by hack/dashboard.ts with its option `picture`, and not by hand: see CONTRIBUTING.md. -->",
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img"`,
    `     font-family="Inter, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif" font-size="11">`,
    "<title>The dashboard of evnode-operator</title>",
    "<desc>Every panel of helm/files/dashboard.json, drawn from what Prometheus answers to its queries about a run of the",
    "simulator: a rollout, a killed leader, and cut Raft ports.</desc>",
    "<style>text{fill:#ccccdc}.quiet{fill:#8e8e99}.head{font-size:13px;font-weight:600}.row{font-size:14px;font-weight:600}</style>",
    `<rect width="${WIDTH}" height="${height}" fill="#111217"/>`,
    `<text x="${GAP + 4}" y="20" class="row">evnode-operator</text>`,
    `<text x="${GAP + 4}" y="37" class="quiet">${escaped(story(timeline))}</text>`,
    ...panels.map((one) => panelAt(one, boxOf(one.panel), timeline)),
    "</svg>",
    "",
  ].join("\n");
}

function story({ seconds, marks }: Timeline): string {
  const told = marks.map(({ atSeconds, what }) => `${atSeconds / 60} min: ${what}`).join("; ");
  return `A simulated cluster of three, ${Math.round((seconds.at(-1) ?? 0) / 60)} minutes. ${told}.`;
}

function boxOf({ gridPos: { x, y, w, h } }: Panel): Box {
  return {
    x: GAP + x * CELL_WIDTH,
    y: TOP + y * CELL_HEIGHT,
    width: w * CELL_WIDTH - GAP,
    height: h * CELL_HEIGHT - GAP,
  };
}

function panelAt(drawn: DrawnPanel, box: Box, timeline: Timeline): string {
  const { x, y, width, height } = box;
  const title = escaped(drawn.panel.title);
  if (drawn.panel.type === "row") return `<text x="${x + 4}" y="${y + 17}" class="row">${title}</text>`;
  const inner = { x: x + 8, y: y + TITLE_HEIGHT, width: width - 16, height: height - TITLE_HEIGHT - 8 };
  return [
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="2" fill="#181b1f" stroke="#24262c"/>`,
    `<text x="${x + 8}" y="${y + 18}" class="head">${title}</text>`,
    contentOf(drawn, inner, timeline),
  ].join("\n");
}

function contentOf(drawn: DrawnPanel, box: Box, timeline: Timeline): string {
  switch (drawn.panel.type) {
    case "stat":
      return stat(drawn, box);
    case "table":
      return table(drawn, box);
    case "timeseries":
      return graph(drawn, box, timeline);
    case "row":
      return "";
  }
}

/** The last value, on the colour of its threshold. */
function stat({ panel, answers }: DrawnPanel, box: Box): string {
  const { unit, noValue = "", thresholds } = panel.fieldConfig.defaults;
  const sample = answers[0]?.at(-1)?.[0];
  const value = sample?.value;
  const passed = thresholds?.steps.findLast((one) => one.value === null || (value ?? 0) >= one.value);
  const fill = value === undefined ? "#33363d" : (thresholdFills[passed?.color ?? ""] ?? "#33363d");
  const middle = box.x + box.width / 2;
  return [
    `<rect x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}" rx="2" fill="${fill}"/>`,
    `<text x="${middle}" y="${box.y + box.height / 2 - 4}" text-anchor="middle">${escaped(nameOf(panel.targets[0]?.legendFormat ?? "", sample?.labels ?? {}))}</text>`,
    `<text x="${middle}" y="${box.y + box.height / 2 + 24}" text-anchor="middle" font-size="28" font-weight="600">${value === undefined ? escaped(noValue) : shown(value, unit)}</text>`,
  ].join("\n");
}

/** The last answer, a row for each sample. */
function table({ panel, answers }: DrawnPanel, box: Box): string {
  const samples = answers[0]?.at(-1) ?? [];
  if (samples.length === 0) return nothing(box);
  const order = Object.entries(panel.transformations[0]?.options.indexByName ?? {});
  const columns = order.toSorted(([, one], [, other]) => one - other).map(([name]) => name);
  const step = box.width / columns.length;
  const line = (cells: readonly string[], at: number, look: string) =>
    cells
      .map(
        (cell, column) =>
          `<text x="${round(box.x + column * step)}" y="${box.y + 14 + at * 18}"${look}>${escaped(cell)}</text>`,
      )
      .join("");
  const rows = samples.map(({ labels }) => columns.map((name) => labels[name] ?? ""));
  return [
    line(columns, 0, ' class="quiet"'),
    ...rows
      .toSorted((one, other) => one.join().localeCompare(other.join()))
      .map((cells, at) => line(cells, at + 1, "")),
  ].join("\n");
}

function graph(drawn: DrawnPanel, box: Box, timeline: Timeline): string {
  const { unit, min, custom } = drawn.panel.fieldConfig.defaults;
  const named = linesOf(drawn);
  const lines = custom?.stacking.mode === "normal" ? stacked(named) : named;
  const values = lines.flatMap((line) => line.values.flatMap((value) => value ?? []));
  if (values.length === 0) return nothing(box);
  const { texts, rows } = legend(named, box);
  const plot = {
    x: box.x + AXIS_WIDTH,
    y: box.y + 6,
    width: box.width - AXIS_WIDTH - 4,
    height: box.height - 24 - rows * LEGEND_LINE,
  };
  const scale = scaleFor(values, min);
  const toY = (value: number) =>
    round(plot.y + plot.height * (1 - (value - scale.low) / (scale.high - scale.low)));
  const end = timeline.seconds.at(-1) ?? 1;
  const toX = (seconds: number) => round(plot.x + (plot.width * seconds) / end);
  return [
    ...axes(scale, plot, { toX, toY }, timeline, (value) => shown(value, unit)),
    ...lines.map((line, at) => path(line, colourOf(at), { toX, toY }, timeline.seconds)),
    ...texts,
  ].join("\n");
}

interface Projection {
  readonly toX: (seconds: number) => number;
  readonly toY: (value: number) => number;
}

function axes(
  { ticks }: Scale,
  plot: Box,
  { toX, toY }: Projection,
  { seconds, marks }: Timeline,
  text: (value: number) => string,
): readonly string[] {
  const right = plot.x + plot.width;
  const bottom = plot.y + plot.height;
  const end = seconds.at(-1) ?? 0;
  const times = Array.from({ length: Math.floor(end / 600) + 1 }, (_, at) => at * 600);
  return [
    ...ticks.map(
      (tick) =>
        `<path d="M${plot.x} ${toY(tick)}H${right}" stroke="#2c2e35"/><text x="${plot.x - 6}" y="${toY(tick) + 4}" text-anchor="end" class="quiet">${text(tick)}</text>`,
    ),
    ...marks.map(
      ({ atSeconds }) =>
        `<path d="M${toX(atSeconds)} ${plot.y}V${bottom}" stroke="#5794f2" stroke-dasharray="2 3" opacity="0.7"/>`,
    ),
    ...times.map(
      (time) =>
        `<text x="${toX(time)}" y="${bottom + 14}" text-anchor="middle" class="quiet">${time / 60}</text>`,
    ),
  ];
}

/** With a gap where there is no value; a value that stands alone is a dot. */
function path(
  { values }: Line,
  colour: string,
  { toX, toY }: Projection,
  seconds: readonly number[],
): string {
  let isDrawing = false;
  const steps = values.map((value, at) => {
    const isShown = value !== undefined && Number.isFinite(value);
    const step = isShown ? `${isDrawing ? "L" : "M"}${toX(seconds[at] ?? 0)} ${toY(value)}` : "";
    const isAlone = isShown && !isDrawing && values[at + 1] === undefined;
    isDrawing = isShown;
    return isAlone ? `${step}h1` : step;
  });
  return `<path d="${steps.join("")}" fill="none" stroke="${colour}" stroke-width="1.5" stroke-linejoin="round"/>`;
}

/** At the bottom of the box, in as many rows as it takes. */
function legend(
  lines: readonly Line[],
  box: Box,
): { readonly texts: readonly string[]; readonly rows: number } {
  const places: { x: number; row: number }[] = [];
  let [x, row] = [0, 0];
  for (const { name } of lines) {
    const width = 26 + name.length * 6.3;
    if (x > 0 && x + width > box.width) [x, row] = [0, row + 1];
    places.push({ x, row });
    x += width;
  }
  const rows = row + 1;
  const texts = lines.map(({ name }, at) => {
    const place = places[at] ?? { x: 0, row: 0 };
    const y = box.y + box.height - (rows - place.row - 1) * LEGEND_LINE;
    const left = round(box.x + place.x);
    return `<path d="M${left} ${y - 4}h12" stroke="${colourOf(at)}" stroke-width="3"/><text x="${left + 16}" y="${y}">${escaped(name)}</text>`;
  });
  return { texts, rows };
}

const nothing = ({ x, y, width, height }: Box) =>
  `<text x="${x + width / 2}" y="${y + height / 2}" text-anchor="middle" class="quiet">No data</text>`;

const colourOf = (at: number) => colours[at % colours.length] ?? "#ffffff";
const round = (value: number) => Math.round(value * 10) / 10;
