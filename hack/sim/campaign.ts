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

/** Runs seeds in some processes at a time; each takes the next seed when it is through with one. */
export async function runCampaign(campaign: Campaign): Promise<void> {
  const { from, count, jobs } = campaign;
  const seeds = Array.from({ length: count }, (_, index) => from + index).values();
  await Promise.all(Array.from({ length: Math.min(jobs, count) }, () => work(campaign, seeds)));
}

async function work(
  { twice, lines, profile, tally, onReport }: Campaign,
  seeds: Iterator<number>,
): Promise<void> {
  const worker = fork(workerFile);
  try {
    for (let next = seeds.next(); next.done !== true; next = seeds.next()) {
      const report = await answerTo(worker, { seed: next.value, twice, lines, profile });
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
