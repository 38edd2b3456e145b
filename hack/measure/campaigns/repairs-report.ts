import type { Report } from "../campaign.ts";
import { summaryOf } from "../statistics.ts";
import { summaryCells, summaryColumns } from "../table.ts";

/** One loss, and what became of it. */
export interface Repair {
  readonly fault: string;
  readonly member: string;
  /** From the fault to the moment from which on every member was ready. */
  readonly inSyncMs: number | undefined;
  /** Longest time between two blocks around it. */
  readonly gapMs: number | undefined;
  /** Whether the operator rebuilt it by an order, or it came back by itself. */
  readonly rebuilt: boolean;
  /** What must not be. */
  readonly wrongs: readonly string[];
}

export function repairsReport(repairs: readonly Repair[], problems: readonly string[]): Report {
  const groups = [...Map.groupBy(repairs, ({ fault }) => fault)];
  return {
    tables: [
      {
        title: "From the fault until every member takes part",
        columns: ["", ...summaryColumns],
        rows: groups.map(([fault, all]) => [
          fault,
          ...summaryCells(summaryOf(all.map(({ inSyncMs }) => inSyncMs))),
        ]),
      },
      {
        title: "Longest time between two blocks meanwhile",
        columns: ["", ...summaryColumns],
        rows: groups.map(([fault, all]) => [
          fault,
          ...summaryCells(summaryOf(all.map(({ gapMs }) => gapMs))),
        ]),
      },
      {
        title: "What became of them",
        columns: ["", "faults", "rebuilt by an order", "wrong"],
        rows: groups.map(([fault, all]) => [
          fault,
          String(all.length),
          String(all.filter(({ rebuilt }) => rebuilt).length),
          String(all.flatMap(({ wrongs }) => wrongs).length),
        ]),
      },
    ],
    notes: [],
    failures: [
      ...problems.map((problem) => `the chain: ${problem}`),
      ...repairs.flatMap(({ fault, member, wrongs }) =>
        wrongs.map((wrong) => `${fault}, ${member}: ${wrong}`),
      ),
    ],
    values: repairs,
  };
}
