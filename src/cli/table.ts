import { widthOf } from "./paint.ts";

const GAP = 3;

/** Rows in columns as kubectl prints them: to the left, each as wide as its widest cell, the last one not filled up. */
export function renderTable(rows: readonly (readonly string[])[]): readonly string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => widthOf(row[column] ?? ""))),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : padded(cell, (widths[column] ?? 0) + GAP)))
      .join("")
      .trimEnd(),
  );
}

const padded = (cell: string, width: number) => cell + " ".repeat(Math.max(0, width - widthOf(cell)));
