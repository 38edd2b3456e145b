import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildBinary } from "../../local-cluster/go-build.ts";
import { say } from "../../local-cluster/progress.ts";
import { campaignOfProcesses } from "../campaign.ts";
import { type Danger, dangers, fiveOf } from "../guide/dangers.ts";
import { describeFork } from "../guide/ledger.ts";
import { type Programs, Stage } from "../guide/stage.ts";
import type { Undoing } from "../session.ts";
import { guideDangersReport, outcomeOf, type Run } from "./guide-dangers-report.ts";

/** Time for an election or two, on a busy machine. */
const WATCH_MS = 25_000;

/** What ev-node's guide from one sequencer to five calls safe, or leaves to chance, with the real binary. */
export const guideDangers = campaignOfProcesses({
  name: "guide-dangers",
  about: "the dangerous steps of ev-node's migration guide, as plain processes: no cluster is needed",
  options: {
    runs: { full: 5, short: 1, about: "runs of each variant" },
    only: { full: 0, short: 0, about: "only the variant of this number; 0 is all" },
  },
  async run(session, options) {
    const programs = { testnode: await buildBinary("testnode"), localDa: await buildBinary("local-da") };
    const chosen = dangers.filter((_, index) => options.only === 0 || options.only === index + 1);
    const runs: Run[] = [];
    for (let round = 0; round < options.runs; round += 1) {
      for (const danger of chosen) {
        const run = await oneRun(session, programs, danger, runs.length);
        runs.push(run);
        say(`${danger.name}, run ${round + 1}: ${describe(run)}`);
      }
    }
    return guideDangersReport(dangers, runs);
  },
});

async function oneRun(session: Undoing, programs: Programs, danger: Danger, number: number): Promise<Run> {
  const root = await mkdtemp(join(tmpdir(), "guide-dangers-"));
  const stage = await Stage.set(session, programs, root, number);
  try {
    return await shown(stage, danger);
  } catch (error) {
    if (session.signal.aborted) throw error;
    const failed = error instanceof Error ? error.message : String(error);
    return { danger: danger.name, failed, before: 0, after: 0, forks: [], deaths: [], heights: [] };
  } finally {
    await stage.clear();
  }
}

async function shown(stage: Stage, danger: Danger): Promise<Run> {
  const five = fiveOf(stage);
  await danger.prepare(stage, five);
  await stage.look();
  const before = stage.ledger.top();
  await danger.act(stage, five);
  await stage.watch(WATCH_MS);
  await stage.look(true);
  return {
    danger: danger.name,
    before,
    after: stage.ledger.top(),
    forks: stage.ledger.forks(),
    deaths: stage.nodes.flatMap(({ deaths }) => deaths),
    heights: await Promise.all(stage.nodes.map((node) => stage.heightOf(node))),
  };
}

function describe(run: Run): string {
  if (run.failed !== undefined) return `not shown: ${run.failed}`;
  const [first] = run.forks;
  const fork = first === undefined ? "" : `, ${describeFork(first)}; ${run.forks.length} heights`;
  const ended = run.deaths.map(({ node, code, line }) => `; ${node} ended with ${code}: ${line}`);
  return `${outcomeOf(run)}${fork}; heights ${run.heights.join(", ")}, ${run.before} before${ended.join("")}`;
}
