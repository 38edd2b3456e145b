import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { picture } from "../../hack/dashboard/drawing.ts";
import { readAnswers } from "../../hack/dashboard/evaluation.ts";
import { linesOf, stacked } from "../../hack/dashboard/lines.ts";
import { type Panel, readPanels } from "../../hack/dashboard/panels.ts";
import { scaleFor, shown } from "../../hack/dashboard/scale.ts";

const root = join(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(join(root, file), "utf8");
const panels = readPanels(read("helm/files/dashboard.json"));

const panel = (over: Partial<Panel> = {}): Panel => ({
  type: "timeseries",
  title: "Height & more",
  gridPos: { x: 0, y: 0, w: 8, h: 8 },
  fieldConfig: { defaults: { unit: "none" } },
  transformations: [],
  targets: [{ expr: "height", legendFormat: "{{member}}" }],
  ...over,
});
const sample = (member: string, value: number) => ({ labels: { member }, value });
const timeline = { seconds: [0, 30, 60], marks: [{ atSeconds: 30, what: "the leader is killed" }] };

describe("docs/dashboard.svg", () => {
  const svg = read("docs/dashboard.svg");

  it("has every panel of the dashboard, and no other", () => {
    const titles = [...svg.matchAll(/class="(?:head|row)">([^<]*)</g)].map(([, title]) => title);
    expect(titles).toEqual(["evnode-operator", ...panels.map(({ title }) => title)]);
  });

  it("has a comment that XML allows", () => {
    for (const [, comment = ""] of svg.matchAll(/<!--([^]*?)-->/g)) expect(comment).not.toContain("--");
  });

  it("is shown on the page of metrics", () => {
    expect(read("docs/metrics.md")).toContain("](dashboard.svg)");
  });
});

test("the dashboard is read with everything chosen in its variables", () => {
  const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  expect(expressions.length).toBeGreaterThan(30);
  expect(expressions.filter((expr) => expr.includes("$"))).toEqual([]);
});

test("what promtool says of tests that failed is read in its order", () => {
  const said = `  FAILED:
    expr: "a", time: 1m30s,
        exp: {__name__="nothing"} 0E+00
        got: {__name__="a", x="1"} 4E+00, {__name__="a", y="q, \\"}z"} 2.5E-02
    expr: "b", time: 1m,
        exp: {__name__="nothing"} 0E+00
        got: nil
    expr: "c", time: 1m,
        got: {} NaN`;
  expect(readAnswers(said)).toEqual([
    [
      { labels: { __name__: "a", x: "1" }, value: 4 },
      { labels: { __name__: "a", y: 'q, "}z' }, value: 0.025 },
    ],
    [],
    [{ labels: {}, value: Number.NaN }],
  ]);
});

test("lines are named as the panel says, and have a gap where nothing was answered", () => {
  const answers = [[[sample("b", 1), sample("a", 2)], [sample("b", 3)], [sample("a", 4)]]];
  const lines = linesOf({ panel: panel(), answers });
  expect(lines).toEqual([
    { name: "a", values: [2, undefined, 4] },
    { name: "b", values: [1, 3, undefined] },
  ]);
  expect(stacked(lines)[1]).toEqual({ name: "b", values: [3, 3, undefined] });
});

test.each<[readonly number[], number | undefined, readonly number[]]>([
  [[3, 97], undefined, [0, 50, 100]],
  [[0, 1], 0, [0, 0.5, 1]],
  [[7, 7], undefined, [6, 8]],
  [[0, 0], 0, [0, 0.5]],
  [[1, Number.POSITIVE_INFINITY], 0, [0, 0.5, 1]],
])("the axis of %j from %s has the ticks %j", (values, min, ticks) => {
  expect(scaleFor(values, min).ticks).toEqual(ticks);
});

test.each([
  [0.000_25, "s", "250 µs"],
  [0.572, "s", "572 ms"],
  [12, "s", "12 s"],
  [600, "s", "10 min"],
  [0.987, "percentunit", "98.7%"],
  [1234.5, "none", "1235"],
  [0.3, "reqps", "0.3 req/s"],
  [Number.POSITIVE_INFINITY, "none", "∞"],
] as const)("%d in %s is shown as %s", (value, unit, text) => {
  expect(shown(value, unit)).toBe(text);
});

describe("the picture", () => {
  it("draws a line with its gap, and escapes what it writes", () => {
    const answers = [[[sample("a<b", 0)], [], [sample("a<b", 10)]]];
    const svg = picture([{ panel: panel(), answers }], timeline);
    expect(svg).toContain("Height &amp; more");
    expect(svg).toContain(">a&lt;b</text>");
    expect(svg.match(/d="M[\d.]+ [\d.]+h1M[\d.]+ [\d.]+h1"/g)).toHaveLength(1);
    expect(svg).toContain("0.5 min: the leader is killed");
  });

  it("says so where nothing was answered", () => {
    expect(picture([{ panel: panel(), answers: [[[], [], []]] }], timeline)).toContain("No data");
  });

  it("shows the last value on the colour of its threshold", () => {
    const steps = [
      { color: "red", value: null },
      { color: "green", value: 1 },
    ];
    const stat = panel({ type: "stat", fieldConfig: { defaults: { unit: "none", thresholds: { steps } } } });
    const drawn = (value: number) => picture([{ panel: stat, answers: [[[sample("a", value)]]] }], timeline);
    expect(drawn(1)).toContain('fill="#37872d"');
    expect(drawn(0)).toContain('fill="#c4162a"');
  });
});
