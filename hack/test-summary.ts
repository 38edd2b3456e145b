/**
 * `node hack/test-summary.ts FOLDER RUN…`: adds up the reports that vitest left in FOLDER/RUN.json, beside the exit
 * code of each run in FOLDER/RUN.exit. Fails when any run failed.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { addUp, describe, outcomeOf } from "./test-summary/outcome.ts";

const [folder = ".", ...runs] = process.argv.slice(2);
const outcomes = runs.map((run) => {
  const report = join(folder, `${run}.json`);
  const exitCode = Number(readFileSync(join(folder, `${run}.exit`), "utf8"));
  const outcome = outcomeOf(existsSync(report) ? readFileSync(report, "utf8") : undefined, exitCode);
  console.log(`${run}: ${describe(outcome)}, exit code ${exitCode}`);
  return outcome;
});
const total = addUp(outcomes);
console.log(`tests: ${describe(total)}`);
process.exitCode = total.failed === 0 ? 0 : 1;
