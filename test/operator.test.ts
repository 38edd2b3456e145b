import { afterEach, expect, test, vi } from "vitest";
import { runOperator } from "../src/operator.ts";

afterEach(() => vi.restoreAllMocks());

test("settings that are missing end it before it reaches for anything, and all are named", async () => {
  const told = vi.spyOn(console, "error").mockImplementation(() => {});
  expect(await runOperator(["--workers", "0"], {}, new AbortController().signal)).toBe(2);
  const [[text = ""] = []] = told.mock.calls as string[][];
  expect(text).toMatch(/^The operator cannot start:\n/);
  for (const flag of ["namespace", "identity", "agent-image", "workers"]) expect(text).toContain(`--${flag}`);
});
