import { z } from "zod";

export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What is used of vitest's JSON report: its totals, and why tests and files failed. */
const reportSchema = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(
        z.object({
          status: z.string(),
          fullName: z.string(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
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

/**
 * Every failed test of a report with its file and the first line of its error, and every file that failed as a
 * whole: the end of a long log is often all that is kept of it.
 */
export function failuresOf(report: string | undefined): string[] {
  const files = report === undefined ? [] : reportSchema.parse(JSON.parse(report)).testResults;
  return files.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === "failed");
    if (failed.length === 0 && status === "failed") {
      return [`${name}: ${firstLine(message)}`];
    }
    return failed.map((test) => `${name}: ${test.fullName}: ${firstLine(test.failureMessages?.[0])}`);
  });
}

function firstLine(text = ""): string {
  return text.split("\n", 1)[0] ?? "";
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
