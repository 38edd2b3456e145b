import type { Report } from "../campaign.ts";
import { summaryOf } from "../statistics.ts";
import { summaryCells, summaryColumns, type Table } from "../table.ts";

/** One failover drill, as the status told it and as the chain showed it. */
export interface Drill {
  readonly members: number;
  readonly result: string;
  readonly message: string;
  /** Between the two blocks around the handover, as the new leader's agent told. */
  readonly toldGapMs: number | undefined;
  /** The longest time between two blocks from the request to the end, as the members served them. */
  readonly seenGapMs: number | undefined;
  readonly blocksMissed: number | undefined;
  /** From the request until the old leader takes part again. */
  readonly tookMs: number | undefined;
}

/** What the agents tell and what the blocks say are one thing: the same two blocks. */
const TOLERANCE_MS = 1;

export function drillsReport(
  drills: readonly Drill[],
  refusal: string | undefined,
  problems: readonly string[],
): Report {
  const sizes = [...Map.groupBy(drills, ({ members }) => members)];
  return {
    tables: [
      timeTable("Time between the blocks around the handover", sizes, ({ toldGapMs }) => toldGapMs),
      timeTable("The same, as the members served the blocks", sizes, ({ seenGapMs }) => seenGapMs),
      timeTable("Until the old leader takes part again", sizes, ({ tookMs }) => tookMs),
      resultTable(sizes),
    ],
    notes: [`With a member down: ${refusal ?? "the drill was not refused"}.`],
    failures: [
      ...problems,
      ...drills.flatMap(failureOf),
      ...(refusal === undefined ? ["a drill with a member down was not refused"] : []),
    ],
    values: drills,
  };
}

function failureOf({ members, result, message, toldGapMs, seenGapMs }: Drill): string[] {
  if (result !== "Succeeded") return [`a drill of ${members} members came out as ${result}: ${message}`];
  if (toldGapMs === undefined) return [`a drill of ${members} members has no gap: ${message}`];
  const isShown = seenGapMs !== undefined && seenGapMs >= toldGapMs - TOLERANCE_MS;
  return isShown ? [] : [`the gap is told as ${toldGapMs} ms, and the blocks show ${seenGapMs ?? "none"}`];
}

type Sizes = readonly (readonly [number, readonly Drill[]])[];

function timeTable(title: string, sizes: Sizes, timeOf: (drill: Drill) => number | undefined): Table {
  return {
    title,
    columns: ["members", ...summaryColumns],
    rows: sizes.map(([members, drills]) => [String(members), ...summaryCells(summaryOf(drills.map(timeOf)))]),
  };
}

function resultTable(sizes: Sizes): Table {
  return {
    title: "Drills",
    columns: ["members", "drills", "succeeded", "blocks missed, most"],
    rows: sizes.map(([members, drills]) => [
      String(members),
      String(drills.length),
      String(drills.filter(({ result }) => result === "Succeeded").length),
      String(Math.max(0, ...drills.map(({ blocksMissed }) => blocksMissed ?? 0))),
    ]),
  };
}
