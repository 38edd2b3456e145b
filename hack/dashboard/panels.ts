import * as z from "zod";

const target = z.object({ expr: z.string(), legendFormat: z.string() });

const step = z.object({ color: z.string(), value: z.number().nullable() });

const defaults = z.object({
  unit: z.enum(["none", "s", "percentunit", "reqps"]).default("none"),
  noValue: z.string().optional(),
  min: z.number().optional(),
  thresholds: z.object({ steps: z.array(step) }).optional(),
  custom: z.object({ stacking: z.object({ mode: z.enum(["none", "normal"]) }) }).optional(),
});

const panel = z.object({
  type: z.enum(["row", "stat", "table", "timeseries"]),
  title: z.string(),
  gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  fieldConfig: z.object({ defaults }).default({ defaults: { unit: "none" } }),
  transformations: z
    .array(z.object({ options: z.object({ indexByName: z.record(z.string(), z.number()) }) }))
    .default([]),
  targets: z.array(target).default([]),
});

/** A panel of the dashboard, as much of it as is drawn. */
export type Panel = Readonly<z.infer<typeof panel>>;
export type Unit = Panel["fieldConfig"]["defaults"]["unit"];

const dashboard = z.object({ panels: z.array(panel) });

/** Of the text of helm/files/dashboard.json, with everything chosen in its variables. */
export function readPanels(text: string): readonly Panel[] {
  const { panels } = dashboard.parse(JSON.parse(text));
  return panels.map((one) => ({
    ...one,
    targets: one.targets.map(({ expr, legendFormat }) => ({ expr: withAll(expr), legendFormat })),
  }));
}

const withAll = (expr: string) =>
  expr.replaceAll(/\$(namespace|evnodecluster)/g, ".*").replaceAll("$__rate_interval", "2m");
