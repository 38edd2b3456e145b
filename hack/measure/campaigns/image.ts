import { spawn } from "node:child_process";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { AGENT_PORT } from "../../../src/model/agent-protocol.ts";
import { type Bundle, bundle } from "../../bundle.ts";
import { nodeBinary, nodeFlags, writeOperatorImage } from "../../operator-image.ts";
import { answersOk } from "../answers-ok.ts";
import { campaignOfProcesses, type Report } from "../campaign.ts";
import { end, exitOf } from "../child-processes.ts";
import { pollUntil, type Undoing } from "../session.ts";
import { summaryOf } from "../statistics.ts";
import { summaryCells, summaryColumns } from "../table.ts";

const START_TIMEOUT_MS = 60_000;
const LOOK_EVERY_MS = 2;
const MIB = 1 << 20;

/** Settings as a pod gives them. The agent answers before it has found anything of what they name. */
const agentEnv = {
  POD_NAME: "chain-0",
  POD_NAMESPACE: "measure",
  POD_UID: "00000000-0000-0000-0000-000000000000",
  EPOCH: "1",
  MAX_BLOCKS_BEHIND: "20",
};

/** The operator's own start, with its watches and its Lease, is in the campaigns `memory` and `scale`. */
export const image = campaignOfProcesses({
  name: "image",
  about:
    "size of the image, whether it is the same when it is built again, and how long an agent takes to answer",
  options: { starts: { full: 30, short: 3, about: "starts of each program" } },
  async run(undoing, { starts }) {
    const folder = await mkdtemp(join(tmpdir(), "measure-image-"));
    undoing.atEnd(`folder ${folder}`, async () => rm(folder, { recursive: true, force: true }));
    const builds = await Promise.all(["one", "other"].map(async (name) => built(join(folder, name))));
    const [first] = builds;
    if (!first) throw new Error("nothing was built");
    const program = join(first.program.folder, "main.js");
    const [agentMs, versionMs]: [number[], number[]] = [[], []];
    for (let run = 0; run < starts; run += 1) {
      agentMs.push(await agentStart(undoing, program));
      versionMs.push(await wholeRun(program));
    }
    return report(
      builds,
      { agentMs, versionMs },
      await Promise.all([sizeOf(nodeBinary()), sizeOf(first.file)]),
    );
  },
});

interface Built {
  readonly file: string;
  readonly digest: string;
  readonly program: Bundle;
}

async function built(folder: string): Promise<Built> {
  const program = await bundle(join(folder, "dist"));
  const { file, digest } = await writeOperatorImage(join(folder, "image.tar"), undefined, program);
  return { file, digest, program };
}

const sizeOf = async (file: string) => (await stat(file)).size;

/** From the start of the process to its first answer to kubelet. */
async function agentStart(undoing: Undoing, program: string): Promise<number> {
  const startMs = performance.now();
  const child = spawn(process.execPath, [...nodeFlags, program, "agent"], {
    env: agentEnv,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said = text(child.stderr);
  try {
    const answers = async () => {
      if (child.exitCode !== null) throw new Error(`the agent ended at its start: ${(await said).trim()}`);
      return answersOk(AGENT_PORT, "/livez");
    };
    const isUp = await pollUntil(answers, { everyMs: LOOK_EVERY_MS, timeoutMs: START_TIMEOUT_MS }, undoing);
    if (!isUp) throw new Error(`the agent does not answer within ${START_TIMEOUT_MS / 1_000} s`);
    return performance.now() - startMs;
  } finally {
    await end(child);
  }
}

/** Of what every start has in it: Node, and the program's first module. */
async function wholeRun(program: string): Promise<number> {
  const startMs = performance.now();
  const child = spawn(process.execPath, [...nodeFlags, program, "version"], { stdio: "ignore" });
  const code = await exitOf(child);
  if (code !== 0) throw new Error(`the program ended with ${code}`);
  return performance.now() - startMs;
}

interface Starts {
  readonly agentMs: readonly number[];
  readonly versionMs: readonly number[];
}

function report(
  builds: readonly Built[],
  { agentMs, versionMs }: Starts,
  [nodeBytes = 0, imageBytes = 0]: readonly number[],
): Report {
  const digests = new Set(builds.map(({ digest }) => digest));
  const { operator = 0, agent = 0 } = builds[0]?.program.loadedBytes ?? {};
  const mib = (bytes: number) => `${(bytes / MIB).toFixed(1)} MiB`;
  return {
    tables: [
      {
        title: "Sizes, uncompressed",
        columns: ["", "size"],
        rows: [
          ["the image", mib(imageBytes)],
          ["of it Node", mib(nodeBytes)],
          ["code that the operator loads", mib(operator)],
          ["code that an agent loads", mib(agent)],
        ],
      },
      {
        title: "Time to start",
        columns: ["", ...summaryColumns],
        rows: [
          ["agent, until it answers", ...summaryCells(summaryOf(agentMs))],
          ["Node and the program's version, until it ended", ...summaryCells(summaryOf(versionMs))],
        ],
      },
    ],
    notes: [`Built ${builds.length} times, with ${digests.size} digest${digests.size === 1 ? "" : "s"}.`],
    failures: digests.size === 1 ? [] : [`it is not the same image each time: ${[...digests].join(", ")}`],
    values: { digests: [...digests], nodeBytes, imageBytes, operator, agent, agentMs, versionMs },
  };
}
