/**
 * Checks what the compiler and the linter do not know: import directions, hidden inputs, sizes, names, and traces
 * of one machine in files that all machines share. Prints every problem as `file:line: found, expected`.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { problemsOf } from "./tidy/check.ts";

const root = join(import.meta.dirname, "..");
/** Files beyond this size are data, such as recorded database files. */
const maxTextBytes = 1_000_000;

/** Files that git tracks, or would track. */
function repositoryFiles(): readonly string[] {
  const listing = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    cwd: root,
  });
  return listing
    .toString("utf8")
    .split("\0")
    .filter((file) => file !== "")
    .sort();
}

function textOf(file: string): string | undefined {
  const path = join(root, file);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile() || stats.size > maxTextBytes) return undefined;
  const content = readFileSync(path);
  return content.includes(0) ? undefined : content.toString("utf8");
}

const problems = repositoryFiles().flatMap((file) => {
  const text = textOf(file);
  return text === undefined ? [] : problemsOf(file, text);
});
for (const { file, line, message } of problems) console.error(`${file}:${line}: ${message}`);
if (problems.length > 0) {
  console.error(`tidy: ${problems.length} problems`);
  process.exitCode = 1;
}
