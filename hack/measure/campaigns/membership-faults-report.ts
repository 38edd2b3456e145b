import type { Report } from "../campaign.ts";
import type { Became } from "../faulted-change.ts";
import type { Outcome } from "../membership-fault-cases.ts";
import type { Standstill } from "../standstill.ts";
import { duration } from "../table.ts";

/** One change with a fault in it, and what became of it. */
export interface FaultedChange extends Became {
  readonly number: number;
  readonly change: string;
  /** The phase that the status told when the fault came. */
  readonly phase: string;
  readonly fault: string;
  /** The only end that is right; undefined where both are. */
  readonly expected: Outcome | undefined;
  /** For how long the chain may stand still without anything that says why. */
  readonly boundMs: number;
  readonly standstill: Standstill;
}

/** What must not be, in words. */
export function wrongsOf(one: FaultedChange): readonly string[] {
  const { problems, failed, outcome, expected, message, standstill, boundMs } = one;
  const isOtherEnd = outcome !== undefined && expected !== undefined && outcome !== expected;
  return [
    ...problems,
    ...(failed === undefined ? [] : [failed]),
    ...(isOtherEnd ? [`it ended as ${outcome}, expected ${expected}`] : []),
    ...(outcome === undefined && message === undefined && failed === undefined
      ? ["it is not over, and no condition says what it waits for"]
      : []),
    ...(standstill.untoldMs > 0
      ? [
          `the chain stood still for ${duration(standstill.untoldMs)} more than ${duration(boundMs)} without a condition that says why`,
        ]
      : []),
  ];
}

export function membershipFaultsReport(all: readonly FaultedChange[]): Report {
  const seen = all.toSorted((one, other) => one.number - other.number);
  return {
    tables: [
      {
        title: "A fault in a change of the number of members",
        columns: ["", "change", "phase", "fault", "outcome", "no block for", "verdict"],
        rows: seen.map((one) => [
          String(one.number),
          one.change,
          one.phase,
          one.fault,
          one.outcome ?? (one.failed === undefined ? "waits" : "-"),
          duration(one.gapMs ?? one.standstill.ms),
          wrongsOf(one).length === 0 ? "one chain" : "WRONG",
        ]),
      },
    ],
    notes: [
      ...seen.flatMap(({ number, message }) => (message === undefined ? [] : [`${number}: ${message}`])),
      "Every block that any member ever served was read: two of one height, one on another parent than the one before, and a hole would be a problem; so would a transaction that a majority had before and a member lacks afterwards.",
    ],
    failures: seen.flatMap((one) =>
      wrongsOf(one).map((wrong) => `${one.number}, ${one.change}, ${one.phase}, ${one.fault}: ${wrong}`),
    ),
    values: seen,
  };
}
