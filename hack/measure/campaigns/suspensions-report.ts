import type { Report } from "../campaign.ts";
import { summaryOf } from "../statistics.ts";
import { summaryCells, summaryColumns, type Table } from "../table.ts";

/** One cluster suspended and resumed. */
export interface Suspension {
  /** What was done to it. */
  readonly way: string;
  /** Until the last pod was gone. */
  readonly stoppedMs: number;
  /** From the edit until a block beyond the last one was served by a majority; undefined when none was in time. */
  readonly blocksMs: number | undefined;
  /** From the edit until every member was ready. */
  readonly allBackMs: number;
  /** What the status tells of the members' heights before. */
  readonly heights: readonly number[];
  /** The highest of them. */
  readonly noted: number | undefined;
  /** The highest block that a majority had served when they were gone. */
  readonly top: number;
}

export function suspensionsReport(seen: readonly Suspension[], problems: readonly string[]): Report {
  const groups = [...Map.groupBy(seen, ({ way }) => way)];
  const column = (title: string, valueOf: (one: Suspension) => number | undefined): Table => ({
    title,
    columns: ["", ...summaryColumns],
    rows: groups.map(([way, all]) => [way, ...summaryCells(summaryOf(all.map(valueOf)))]),
  });
  const late = seen.filter(({ blocksMs }) => blocksMs === undefined);
  return {
    tables: [
      column("Until the last pod is gone", ({ stoppedMs }) => stoppedMs),
      column("From the edit to the next block", ({ blocksMs }) => blocksMs),
      column("From the edit until every member is ready", ({ allBackMs }) => allBackMs),
    ],
    notes: [
      `Members were at most ${Math.max(...seen.map(spread))} blocks apart when they were told to stop.`,
      "A height with two blocks, a block on another parent than the one before, and a hole would be a problem.",
    ],
    failures: [
      ...problems.map((problem) => `the chain: ${problem}`),
      ...late.map(({ way }) => `no block came after a suspension: ${way}`),
    ],
    values: seen,
  };
}

const spread = ({ heights }: Suspension) =>
  heights.length === 0 ? 0 : Math.max(...heights) - Math.min(...heights);
