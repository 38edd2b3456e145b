import type { Report } from "../campaign.ts";
import type { Timed } from "../newcomer.ts";
import { summaryOf } from "../statistics.ts";
import { duration, type Table } from "../table.ts";

/** A section of the README, with its commands in their order. */
export interface Step {
  readonly title: string;
  readonly commands: readonly Timed[];
}

/** All of it, once. */
export interface FirstUse {
  readonly steps: readonly Step[];
  /** Whether every member ran the new image when `kubectl wait` was through. */
  readonly isUpgraded: boolean;
  /** Blocks that a majority served while no operator was installed. */
  readonly blocksWhileAway: number;
  /** Whether processes, volumes, identity and the cluster were the same without the operator. */
  readonly survived: boolean;
  /** Whether they were the same after it was installed again. */
  readonly untouched: boolean;
  /** From then until an edit had reached every pod. */
  readonly adoptedMs: number | undefined;
  /** What is wrong with the chain, in words. */
  readonly chain: readonly string[];
}

export function firstUseReport(all: readonly FirstUse[], built: Timed): Report {
  const [first] = all;
  const rows = (first?.steps ?? []).flatMap(({ title, commands }, step) => {
    const spans = (place: number) => all.map((one) => one.steps[step]?.commands[place]?.tookMs);
    const sums = all.map((one) => sumOf(one.steps[step]?.commands ?? []));
    return [
      [title, String(commands.length), ...cellsOf(sums)],
      ...(commands.length === 1
        ? []
        : commands.map((one, place) => [`  ${one.command}`, "", ...cellsOf(spans(place))])),
    ];
  });
  const totals = all.map(({ steps }) => steps.reduce((sum, { commands }) => sum + sumOf(commands), 0));
  const count = (first?.steps ?? []).reduce((sum, { commands }) => sum + commands.length, 0);
  const table: Table = {
    title: "The README's commands, in their order",
    columns: ["", "commands", "median", "worst"],
    rows: [...rows, ["all", String(count), ...cellsOf(totals)]],
  };
  return {
    tables: [table],
    notes: [
      `The image was built once before, with the dependencies that a fresh clone lacks, in ${duration(built.tookMs)}.`,
      `While no operator was installed, ${all.map(({ blocksWhileAway }) => blocksWhileAway).join(", ")} blocks were made.`,
      `After it was installed again, an edit had reached every pod in ${all.map(({ adoptedMs }) => duration(adoptedMs)).join(", ")}.`,
    ],
    failures: all.flatMap(failuresOf),
    values: { all, built },
  };
}

const sumOf = (commands: readonly Timed[]) => commands.reduce((sum, { tookMs }) => sum + tookMs, 0);

function cellsOf(spans: readonly (number | undefined)[]): readonly string[] {
  const summary = summaryOf(spans);
  return [duration(summary?.median), duration(summary?.worst)];
}

function failuresOf(one: FirstUse, run: number): readonly string[] {
  const found = (text: string) => `run ${run + 1}: ${text}`;
  return [
    ...(one.isUpgraded ? [] : [found("kubectl wait ended before every member ran the new image")]),
    ...(one.blocksWhileAway > 0 ? [] : [found("no block was made while no operator was installed")]),
    ...(one.survived ? [] : [found("the uninstallation took or restarted something of the cluster")]),
    ...(one.untouched ? [] : [found("the second installation took or restarted something of the cluster")]),
    ...(one.adoptedMs === undefined ? [found("the operator that was installed again does not act")] : []),
    ...one.chain.map((text) => found(`the chain: ${text}`)),
  ];
}
