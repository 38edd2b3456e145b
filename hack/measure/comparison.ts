import { ratio, summaryOf } from "./statistics.ts";
import { summaryCells, summaryColumns, type Table } from "./table.ts";

type Values = readonly (number | undefined)[];

/** Durations of both sides, and ours as a share of the yardstick's. */
export function comparison(
  title: string,
  { ours, theirs }: { readonly ours: Values; readonly theirs: Values },
): Table {
  const [mine, other] = [summaryOf(ours), summaryOf(theirs)];
  return {
    title,
    columns: ["", ...summaryColumns, "median ratio", "worst ratio"],
    rows: [
      [
        "operator",
        ...summaryCells(mine),
        ratio(mine?.median, other?.median),
        ratio(mine?.worst, other?.worst),
      ],
      ["StatefulSet", ...summaryCells(other), "", ""],
    ],
  };
}
