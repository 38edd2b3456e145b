/**
 * Runs the simulator. `npm run sim -- --seeds N --from S --jobs J` runs many seeds in J processes, each seed twice with
 * `--twice`; `--seed S` shows one of them. `--profile membership` has every owner change the number of members. Ends
 * with 1 when a seed breaks a rule, and prints how to replay it.
 */
import { parseArgs } from "node:util";
import { runSeed } from "../test/sim/run/run-seed.ts";
import { type Profile, profiles } from "../test/sim/run/simulated-operator.ts";
import { runCampaign } from "./sim/campaign.ts";
import { Tally } from "./sim/tally.ts";

const PROGRESS_EVERY_MS = 10_000;

const options = {
  seeds: { type: "string", default: "100" },
  from: { type: "string", default: "1" },
  jobs: { type: "string", default: "1" },
  seed: { type: "string" },
  lines: { type: "string" },
  profile: { type: "string", default: "usual" },
  twice: { type: "boolean", default: false },
} as const;
const { values } = parseArgs({ options });

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} is a whole number from 1 on`);
  return value;
}

function profileOf(text: string): Profile {
  const profile = profiles.find((one) => one === text);
  if (profile === undefined) throw new Error(`--profile is one of ${profiles.join(", ")}`);
  return profile;
}

const profile = profileOf(values.profile);

/** One seed, with its whole history. */
async function show(seed: number): Promise<void> {
  const lines = wholeNumber("lines", values.lines ?? "100000");
  const { violations, history } = await runSeed(seed, undefined, profile);
  console.log(history.last(lines).join("\n"));
  console.log(violations.length === 0 ? `seed ${seed} breaks no rule` : `seed ${seed} failed:`);
  for (const what of violations) console.log(`  ${what}`);
  if (violations.length > 0) process.exitCode = 1;
}

async function runMany(): Promise<void> {
  const [from, count, jobs, lines] = [
    wholeNumber("from", values.from),
    wholeNumber("seeds", values.seeds),
    wholeNumber("jobs", values.jobs),
    wholeNumber("lines", values.lines ?? "60"),
  ];
  const startedMs = performance.now();
  const seconds = () => (performance.now() - startedMs) / 1000;
  const tally = new Tally();
  const timer = setInterval(() => console.log(tally.progress(count, seconds())), PROGRESS_EVERY_MS);
  const onReport = ({ failure }: { readonly failure?: string }) => {
    if (failure !== undefined) console.log(failure);
  };
  await runCampaign({ from, count, jobs, lines, profile, twice: values.twice, tally, onReport });
  clearInterval(timer);
  console.log(tally.summary(seconds()));
  if (tally.hasFailures) process.exitCode = 1;
}

await (values.seed === undefined ? runMany() : show(wholeNumber("seed", values.seed)));
