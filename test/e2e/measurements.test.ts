import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tryCommand } from "../../hack/local-cluster/command.ts";
import { environment } from "./harness/environment.ts";

const main = join(import.meta.dirname, "../../hack/measure/main.ts");

/** The others have their short form here already: failover, quiet, operator-away and operator-killed. */
const campaigns = ["cold-starts", "raft-timing", "rollout-storms", "rollouts", "total-stops"];
/** These wait more than they work, so they may do it together. */
const patient = ["block-times", "drills", "memory", "repairs"];

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
  it.each(campaigns)("%s runs to its end and says what it found", async (name) => {
    expect(await saidBy(name)).toContain(`${name} --`);
  });

  it("so do those that wait more than they work", async () => {
    const said = await Promise.all(patient.map(async (name) => saidBy(name)));
    for (const [at, name] of patient.entries()) expect(said[at]).toContain(`${name} --`);
  });
});
