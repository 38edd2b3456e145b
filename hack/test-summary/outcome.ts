import { z } from "zod";

export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The totals of vitest's JSON report. */
const reportSchema = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
});

/**
 * What a test run came to. A run that failed without a failed test, such as one that was ended by a check before the
 * first test or by a file that cannot be loaded, counts as one failure: silence must not look like success.
 */
export function outcomeOf(report: string | undefined, exitCode: number): Outcome {
  const parsed = report === undefined ? undefined : reportSchema.parse(JSON.parse(report));
  const failed = parsed?.numFailedTests ?? 0;
  const ranAsReported = parsed !== undefined && exitCode === 0;
  return {
    passed: parsed?.numPassedTests ?? 0,
    failed: failed === 0 && !ranAsReported ? 1 : failed,
    skipped: (parsed?.numPendingTests ?? 0) + (parsed?.numTodoTests ?? 0),
  };
}

export function addUp(outcomes: readonly Outcome[]): Outcome {
  const sum = (pick: (outcome: Outcome) => number) =>
    outcomes.reduce((total, outcome) => total + pick(outcome), 0);
  return {
    passed: sum((outcome) => outcome.passed),
    failed: sum((outcome) => outcome.failed),
    skipped: sum((outcome) => outcome.skipped),
  };
}

export function describe({ passed, failed, skipped }: Outcome): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
