import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tryCommand } from "../../../hack/local-cluster/command.ts";
import { environment } from "../harness/environment.ts";

/** Alone: four measurements at once are as much as a small machine can do. */

const main = join(import.meta.dirname, "../../../hack/measure/main.ts");

/**
 * The others have their short form here already: failover, quiet, operator-away, operator-failover and operator-killed.
 * The longest come first, so that none is left over at the end.
 */
const campaigns = [
  "memory",
  "rollouts",
  "memberships",
  "membership-faults",
  "rollout-storms",
  "repairs",
  "total-stops",
  "suspensions",
  "drills",
  "block-times",
  "scale",
];
/**
 * The first two keep the machine busy on purpose, under which each of the others would take several times as long.
 * `image` starts an agent on the machine itself, whose port the simulated members of `scale` have too.
 */
const apart = ["cold-starts", "raft-timing", "image"];

async function runsToItsEnd(name: string): Promise<void> {
  const { stdout, stderr } = await tryCommand(process.execPath, [main, name, "--short"], {
    timeoutMs: 560_000,
    // Empty, so that the campaign takes the local cluster with its own tools.
    env: { KUBECONFIG: "" },
  });
  expect(stdout + stderr).toContain(`${name} --`);
}

/**
 * Only on the local cluster: the campaigns read its audit log and kill processes on its node. Whether a figure is a
 * good one is not judged here, where the machine may be busy with anything.
 */
describe.skipIf(environment().machine === undefined)("the short form of every measurement", () => {
  it.concurrent.each(campaigns)("%s runs to its end and says what it found", runsToItsEnd);

  describe("apart from the others", () => {
    it.concurrent.each(apart)("%s runs to its end and says what it found", runsToItsEnd);
  });
});
