/**
 * `node hack/test-summary.ts FOLDER RUN…`: adds up the reports that vitest left in FOLDER/RUN.json, beside the exit
 * code of each run in FOLDER/RUN.exit, and names what failed. Fails when any run failed.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { addUp, describe, failuresOf, outcomeOf } from "./test-summary/outcome.ts";

const [folder = ".", ...runs] = process.argv.slice(2);
const outcomes = runs.map((run) => {
  const path = join(folder, `${run}.json`);
  const report = existsSync(path) ? readFileSync(path, "utf8") : undefined;
  const exitCode = Number(readFileSync(join(folder, `${run}.exit`), "utf8"));
  const outcome = outcomeOf(report, exitCode);
  for (const failure of failuresOf(report)) {
    console.log(`failed: ${failure}`);
  }
  console.log(`${run}: ${describe(outcome)}, exit code ${exitCode}`);
  return outcome;
});
const total = addUp(outcomes);
console.log(`tests: ${describe(total)}`);
process.exitCode = total.failed === 0 ? 0 : 1;
