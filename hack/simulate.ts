/**
 * Runs the simulator: `npm run sim -- --seeds N --from S` for many seeds, `--seed S` to see one of them. With `--rolls`
 * the owner changes the spec, too. Ends with 1 when a seed breaks a rule, and prints how to replay it.
 */
import { parseArgs } from "node:util";
import { FaultCounts } from "../test/sim/run/fault-counts.ts";
import { runSeed } from "../test/sim/run/run-seed.ts";
import { failureOf, faultTable } from "../test/sim/run/telling.ts";

const options = {
  seeds: { type: "string", default: "100" },
  from: { type: "string", default: "1" },
  seed: { type: "string" },
  lines: { type: "string", default: "60" },
  rolls: { type: "boolean", default: false },
} as const;
const { values } = parseArgs({ options });
const from = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
if (![from, count, Number(values.lines)].every(Number.isSafeInteger))
  throw new Error("--seeds, --from, --seed and --lines are whole numbers");

const counts = new FaultCounts();
const startedMs = performance.now();
let virtualMs = 0;
let failed = 0;
for (let seed = from; seed < from + count; seed++) {
  const result = await runSeed(seed, undefined, { rolls: values.rolls });
  counts.addAll(result.counts);
  virtualMs += result.virtualMs;
  if (result.violations.length > 0) failed += 1;
  if (result.violations.length > 0) console.log(failureOf(result, Number(values.lines)));
  else if (values.seed !== undefined) console.log(result.history.last(Number(values.lines)).join("\n"));
}
const seconds = (performance.now() - startedMs) / 1000;
console.log(faultTable(counts));
console.log(
  `${count} seeds from ${from}: ${failed} failed; ${(count / seconds).toFixed(2)} seeds a second, ${(virtualMs / 3_600_000).toFixed(1)} simulated hours`,
);
if (failed > 0) process.exitCode = 1;
