import type { Report } from "../campaign.ts";
import { comparison } from "../comparison.ts";
import type { RoleTimeline } from "../role-timeline.ts";
import { summaryOf } from "../statistics.ts";
import { summaryCells, summaryColumns } from "../table.ts";
import type { Takeover } from "../takeover.ts";
import type { Arrival } from "../transactions.ts";

/** What is known of our side beyond the takeover itself. Times count from the kill. */
export interface Following {
  readonly roles: RoleTimeline | undefined;
  readonly arrival: Arrival | undefined;
  /** Accepted by whoever the Service led to, and never seen in the store. */
  readonly lostTransactions: number;
}

export type OurKill = Takeover & { readonly seen: Following };

type Values = readonly (number | undefined)[];

/** What the killed leaders come down to. */
export function failoverReport(ours: readonly OurKill[], theirs: readonly Takeover[]): Report {
  const gaps = (kills: readonly Takeover[]) => kills.map(({ gapMs }) => gapMs);
  const backs = (kills: readonly Takeover[]) => kills.map(({ allBackMs }) => allBackMs);
  return {
    tables: [
      comparison("Longest time between two blocks around the kill", {
        ours: gaps(ours),
        theirs: gaps(theirs),
      }),
      comparison("From the kill until all members are Ready and in sync", {
        ours: backs(ours),
        theirs: backs(theirs),
      }),
      { title: "What the operator does", columns: ["", ...summaryColumns], rows: operatorRows(ours) },
      {
        title: "Counts over all kills in the operator's cluster",
        columns: ["", "kills", "moments with two leader labels", "accepted transactions that never arrived"],
        rows: [
          [
            "operator",
            String(ours.length),
            String(sum(ours.map(({ seen }) => seen.roles?.overlaps ?? 0))),
            String(sum(ours.map(({ seen }) => seen.lostTransactions))),
          ],
        ],
      },
    ],
    notes: [
      "An election is the moment that the new leader's log tells.",
      "The operator's default Raft time-outs are longer than ev-node's own, which the StatefulSet has: see raft-timing.",
      "A transaction that was accepted and never arrived was taken by a member that does not lead: the killed one, restarted before the Service had left it.",
    ],
    failures: failuresOf(ours),
    values: { ours, theirs },
  };
}

function operatorRows(kills: readonly OurKill[]): readonly (readonly string[])[] {
  const row = (what: string, values: Values) => [what, ...summaryCells(summaryOf(values))];
  const after = (from: (kill: OurKill) => number | undefined, to: (kill: OurKill) => number | undefined) =>
    kills.map((kill) => {
      const [start, end] = [from(kill), to(kill)];
      return start === undefined || end === undefined ? undefined : end - start;
    });
  const elected = ({ electedMs }: OurKill) => electedMs;
  const leads = ({ leadsMs }: OurKill) => leadsMs;
  const label = ({ seen }: OurKill) => seen.roles?.newLabelMs;
  const service = ({ seen }: OurKill) => seen.roles?.serviceMs;
  return [
    row("kill to election", kills.map(elected)),
    row("election to the new leader's own answer", after(elected, leads)),
    row("its answer to its label", after(leads, label)),
    row("election to its label", after(elected, label)),
    row("election to the Service leading to it alone", after(elected, service)),
    row(
      "kill to the first transaction accepted that arrives",
      kills.map(({ seen }) => seen.arrival?.acceptedMs),
    ),
    row(
      "kill to its arrival in the new leader's store",
      kills.map(({ seen }) => seen.arrival?.arrivedMs),
    ),
  ];
}

function failuresOf(kills: readonly OurKill[]): readonly string[] {
  const count = (isBad: (kill: OurKill) => boolean) => kills.filter(isBad).length;
  const expectations: readonly (readonly [bad: number, what: string])[] = [
    [count(({ newLeader }) => newLeader === undefined), "kills were followed by no new leader"],
    [
      count(({ seen }) => (seen.roles?.overlaps ?? 0) > 0),
      "kills had two pods with the leader's label at once",
    ],
    [
      count(({ seen }) => seen.roles?.newLabelMs === undefined),
      "kills left the new leader without its label",
    ],
    [count(({ seen }) => seen.roles?.serviceMs === undefined), "kills left the Service with another pod"],
    [count(({ seen }) => seen.arrival === undefined), "kills were followed by no transaction that arrived"],
    [count(({ allBackMs }) => allBackMs === undefined), "killed members did not come back in time"],
  ];
  return expectations.filter(([bad]) => bad > 0).map(([bad, what]) => `${bad} ${what}`);
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
