import { scaleFor } from "../../dashboard/scale.ts";
import { escaped } from "../../svg.ts";
import { type Fact, type ScaleFindings, shownFact } from "./scale-facts.ts";

const [PANEL_WIDTH, PANEL_HEIGHT, COLUMNS, GAP, TOP] = [290, 170, 3, 10, 44];
const [LEFT, ABOVE, RIGHT, BELOW] = [58, 34, 14, 26];
const WIDTH = COLUMNS * PANEL_WIDTH + (COLUMNS + 1) * GAP;
const [MEASURED, AIMED] = ["#2563a8", "#b45309"];

/** How each fact grows with the number of clusters, with what is aimed at as a broken line. */
export function scalePicture(found: readonly ScaleFindings[], facts: readonly Fact[]): string {
  const rows = Math.ceil(facts.length / COLUMNS);
  const height = TOP + rows * (PANEL_HEIGHT + GAP);
  const sizes = found.map(({ clusters }) => clusters).join(", ");
  return [
    "<!-- Drawn by the measurement `scale` with its option `picture`, and not by hand: see CONTRIBUTING.md. -->",
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img"`,
    `     font-family="Inter, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif" font-size="11">`,
    "<title>One operator with more and more clusters</title>",
    `<desc>Figures of one operator process with ${sizes} clusters of three simulated members on a real API server.</desc>`,
    "<style>text{fill:#1f2933}.quiet{fill:#616e7c}.head{font-weight:600}</style>",
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="${GAP}" y="20" font-size="14" class="head">One operator, by the number of clusters</text>`,
    `<text x="${GAP}" y="36" class="quiet">${sizes} clusters of three simulated members; the broken line is what is aimed at</text>`,
    ...facts.map((fact, at) => panel(fact, found, at)),
    "</svg>",
    "",
  ].join("\n");
}

function panel(fact: Fact, found: readonly ScaleFindings[], at: number): string {
  const x = GAP + (at % COLUMNS) * (PANEL_WIDTH + GAP);
  const y = TOP + Math.floor(at / COLUMNS) * (PANEL_HEIGHT + GAP);
  return [
    `<g transform="translate(${x} ${y})">`,
    `<rect width="${PANEL_WIDTH}" height="${PANEL_HEIGHT}" rx="3" fill="#f7f9fb" stroke="#d9e0e7"/>`,
    `<text x="10" y="19" class="head">${escaped(fact.what)}</text>`,
    ...curves(fact, found),
    "</g>",
  ].join("\n");
}

interface Point {
  readonly clusters: number;
  readonly value: number;
}

function curves({ of, aim, unit }: Fact, found: readonly ScaleFindings[]): readonly string[] {
  const measured = found.flatMap((one) => {
    const value = of(one);
    return value === undefined ? [] : [{ clusters: one.clusters, value }];
  });
  const most = Math.max(...found.map(({ clusters }) => clusters));
  const aimed = aim ? [0, most].map((clusters) => ({ clusters, value: aim(clusters) })) : [];
  const values = [...measured, ...aimed].map(({ value }) => value);
  const { low, high, ticks } = scaleFor(values.length === 0 ? [0] : values, 0);
  const [right, bottom] = [PANEL_WIDTH - RIGHT, PANEL_HEIGHT - BELOW];
  const toX = (clusters: number) => round(LEFT + ((right - LEFT) * clusters) / most);
  const toY = (value: number) => round(bottom - ((bottom - ABOVE) * (value - low)) / (high - low));
  const line = (points: readonly Point[], look: string) => {
    const steps = points.map(({ clusters, value }) => `${toX(clusters)} ${toY(value)}`);
    return steps.length === 0 ? "" : `<path d="M${steps.join("L")}" fill="none" ${look}/>`;
  };
  return [
    ...ticks.map(
      (tick) =>
        `<path d="M${LEFT} ${toY(tick)}H${right}" stroke="#e4e9ee"/><text x="${LEFT - 6}" y="${toY(tick) + 4}" text-anchor="end" class="quiet">${shownFact(tick, unit)}</text>`,
    ),
    ...found.map(
      ({ clusters }) =>
        `<text x="${toX(clusters)}" y="${bottom + 16}" text-anchor="middle" class="quiet">${clusters}</text>`,
    ),
    line(aimed, `stroke="${AIMED}" stroke-dasharray="5 4"`),
    line(measured, `stroke="${MEASURED}" stroke-width="2"`),
    ...measured.map(
      ({ clusters, value }) =>
        `<circle cx="${toX(clusters)}" cy="${toY(value)}" r="3.5" fill="${MEASURED}"/>`,
    ),
  ].filter((part) => part !== "");
}

const round = (value: number) => Math.round(value * 10) / 10;
