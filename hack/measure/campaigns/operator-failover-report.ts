import type { Report } from "../campaign.ts";
import type { Going } from "../installed-operator.ts";
import { summaryOf } from "../statistics.ts";
import { duration } from "../table.ts";

/** What became of the leader's Service after ev-node of the leader was killed; times count from that kill. */
export interface Steering {
  /** It led to the new leader alone. */
  readonly serviceMs: number | undefined;
  /** Until then. */
  readonly toNobodyMs: number | undefined;
  readonly toAnotherMs: number | undefined;
  /** Moments at which two pods wore the leader's label. */
  readonly overlaps: number;
}

/** One time that the active operator went. */
export interface Absence {
  readonly going: Going;
  /** From its end, or from the request for it, until another process held the Lease. */
  readonly withoutMs: number | undefined;
  /** When ev-node of the leader was killed, from the same moment. */
  readonly killedAfterMs: number;
  readonly electedMs: number | undefined;
  readonly gapMs: number | undefined;
  readonly allBackMs: number | undefined;
  /** Undefined when no other member took the lead: the killed one was back in time to lead again. */
  readonly steering: Steering | undefined;
}

const ways: readonly (readonly [going: Going, what: string])[] = [
  ["killed", "SIGKILL, started again in its pod"],
  ["lost", "SIGKILL, and its pod is gone"],
  ["stopped", "its pod deleted"],
];

export function operatorFailoverReport(absences: readonly Absence[]): Report {
  const columns: readonly (readonly [title: string, of: (absence: Absence) => number | undefined])[] = [
    ["without an active operator", ({ withoutMs }) => withoutMs],
    ["kill to election", ({ electedMs }) => electedMs],
    ["kill to the Service right again", ({ steering }) => steering?.serviceMs],
    ["of that to nobody", ({ steering }) => steering?.toNobodyMs],
    ["to the killed member", ({ steering }) => steering?.toAnotherMs],
    ["between two blocks", ({ gapMs }) => gapMs],
  ];
  const rows = ways.map(([going, what]) => {
    const own = absences.filter((absence) => absence.going === going);
    const again = own.filter(({ steering }) => steering === undefined).length;
    return [what, String(own.length), ...columns.map(([, of]) => medianAndWorst(own.map(of))), String(again)];
  });
  return {
    tables: [
      {
        title: "The active operator of two goes, and the leader's ev-node is killed: median (worst)",
        columns: ["", "times", ...columns.map(([title]) => title), "it led again"],
        rows,
      },
    ],
    notes: [
      "An endpoint counts as long as its slice calls it ready: traffic goes there.",
      "Blocks need no operator: the time between them is the election's.",
      "A killed member that is back in time may lead again, and the Service has led to it all the while: counted apart.",
    ],
    failures: failuresOf(absences),
    values: absences,
  };
}

function medianAndWorst(values: readonly (number | undefined)[]): string {
  const summary = summaryOf(values);
  return summary ? `${duration(summary.median)} (${duration(summary.worst)})` : "-";
}

function failuresOf(absences: readonly Absence[]): readonly string[] {
  const count = (isBad: (absence: Absence) => boolean) => absences.filter(isBad).length;
  const expectations: readonly (readonly [bad: number, what: string])[] = [
    [count(({ withoutMs }) => withoutMs === undefined), "times no other operator held the Lease"],
    [
      count(({ steering }) => steering !== undefined && steering.serviceMs === undefined),
      "times the Service led to another pod for good",
    ],
    [count(({ steering }) => (steering?.overlaps ?? 0) > 0), "times two pods had the leader's label at once"],
    [count(({ allBackMs }) => allBackMs === undefined), "times the killed member did not come back"],
  ];
  return expectations.filter(([bad]) => bad > 0).map(([bad, what]) => `${bad} ${what}`);
}
