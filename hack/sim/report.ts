import { type Result, runSeed } from "../../test/sim/run/run-seed.ts";
import type { Profile } from "../../test/sim/run/simulated-operator.ts";
import { failureOf } from "../../test/sim/run/telling.ts";

/** What is asked of a worker. */
export interface Question {
  readonly seed: number;
  readonly profile: Profile;
  /** Whether the seed is run a second time, which must give the same history. */
  readonly twice: boolean;
  /** How much of the history of a failure is told. */
  readonly lines: number;
}

/** What one seed came to, as plain data for the way between two processes. */
export interface Report {
  readonly seed: number;
  /** Absent when no rule was broken. */
  readonly failure?: string;
  readonly counts: readonly (readonly [fault: string, times: number])[];
  readonly virtualMs: number;
  readonly slowestMs: number;
}

export async function reportOn({ seed, twice, lines, profile }: Question): Promise<Report> {
  const result = await runSeed(seed, undefined, profile);
  const { counts, virtualMs, slowestMs } = result;
  const failure =
    failureIn(result, lines, profile) ?? (twice ? await difference(result, profile) : undefined);
  return {
    seed,
    ...(failure === undefined ? {} : { failure }),
    counts: counts.entries(),
    virtualMs,
    slowestMs,
  };
}

const failureIn = (result: Result, lines: number, profile: Profile) =>
  result.violations.length === 0 ? undefined : failureOf(result, lines, profile);

/** A run that depends on more than its seed can be neither replayed nor believed. */
async function difference(first: Result, profile: Profile): Promise<string | undefined> {
  const second = await runSeed(first.seed, undefined, profile);
  if (second.history.digest() === first.history.digest()) return undefined;
  const [one, other] = [first, second].map(({ history }) => history.last(history.length));
  const at = one?.findIndex((line, index) => line !== other?.[index]) ?? -1;
  const lines = [one, other].map((history) => history?.slice(Math.max(0, at - 3), at + 2).join("\n"));
  return [`seed ${first.seed} has two histories, which differ from line ${at + 1} on:`, ...lines].join(
    "\n--\n",
  );
}
