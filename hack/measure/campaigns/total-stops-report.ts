import type { Report } from "../campaign.ts";
import { summaryOf } from "../statistics.ts";
import { summaryCells, summaryColumns, type Table } from "../table.ts";

/** All members of one cluster stopped in one moment, and what came after. */
export interface TotalStop {
  readonly side: "operator" | "operator, Start" | "StatefulSet";
  /** `pods killed` leaves no time to end: as a power cut. `containers killed` leaves the pods, and so the agents. */
  readonly way: "pods killed" | "pods deleted" | "containers killed";
  /** Longest time between two blocks around the stop. */
  readonly gapMs: number | undefined;
  /** What was missing when the time to come back was over. */
  readonly missing: string | undefined;
  /** Heights at which another block was served than before, in words. */
  readonly replaced: readonly string[];
}

export function totalStopsReport(stops: readonly TotalStop[], problems: readonly string[]): Report {
  const groups = [...Map.groupBy(stops, ({ side, way }) => `${side}, ${way}`)];
  const late = stops.filter(({ side, missing }) => side === "operator" && missing !== undefined);
  return {
    tables: [gapTable(groups), blockTable(groups)],
    notes: stops.flatMap(({ side, way, replaced }) => replaced.map((text) => `${side}, ${way}: ${text}.`)),
    failures: [
      ...problems.map((problem) => `the operator's chain: ${problem}`),
      ...late.map(({ way, missing }) => `the operator's cluster was not back after ${way}: ${missing}`),
    ],
    values: stops,
  };
}

type Groups = readonly (readonly [string, readonly TotalStop[]])[];

function gapTable(groups: Groups): Table {
  return {
    title: "Longest time between two blocks",
    columns: ["", ...summaryColumns],
    rows: groups.map(([name, stops]) => [name, ...summaryCells(summaryOf(stops.map(({ gapMs }) => gapMs)))]),
  };
}

function blockTable(groups: Groups): Table {
  return {
    title: "Blocks that had been served and were replaced by others",
    columns: ["", "stops", "replaced", "not back in time"],
    rows: groups.map(([name, stops]) => [
      name,
      String(stops.length),
      String(stops.reduce((sum, { replaced }) => sum + replaced.length, 0)),
      String(stops.filter(({ missing }) => missing !== undefined).length),
    ]),
  };
}
