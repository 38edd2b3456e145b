import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { conditionMeanings } from "../../src/api/conditions.ts";
import { status as statusSchema } from "../../src/api/schema/status.ts";
import { type MetricDefinition, metricTable } from "../../src/telemetry/metric-table.ts";
import { readExpression, type Selector } from "./promql.ts";

const root = join(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(join(root, file), "utf8");

const ruleFile = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^EvNode[A-Za-z]+$/),
          expr: z.string(),
          for: z
            .string()
            .regex(/^\d+m$/)
            .optional(),
          labels: z.strictObject({ severity: z.enum(["critical", "warning"]) }),
          annotations: z.strictObject({
            summary: z.string(),
            description: z.string(),
            runbook_url: z.string(),
          }),
        }),
      ),
    }),
  ),
});
const rules = ruleFile
  .parse(parse(read("helm/files/alerts.yaml")))
  .groups.flatMap(({ rules: ofGroup }) => ofGroup);

const target = z.object({ expr: z.string(), legendFormat: z.string(), refId: z.string() });
const panel = z.object({
  id: z.number(),
  type: z.enum(["row", "stat", "table", "timeseries"]),
  title: z.string().min(1),
  gridPos: z.object({ h: z.number(), w: z.number(), x: z.number(), y: z.number() }),
  targets: z.array(target).default([]),
});
const dashboard = z
  .object({
    uid: z.string(),
    panels: z.array(panel),
    templating: z.object({
      list: z.array(
        z.object({ name: z.string(), query: z.union([z.string(), z.object({ query: z.string() })]) }),
      ),
    }),
  })
  .parse(JSON.parse(read("helm/files/dashboard.json")));
const queries = dashboard.panels.flatMap(({ title, targets }) =>
  targets.map(({ expr }) => [title, expr] as const),
);

const table: Readonly<Record<string, MetricDefinition>> = metricTable;
/** Labels that Prometheus adds by itself to what it scrapes. */
const added = ["instance", "pod", "job"];

/** The metric behind a name, and the labels that its series have. */
function definitionOf(name: string): { readonly labels: readonly string[] } | undefined {
  const own = table[name];
  if (own !== undefined && own.type !== "histogram") return { labels: [...own.labels, ...added] };
  const [, base = "", part] = /^(.+)_(bucket|sum|count)$/.exec(name) ?? [];
  const histogram = table[base];
  if (histogram?.type !== "histogram") return undefined;
  return { labels: [...histogram.labels, ...added, ...(part === "bucket" ? ["le"] : [])] };
}

function problemsOf(expression: string): readonly string[] {
  const { selectors, groupings } = readExpression(expression);
  if (selectors.length === 0) return ["it asks for no metric"];
  const known = new Set<string>();
  const problems = selectors.flatMap(({ metric, matchers }) => {
    const definition = definitionOf(metric);
    if (definition === undefined) return [`there is no metric ${metric}`];
    for (const label of definition.labels) known.add(label);
    return matchers.flatMap(({ label }) =>
      definition.labels.includes(label) ? [] : [`${metric} has no label ${label}`],
    );
  });
  return [
    ...problems,
    ...groupings.flatMap((label) => (known.has(label) ? [] : [`no metric has the label ${label}`])),
    ...selectors.flatMap(valueProblems),
  ];
}

const reasons = conditionMeanings.flatMap(({ type, reasons: all }) =>
  all.map(({ reason }) => `${type} ${reason}`),
);
const { phase, quorum } = statusSchema.shape;
const wordsOf = (schema: unknown) => new Set(z.toJSONSchema(schema as z.ZodType).enum as readonly string[]);
const states: Readonly<Record<string, ReadonlySet<string>>> = {
  evnode_cluster_phase: wordsOf(phase),
  evnode_cluster_quorum: wordsOf(quorum),
};

/** A word that a series can never have makes an alert that never fires. */
function valueProblems({ metric, matchers }: Selector): readonly string[] {
  const valueOf = (name: string) => matchers.find(({ label }) => label === name)?.value;
  const type = valueOf("type");
  const reason = valueOf("reason");
  const isCondition = metric === "evnode_cluster_condition";
  return [
    ...(valueOf("state")?.split("|") ?? []).flatMap((state) =>
      states[metric]?.has(state) ? [] : [`${metric} is never ${state}`],
    ),
    ...(isCondition && type !== undefined
      ? type
          .split("|")
          .flatMap((one) =>
            conditionMeanings.some((meaning) => meaning.type === one) ? [] : [`there is no condition ${one}`],
          )
      : []),
    ...(isCondition && reason !== undefined && !reasons.includes(`${type} ${reason}`)
      ? [`${type} has no reason ${reason}`]
      : []),
  ];
}

describe("the reader of queries", () => {
  test.each([
    ["up == 1", ["there is no metric up"]],
    ["evnode_cluster_heigth", ["there is no metric evnode_cluster_heigth"]],
    ["evnode_cluster_handover_gap_seconds", ["there is no metric evnode_cluster_handover_gap_seconds"]],
    ['evnode_cluster_height{member="a"}', ["evnode_cluster_height has no label member"]],
    ["max by (member) (evnode_cluster_height)", ["no metric has the label member"]],
    ['evnode_cluster_phase{state=~"Running|Ruining"}', ["evnode_cluster_phase is never Ruining"]],
    ['evnode_cluster_condition{type="Redy"}', ["there is no condition Redy"]],
    ['evnode_cluster_condition{type="InSync",reason="NoProgess"}', ["InSync has no reason NoProgess"]],
    ['sum(rate(rest_client_requests_total{code!~"2.."}[5m])) by (kind) > 0.5', []],
  ])("finds what is wrong with %s", (expression, problems) => {
    expect(problemsOf(expression)).toEqual(problems);
  });

  test.each(["sum(rate(workqueue_depth[5m])", "smu(workqueue_depth)", "workqueue_depth{name:x}"])(
    "refuses %s",
    (expression) => {
      expect(() => readExpression(expression)).toThrow(expression);
    },
  );
});

describe("alerts", () => {
  it.each(rules.map(({ alert, expr }) => [alert, expr] as const))(
    "%s asks for metrics that exist",
    (_, expr) => {
      expect(problemsOf(expr)).toEqual([]);
    },
  );

  it("have each a name and a section of the runbook of their own, and the runbook has no other", () => {
    const names = rules.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
    const sections = [...read("docs/runbook.md").matchAll(/^#### (\w+)$/gm)].map(([, name]) => name);
    expect(sections).toEqual(names);
    for (const { alert, annotations } of rules)
      expect(annotations.runbook_url).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
  });

  it("wait a moment, but for what has happened and what must be known at once", () => {
    const atOnce = rules.filter((rule) => rule.for === undefined).map(({ alert }) => alert);
    expect(atOnce).toEqual([
      "EvNodeForked",
      "EvNodeOldSequencerAnswers",
      "EvNodeRolloutReverted",
      "EvNodeOperatorBug",
    ]);
    const minutesOf = ({ for: wait = "0m" }: (typeof rules)[number]) => Number.parseInt(wait, 10);
    const critical = rules.filter(({ labels }) => labels.severity === "critical").map(minutesOf);
    const warnings = rules.filter(({ labels }) => labels.severity === "warning").map(minutesOf);
    expect(Math.max(...critical)).toBeLessThanOrEqual(5);
    expect(Math.max(...warnings)).toBeLessThanOrEqual(30);
  });

  it("name only what their series tell", () => {
    const unknown = rules.flatMap(({ alert, expr, annotations }) => {
      const { groupings } = readExpression(expr);
      const named = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(
        ([, label = ""]) => label,
      );
      return named.flatMap((label) => (groupings.includes(label) ? [] : [`${alert}: ${label}`]));
    });
    expect(unknown).toEqual([]);
  });
});

describe("the dashboard", () => {
  it.each(queries)("%s: %s", (_, expr) => {
    expect(problemsOf(expr)).toEqual([]);
  });

  it("takes its variables from metrics that exist", () => {
    const asked = dashboard.templating.list.flatMap(({ query }) =>
      typeof query === "string" ? [] : [query.query],
    );
    expect(asked).toHaveLength(2);
    for (const query of asked) {
      const [, expression = "", label = ""] = /^label_values\((.+), (\w+)\)$/.exec(query) ?? [];
      expect(problemsOf(`max by (${label}) (${expression})`)).toEqual([]);
    }
  });

  it("shows every metric of clusters and members that can change", () => {
    const shown = new Set(
      queries.flatMap(([, expr]) =>
        readExpression(expr).selectors.map(({ metric }) => metric.replace(/_bucket$/, "")),
      ),
    );
    const notShown = Object.keys(table).filter(
      (name) => /^evnode_(cluster|member)_/.test(name) && !shown.has(name),
    );
    // The quorum is shown by its margin; the last look is an alert.
    expect(notShown).toEqual(["evnode_cluster_quorum", "evnode_cluster_last_reconcile_timestamp_seconds"]);
  });

  it("has its panels side by side, none over another", () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.x + gridPos.w))).toBe(24);
  });
});
