import { describe, expect, it } from "vitest";
import {
  addUp,
  describe as describeOutcome,
  failuresOf,
  outcomeOf,
} from "../../hack/test-summary/outcome.ts";

function report(passed: number, failed: number, pending = 0, todo = 0): string {
  const totals = {
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: pending,
    numTodoTests: todo,
  };
  return JSON.stringify({ ...totals, success: failed === 0, testResults: [] });
}

describe("the outcome of a test run", () => {
  it.each([
    { name: "all passed", report: report(3, 0), exitCode: 0, expected: "3 passed, 0 failed, 0 skipped" },
    { name: "some failed", report: report(3, 2), exitCode: 1, expected: "3 passed, 2 failed, 0 skipped" },
    {
      name: "skipped and to do",
      report: report(3, 0, 4, 1),
      exitCode: 0,
      expected: "3 passed, 0 failed, 5 skipped",
    },
    {
      name: "a file that cannot be loaded",
      report: report(3, 0),
      exitCode: 1,
      expected: "3 passed, 1 failed, 0 skipped",
    },
    {
      name: "ended before the tests",
      report: undefined,
      exitCode: 1,
      expected: "0 passed, 1 failed, 0 skipped",
    },
    {
      name: "ended well without a report",
      report: undefined,
      exitCode: 0,
      expected: "0 passed, 1 failed, 0 skipped",
    },
  ])("is told for $name", ({ report: text, exitCode, expected }) => {
    expect(describeOutcome(outcomeOf(text, exitCode))).toBe(expected);
  });

  it("is refused when the report has another form", () => {
    expect(() => outcomeOf('{"passed": 3}', 0)).toThrow("numPassedTests");
  });

  it("adds up over runs", () => {
    const outcomes = [outcomeOf(report(3, 0, 1), 0), outcomeOf(report(4, 1), 1), outcomeOf(undefined, 1)];
    expect(addUp(outcomes)).toEqual({ passed: 7, failed: 2, skipped: 1 });
  });
});

describe("the failures of a test run", () => {
  it("are told with file, test and the first line of the error", () => {
    const testResults = [
      {
        name: "a.test.ts",
        status: "failed",
        assertionResults: [
          { status: "passed", fullName: "adds", failureMessages: [] },
          {
            status: "failed",
            fullName: "divides",
            failureMessages: ["expected 2 to be 3\n  at a.test.ts:4"],
          },
        ],
      },
      {
        name: "b.test.ts",
        status: "failed",
        message: "no such module\n  at b.test.ts:1",
        assertionResults: [],
      },
      { name: "c.test.ts", status: "passed", message: "", assertionResults: [] },
    ];
    expect(failuresOf(JSON.stringify({ ...JSON.parse(report(1, 1)), testResults }))).toEqual([
      "a.test.ts: divides: expected 2 to be 3",
      "b.test.ts: no such module",
    ]);
  });

  it("are none where no report was left", () => {
    expect(failuresOf(undefined)).toEqual([]);
  });
});
