import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { tryCommand } from "../../../hack/local-cluster/command.ts";
import { environment } from "../harness/environment.ts";

/** Alone: four measurements at once are as much as a small machine can do. */

const main = join(import.meta.dirname, "../../../hack/measure/main.ts");

/**
 * The others have their short form here already: failover, quiet, operator-away and operator-killed. What waits more
 * than it works is done together.
 */
const campaigns = [
  ["block-times", "drills", "repairs"],
  ["cold-starts", "raft-timing", "total-stops"],
  ["rollouts", "rollout-storms", "suspensions"],
];
/** It takes as long as the others, and mostly waits: it runs beside them. */
const LONGEST = "memory";

async function saidBy(name: string): Promise<string> {
  const { stdout, stderr } = await tryCommand(process.execPath, [main, name, "--short"], {
    timeoutMs: 560_000,
    // Empty, so that the campaign takes the local cluster with its own tools.
    env: { KUBECONFIG: "" },
  });
  return stdout + stderr;
}

/**
 * Only on the local cluster: the campaigns read its audit log and kill processes on its node. Whether a figure is a
 * good one is not judged here, where the machine may be busy with anything.
 */
describe.skipIf(environment().machine === undefined)("the short form of every measurement", () => {
  let longest: Promise<PromiseSettledResult<string>[]> | undefined;
  beforeAll(() => {
    longest = Promise.allSettled([saidBy(LONGEST)]);
  });

  it.each(campaigns.map((names) => [names.join(", "), names] as const))(
    "%s run to their end and say what they found",
    async (_, names) => {
      const said = await Promise.all(names.map(async (name) => saidBy(name)));
      for (const [at, name] of names.entries()) expect(said[at]).toContain(`${name} --`);
    },
  );

  it(`${LONGEST} runs to its end and says what it found`, async () => {
    const [result] = (await longest) ?? [];
    expect(result).toMatchObject({ value: expect.stringContaining(`${LONGEST} --`) });
  });
});
