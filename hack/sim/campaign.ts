import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { Profile } from "../../test/sim/run/simulated-operator.ts";
import type { Question, Report } from "./report.ts";
import type { Tally } from "./tally.ts";

export interface Campaign {
  readonly from: number;
  readonly count: number;
  readonly jobs: number;
  readonly twice: boolean;
  readonly profile: Profile;
  readonly lines: number;
  readonly tally: Tally;
  /** Told about every seed as it ends. */
  readonly onReport: (report: Report) => void;
}

const workerFile = join(import.meta.dirname, "worker.ts");

/** Operators that are killed leave signals behind that are never collected, some megabytes a seed: a new process goes on. */
const SEEDS_OF_ONE_PROCESS = 300;
/** Less work beside the simulation, and less of it. */
const NODE_FLAGS = ["--max-semi-space-size=64", "--single-threaded-gc"];

/** Runs seeds in some processes at a time; each takes the next part of them when it is through with one. */
export async function runCampaign(campaign: Campaign): Promise<void> {
  const { from, count, jobs } = campaign;
  const size = Math.min(SEEDS_OF_ONE_PROCESS, Math.ceil(count / jobs));
  const parts = Array.from({ length: Math.ceil(count / size) }, (_, index) => {
    const first = from + index * size;
    return Array.from({ length: Math.min(size, from + count - first) }, (_seed, next) => first + next);
  }).values();
  const work = async () => {
    for (const part of parts) await runPart(campaign, part);
  };
  await Promise.all(Array.from({ length: jobs }, work));
}

async function runPart(
  { twice, lines, profile, tally, onReport }: Campaign,
  seeds: readonly number[],
): Promise<void> {
  const worker = fork(workerFile, { execArgv: [...process.execArgv, ...NODE_FLAGS] });
  try {
    for (const seed of seeds) {
      const report = await answerTo(worker, { seed, twice, lines, profile });
      tally.add(report);
      onReport(report);
    }
  } finally {
    worker.kill();
  }
}

function answerTo(worker: ChildProcess, question: Question): Promise<Report> {
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error(`the process that ran seed ${question.seed} ended`));
    worker.once("exit", onExit);
    worker.once("message", (report) => {
      worker.off("exit", onExit);
      resolve(report as Report);
    });
    worker.send(question);
  });
}
