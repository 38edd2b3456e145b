import type { Report } from "../campaign.ts";
import type { Danger } from "../guide/dangers.ts";
import { describeFork, type Fork } from "../guide/ledger.ts";
import type { Death } from "../guide/node.ts";
import type { Table } from "../table.ts";

/** One run of one variant. */
export interface Run {
  readonly danger: string;
  /** What kept it from being shown at all; the rest is empty then. */
  readonly failed?: string;
  /** The highest block that anybody served before the dangerous step, and at the end. */
  readonly before: number;
  readonly after: number;
  readonly forks: readonly Fork[];
  readonly deaths: readonly Death[];
  /** The height of each node at the end, 0 where it said nothing. */
  readonly heights: readonly number[];
}

type Outcome = "forked" | "stood still" | "went on";

export function outcomeOf({ forks, before, after }: Run): Outcome {
  if (forks.length > 0) return "forked";
  return after > before ? "went on" : "stood still";
}

export function guideDangersReport(
  dangers: readonly Pick<Danger, "name" | "done" | "forks" | "operator">[],
  runs: readonly Run[],
): Report {
  const rows = dangers.flatMap((danger) => {
    const own = runs.filter(({ danger: name }) => name === danger.name);
    return own.length === 0 ? [] : [{ danger, own }];
  });
  return {
    tables: [outcomes(rows), operated(rows)],
    notes: rows.map(details),
    failures: rows.flatMap(({ danger, own }) => unexpected(danger, own)),
    values: runs,
  };
}

interface Row {
  readonly danger: Pick<Danger, "name" | "done" | "forks" | "operator">;
  readonly own: readonly Run[];
}

function outcomes(rows: readonly Row[]): Table {
  const columns = ["", "runs", "forked", "went on", "stood still", "made again, of blocks"];
  return {
    title: "What upstream's procedure led to",
    columns,
    rows: rows.map(({ danger, own }) => {
      const shown = own.filter(({ failed }) => failed === undefined);
      const count = (outcome: Outcome) => String(shown.filter((run) => outcomeOf(run) === outcome).length);
      return [
        danger.name,
        String(shown.length),
        count("forked"),
        count("went on"),
        count("stood still"),
        shown.flatMap(({ forks, before }) => firstFork(forks, before)).join("; "),
      ];
    }),
  };
}

/** Such as `1 of 12`: block 1 was made again when block 12 had been served. */
function firstFork([first]: readonly Fork[], before: number): readonly string[] {
  return first === undefined ? [] : [`${first.height} of ${Math.max(before, first.height)}`];
}

function operated(rows: readonly Row[]): Table {
  return {
    title: "What the operator does",
    columns: ["", ""],
    rows: rows.map(({ danger }) => [danger.name, danger.operator]),
  };
}

/** What was done, the first fork of each run with both hashes, and what processes said that ended by themselves. */
function details({ danger, own }: Row): string {
  const forks = own.flatMap(({ forks: [first] }, index) =>
    first === undefined ? [] : [`  run ${index + 1}: ${describeFork(first)}`],
  );
  return [`${danger.name}: ${danger.done}.`, ...forks, ...endings(own)].join("\n");
}

function endings(runs: readonly Run[]): readonly string[] {
  const deaths = runs.flatMap((run) => run.deaths.map(({ line }) => withoutValues(line)));
  return [...Map.groupBy(deaths, (line) => line)].map(
    ([line, { length }]) => `  ${length} ended by themselves: ${line}`,
  );
}

/** Equal for all that died of the same. */
const withoutValues = (line: string) =>
  line.replaceAll(/[0-9a-f]{32,}/gi, "…").replaceAll(/height \d+/g, "height …");

function unexpected({ name, forks }: Row["danger"], runs: readonly Run[]): readonly string[] {
  const shown = runs.filter(({ failed }) => failed === undefined);
  const failed = runs.flatMap((run) => (run.failed === undefined ? [] : [`${name}: ${run.failed}`]));
  const isIdle = forks && shown.length > 0 && shown.every((run) => run.forks.length === 0);
  return isIdle ? [...failed, `${name}: no run of ${shown.length} forked`] : failed;
}
