import type { Summary } from "./statistics.ts";

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Columns side by side, the first one to the left and figures to the right. */
export function renderTable({ title, columns, rows }: Table): string {
  const lines = [columns, ...rows];
  const widths = columns.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const rendered = lines.map((cells) =>
    widths
      .map((width, column) => {
        const cell = cells[column] ?? "";
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd(),
  );
  return [title, ...rendered].join("\n");
}

/** Milliseconds as people compare them: `840 ms`, `2.4 s`, `31 s`. */
export function duration(ms: number | undefined): string {
  if (ms === undefined) return "-";
  if (Math.abs(ms) < 1_000) return `${Math.round(ms)} ms`;
  return `${(ms / 1_000).toFixed(Math.abs(ms) < 10_000 ? 1 : 0)} s`;
}

export const summaryColumns = ["values", "median", "best", "worst"] as const;

/** The cells under `summaryColumns`. */
export function summaryCells(summary: Summary | undefined): readonly string[] {
  if (!summary) return ["0", "-", "-", "-"];
  const { count, median, best, worst } = summary;
  return [String(count), duration(median), duration(best), duration(worst)];
}
