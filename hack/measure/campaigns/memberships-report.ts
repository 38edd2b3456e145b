import type { Report } from "../campaign.ts";
import { summaryOf } from "../statistics.ts";
import { summaryCells, summaryColumns, type Table } from "../table.ts";

/** One change of the number of members. */
export interface Change {
  readonly from: number;
  readonly to: number;
  /** The longest time between two blocks around it, by the times in their headers. */
  readonly gapMs: number | undefined;
  /** The same as the status tells it. */
  readonly toldGapMs: number | undefined;
  /** The last block before it, as the status tells it. */
  readonly lastHeight: number | undefined;
  /** From the edit until every member was ready. */
  readonly tookMs: number;
  /** Transactions that were in a member's store before. */
  readonly kept: number;
  /** Which of them were missing afterwards, in words. */
  readonly lost: readonly string[];
}

export function membershipsReport(seen: readonly Change[], problems: readonly string[]): Report {
  const groups = [...Map.groupBy(seen, ({ from, to }) => `${from} to ${to}`)];
  const column = (title: string, valueOf: (one: Change) => number | undefined): Table => ({
    title,
    columns: ["members", ...summaryColumns],
    rows: groups.map(([which, all]) => [which, ...summaryCells(summaryOf(all.map(valueOf)))]),
  });
  const untold = seen.filter(({ toldGapMs }) => toldGapMs === undefined);
  return {
    tables: [
      column("Time without a block", ({ gapMs }) => gapMs),
      column("From the edit until every member is ready", ({ tookMs }) => tookMs),
    ],
    notes: [
      `${seen.reduce((sum, { kept }) => sum + kept, 0)} transactions that had arrived before a change were looked for after it, on every member.`,
      "Every block that any member ever served was read: two of one height, one on another parent than the one before, and a hole would be a problem.",
    ],
    failures: [
      ...problems.map((problem) => `the chain: ${problem}`),
      ...seen.flatMap(({ lost }) => lost),
      ...untold.map(
        ({ from, to }) => `the status does not tell how long blocks stopped from ${from} to ${to}`,
      ),
    ],
    values: seen,
  };
}
