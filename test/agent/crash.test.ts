import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { newBoard } from "../../src/agent/board.ts";
import { newIdentityCheck } from "../../src/agent/check-identity.ts";
import { type Disk, realDisk } from "../../src/agent/disk.ts";
import { type PrepareDependencies, prepareOnce } from "../../src/agent/prepare.ts";
import type { Order } from "../../src/model/agent-protocol.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { nodeLife } from "./node-life.ts";
import { bootstrapOrder, newPod, type Pod, rejoinOrder, startOrder, treeOf } from "./pod.ts";
import { recordedLog } from "./recorded-log.ts";
import { type MakeVolume, volumes } from "./volumes.ts";

/** The process dies here: nothing after this step happens. */
class Crash extends Error {}

/** Death before a step is death after the one before it. */
type Manner = "after the step" | "in the middle of the step";

interface CrashingDisk extends Disk {
  readonly steps: readonly string[];
}

/** A process dies here, not a machine: without syncing, hundreds of crashes take seconds. */
const looseDisk: Disk = {
  ...realDisk,
  async write(path, content, mode) {
    await rm(path, { force: true });
    await writeFile(path, content, { mode, flag: "wx" });
  },
  syncFolder: async () => {},
};

/** Works like a disk, until the process dies at the step of this number. */
function diskThatCrashes(atStep: number, manner: Manner): CrashingDisk {
  const steps: string[] = [];
  async function step(name: string, whole: () => Promise<void>, half: () => Promise<void> = whole) {
    steps.push(name);
    // A dead process does no more, whatever the code around it would still do.
    if (steps.length > atStep) throw new Crash(name);
    if (steps.length < atStep) return whole();
    await (manner === "after the step" ? whole() : half());
    throw new Crash(name);
  }
  return {
    steps,
    makeFolder: (path) => step(`makeFolder ${path}`, () => looseDisk.makeFolder(path)),
    write: (path, content, mode) =>
      step(
        `write ${path}`,
        () => looseDisk.write(path, content, mode),
        () => looseDisk.write(path, content.slice(0, content.length / 2), mode),
      ),
    rename: (from, to) => step(`rename ${from}`, () => looseDisk.rename(from, to)),
    syncFolder: (path) => step(`syncFolder ${path}`, () => looseDisk.syncFolder(path)),
  };
}

// The same for all pods of these tests, and slow on purpose.
const checkIdentity = newIdentityCheck(0);

let pod: Pod;
beforeEach(async () => {
  pod = await newPod();
});
afterEach(() => pod.remove());

/** Gives the orders one after the other, each with one look of the agent. */
async function run(pod: Pod, orders: readonly (Order | undefined)[], disk: Disk): Promise<boolean> {
  const { settings, paths } = pod;
  const board = newBoard({ ...settings, bootId: "boot" }, new VirtualClock(), recordedLog());
  const dependencies: PrepareDependencies = {
    settings,
    paths,
    disk,
    board,
    checkIdentity,
    nodeLife: () => nodeLife(),
    lookAround: () => {},
  };
  let isDone = false;
  for (const order of orders) {
    await pod.setOrder(order);
    isDone = (await prepareOnce(dependencies)) !== undefined;
  }
  return isDone;
}

/** A new volume in the pod, and a config file as an earlier revision left it. */
async function putIntoPod(volume: MakeVolume): Promise<void> {
  const { home, config } = pod.paths;
  await rm(home, { recursive: true });
  await mkdir(config, { recursive: true });
  await volume(home);
  await writeFile(join(config, "evnode.yaml"), "earlier: true\n");
}

const scenarios: readonly [name: string, volume: MakeVolume, orders: readonly (Order | undefined)[]][] = [
  ["a first start", volumes.empty, [bootstrapOrder, startOrder]],
  ["a volume that was lost", volumes.empty, [rejoinOrder]],
  ["a raft folder that was lost", volumes["without its raft folder"], [rejoinOrder]],
  ["a raft folder that was damaged", volumes["without its raft log"], [rejoinOrder]],
  ["a volume that ev-node cannot use", volumes.started, [{ ...rejoinOrder, anew: "all" }]],
  ["blocks of a fork", volumes.started, [{ ...rejoinOrder, anew: "all", forked: true }]],
  ["a first config", volumes.started, [undefined]],
];

test.each(scenarios)("%s: cut off at any step, it comes to the same end", async (_, volume, orders) => {
  const undisturbed = diskThatCrashes(Number.POSITIVE_INFINITY, "after the step");
  await putIntoPod(volume);
  expect(await run(pod, orders, undisturbed)).toBe(true);
  const expected = await treeOf(pod.paths.home);
  expect(undisturbed.steps.length).toBeGreaterThan(10);

  for (const [index, name] of undisturbed.steps.entries()) {
    // Only writing a file has a middle: the other steps are done by the kernel at once.
    const manners: readonly Manner[] = name.startsWith("write")
      ? ["after the step", "in the middle of the step"]
      : ["after the step"];
    for (const manner of manners) {
      await putIntoPod(volume);
      await expect(run(pod, orders, diskThatCrashes(index + 1, manner))).rejects.toThrow(name);
      expect(await run(pod, orders, looseDisk)).toBe(true);
      const where = `${manner} ${index + 1}: ${name}`;
      expect({ where, tree: await treeOf(pod.paths.home) }).toEqual({ where, tree: expected });
    }
  }
});
