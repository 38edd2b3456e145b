import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Board, newBoard } from "../../src/agent/board.ts";
import { newIdentityCheck } from "../../src/agent/check-identity.ts";
import { type Disk, realDisk } from "../../src/agent/disk.ts";
import { readInstalledConfig } from "../../src/agent/installed-config.ts";
import type { ModeConfigs } from "../../src/agent/mode-keeper.ts";
import { type Prepared, prepareOnce } from "../../src/agent/prepare.ts";
import { readRestartRecord } from "../../src/agent/restart-record.ts";
import { UpdateKeeper } from "../../src/agent/update-keeper.ts";
import type { MemberConfigInput } from "../../src/evnode/config.ts";
import { annotations } from "../../src/model/annotations.ts";
import { configEntry } from "../../src/model/names.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { closedNode, openNode } from "./findings.ts";
import { nodeLife } from "./node-life.ts";
import { newPod, type Pod } from "./pod.ts";
import { recordedLog } from "./recorded-log.ts";
import { volumes } from "./volumes.ts";

const checkIdentity = newIdentityCheck(0);
const FIRST = "7 started at 100";
const SECOND = "9 started at 200";

/** A member that runs, in a pod that was made with the token "made". */
let pod: Pod;
let clock: VirtualClock;
let board: Board;
let prepared: Prepared;
let update: UpdateKeeper;
let used: ModeConfigs[];
let restarts: number;
let processes: readonly string[];
let onUse: () => Promise<void>;
let onRestart: () => Promise<void>;

beforeEach(async () => {
  pod = await newPod();
  await volumes.started(pod.paths.home);
  await annotate(pod.revision, "made");
  used = [];
  restarts = 0;
  processes = [FIRST];
  onUse = async () => {};
  onRestart = async () => {};
  await startAgent();
});
afterEach(() => pod.remove());

/** A container that starts anew finds what the one before it left on the disks. */
async function startAgent(disk: Disk = realDisk): Promise<void> {
  const { settings, paths } = pod;
  const log = recordedLog();
  clock = new VirtualClock();
  board = newBoard({ ...settings, bootId: "boot" }, clock, log);
  const found = await prepareOnce({
    settings,
    paths,
    disk,
    board,
    checkIdentity,
    nodeLife: () => nodeLife({ isUp: true }),
    lookAround: () => {},
  });
  if (found === undefined) throw new Error("the member is not prepared");
  prepared = found;
  const keeper = {
    use: async (configs: ModeConfigs) => {
      used.push(configs);
      await onUse();
    },
    restart: async () => {
      restarts += 1;
      await onRestart();
    },
  };
  const nodeProcesses = async () => processes;
  const { facts } = prepared;
  update = new UpdateKeeper({ settings, paths, disk, board, clock, log, facts, keeper, nodeProcesses });
}

function annotate(revision: string, token?: string): Promise<void> {
  const tokens = token === undefined ? {} : { [annotations.restartToken]: token };
  return pod.setAnnotations({ [annotations.configRevision]: revision, ...tokens });
}

const verbose = (input: MemberConfigInput): MemberConfigInput => ({
  ...input,
  log: { level: "debug", format: "json" },
});

/** Kubelet has not brought these entries yet; the returned function brings them. */
async function holdBack(revision: string): Promise<() => Promise<void>> {
  const names = [...pod.configs.keys()].map((member) => configEntry(member, revision));
  const move = async (from: string, to: string) => {
    for (const name of names) await rename(join(from, name), join(to, name));
  };
  await move(pod.paths.configSecret, pod.root);
  return () => move(pod.root, pod.paths.configSecret);
}

const shown = () => {
  const { configRevision, pendingConfig, restartToken } = board.answer();
  return { configRevision, pendingConfig, restartToken };
};
const settled = (configRevision: string, restartToken = "made") => ({
  configRevision,
  pendingConfig: undefined,
  restartToken,
});

test("a pod as it was made needs nothing, and costs no look at the Secret or the processes", async () => {
  await rm(pod.paths.configSecret, { recursive: true });
  for (let count = 0; count < 3; count += 1) await update.tend();
  expect([shown(), used, restarts]).toEqual([settled(pod.revision), [], 0]);
});

describe("a config revision", () => {
  test("takes the place of the installed one in both modes, without a restart", async () => {
    const revision = await pod.addConfigs(verbose);
    await annotate(revision, "made");
    await update.tend();
    await update.tend();
    expect([shown(), restarts]).toEqual([settled(revision), 0]);
    const text = await readFile(join(pod.paths.configSecret, configEntry("chain-0", revision)), "utf8");
    expect(used).toEqual([{ raft: text, level: expect.stringContaining('level: "debug"') }]);
    expect(await readInstalledConfig(pod.paths.config)).toEqual({ revision, text });
  });

  test("that kubelet has not mounted yet is waited for", async () => {
    const revision = await pod.addConfigs(verbose);
    const bring = await holdBack(revision);
    await annotate(revision, "made");
    await update.tend();
    const message = `config revision ${revision} is not in the mounted Secret yet`;
    expect(shown()).toEqual({ ...settled(pod.revision), pendingConfig: { revision, message } });
    await bring();
    await update.tend();
    expect(shown()).toEqual(settled(revision));
  });

  test("that is refused leaves the installed one as it is, until it is put right", async () => {
    const revision = await pod.addConfigs(verbose);
    const path = join(pod.paths.configSecret, configEntry("chain-1", revision));
    const text = await readFile(path, "utf8");
    await writeFile(path, `${text}# edited\n`);
    await annotate(revision, "made");
    await update.tend();
    expect(shown()).toEqual({
      ...settled(pod.revision),
      pendingConfig: {
        revision,
        message: expect.stringContaining(`config revision ${revision} is refused: the mounted files`),
      },
    });
    expect(used).toEqual([]);
    await writeFile(path, text);
    await update.tend();
    expect(shown()).toEqual(settled(revision));
  });

  test("that is taken back while it waits is forgotten", async () => {
    await annotate("ffffffffff", "made");
    await update.tend();
    expect(shown().pendingConfig?.revision).toBe("ffffffffff");
    await annotate(pod.revision, "made");
    await update.tend();
    expect([shown(), used]).toEqual([settled(pod.revision), []]);
  });

  test("that is older takes the place of the newer one in the same way", async () => {
    const revision = await pod.addConfigs(verbose);
    for (const next of [revision, pod.revision, revision, pod.revision]) {
      await annotate(next, "made");
      await update.tend();
      expect(shown()).toEqual(settled(next));
    }
    expect(used.map(({ raft }) => raft.includes("debug"))).toEqual([true, false, true, false]);
  });

  test("whose installation failed half-way is undone when the pod goes back", async () => {
    const before = await readInstalledConfig(pod.paths.config);
    await annotate(await pod.addConfigs(verbose), "made");
    onUse = async () => {
      throw new Error("ENOSPC");
    };
    await expect(update.tend()).rejects.toThrow("ENOSPC");
    expect(shown()).toEqual(settled(pod.revision));
    onUse = async () => {};
    await annotate(pod.revision, "made");
    await update.tend();
    expect([shown(), used.at(-1)]).toEqual([settled(pod.revision), prepared.configs]);
    expect(await readInstalledConfig(pod.paths.config)).toEqual(before);
  });

  const withRaft = (input: MemberConfigInput, address: string) => ({
    ...input,
    raft: { ...input.raft, address },
  });
  const others: readonly [differs: string, change: (input: MemberConfigInput) => MemberConfigInput][] = [
    ["rpcPort is 7331 in this pod and 7332 in the revision", (input) => ({ ...input, rpcPort: 7332 })],
    ["metricsPort is 26660 in", (input) => ({ ...input, metricsPort: 26661 })],
    ["raftAddress is ", (input) => withRaft(input, input.raft.address.replace(":5001", ":5002"))],
    ['dbPath is "data" in this pod and "other" in', (input) => ({ ...input, dbPath: "other" })],
    ["peers is ", (input) => ({ ...input, p2p: { ...input.p2p, peers: input.p2p.peers.slice(1) } })],
  ];
  test.each(others)(
    "with which the agent would look elsewhere needs a new pod: %s",
    async (differs, change) => {
      const revision = await pod.addConfigs(change);
      await annotate(revision, "another");
      await update.tend();
      const { configRevision, pendingConfig, restartToken } = shown();
      expect([configRevision, restartToken, used, restarts]).toEqual([pod.revision, "made", [], 0]);
      expect(pendingConfig?.revision).toBe(revision);
      expect(pendingConfig?.message).toContain(`config revision ${revision} needs a new pod: ${differs}`);
    },
  );

  test("changes nothing when it is not there, and neither does the token beside it", async () => {
    const token = { [annotations.restartToken]: "another" };
    for (const damaged of [{}, token, { ...token, [annotations.configRevision]: "" }]) {
      await pod.setAnnotations(damaged);
      await update.tend();
    }
    await writeFile(pod.paths.annotations, `${annotations.configRevision}="cut of`);
    await update.tend();
    await rm(pod.paths.annotations);
    await update.tend();
    expect([shown(), used, restarts]).toEqual([settled(pod.revision), [], 0]);
  });
});

describe("a restart token", () => {
  test("that is new ends ev-node, and is done when its process is gone", async () => {
    await annotate(pod.revision, "another");
    await update.tend();
    expect([shown(), restarts]).toEqual([settled(pod.revision), 1]);
    processes = [];
    await update.tend();
    expect([shown(), restarts]).toEqual([settled(pod.revision, "another"), 1]);
    processes = [SECOND];
    for (let count = 0; count < 5; count += 1) await update.tend();
    expect(restarts).toBe(1);
  });

  test("is never told beside what the process before it said", async () => {
    board.update({ prepare: { kind: "done" }, mode: { kind: "raft" }, node: openNode({ isLeader: true }) });
    await clock.advance(60_000);
    await annotate(pod.revision, "another");
    await update.tend();
    expect(board.answer().ready).toEqual({ ok: true, message: "in sync", forMs: 60_000 });

    processes = [];
    await update.tend();
    const { restartToken, node, ready } = board.answer();
    expect([restartToken, node.kind, ready.ok, ready.forMs]).toEqual(["another", "closed", false, 0]);
  });

  test("leaves what is known of a node that is closed as it is", async () => {
    processes = [];
    board.update({ node: closedNode({ sinceMs: 0, raftPortOpen: true }) });
    await clock.advance(5_000);
    await annotate(pod.revision, "another");
    await update.tend();
    expect(board.answer().node).toMatchObject({ kind: "closed", raftPortOpen: true, sinceMs: 5_000 });
  });

  test("beside a new config ends ev-node once that is installed, and not before", async () => {
    const revision = await pod.addConfigs(verbose);
    const bring = await holdBack(revision);
    await annotate(revision, "another");
    await update.tend();
    // It ends by itself meanwhile, and comes back with the config of before.
    processes = [SECOND];
    await update.tend();
    expect([shown().restartToken, restarts]).toEqual(["made", 0]);

    await bring();
    await update.tend();
    expect([shown(), used.length, restarts]).toEqual([settled(revision), 1, 1]);
    processes = ["11 started at 300"];
    await update.tend();
    expect([shown(), restarts]).toEqual([settled(revision, "another"), 1]);
  });

  test("is done at once where no process runs: the next one reads what is installed", async () => {
    processes = [];
    const revision = await pod.addConfigs(verbose);
    await annotate(revision, "another");
    await update.tend();
    processes = [FIRST];
    await update.tend();
    expect([shown(), restarts]).toEqual([settled(revision, "another"), 0]);
  });

  test("is done by whatever ended the process", async () => {
    await annotate(pod.revision, "another");
    await update.tend();
    processes = [SECOND];
    await update.tend();
    expect([shown(), restarts]).toEqual([settled(pod.revision, "another"), 1]);
  });

  test("that was taken back changes nothing, and neither does one that vanished", async () => {
    await pod.setAnnotations({ [annotations.configRevision]: pod.revision });
    await update.tend();
    await annotate(pod.revision, "");
    await update.tend();
    expect([shown(), restarts]).toEqual([settled(pod.revision), 0]);
  });

  test("in a pod that was made without one is a new one", async () => {
    await rm(join(pod.paths.config, "restarts.json"));
    await pod.setAnnotations({ [annotations.configRevision]: pod.revision });
    await startAgent();
    expect(shown().restartToken).toBeUndefined();
    await annotate(pod.revision, "first");
    await update.tend();
    expect(restarts).toBe(1);
  });
});

describe("an agent that starts anew", () => {
  test("ends no second process for a token, wherever the one before it stopped", async () => {
    await annotate(pod.revision, "another");
    // Written down before the process is asked to end: the agent may be gone right after that.
    onRestart = async () => {
      expect((await readRestartRecord(pod.paths.config))?.begun?.processes).toEqual([FIRST]);
    };
    await update.tend();
    await startAgent();
    expect(shown().restartToken).toBe("made");
    processes = [SECOND];
    await update.tend();
    expect([shown().restartToken, restarts]).toEqual(["another", 1]);

    await startAgent();
    expect(shown().restartToken).toBe("another");
    await update.tend();
    expect(restarts).toBe(1);
  });

  test("goes on with the config that it installed, whatever the pod and the Secret say by then", async () => {
    const revision = await pod.addConfigs(verbose);
    await annotate(revision, "made");
    await update.tend();

    const other = await pod.addConfigs((input) => ({ ...input, rpcPort: 7332 }));
    await annotate(other, "made");
    await startAgent();
    expect([shown(), prepared.facts.rpcPort]).toEqual([settled(revision), 7331]);
    expect(prepared.configs).toEqual(used.at(-1));
    await update.tend();
    expect(shown()).toMatchObject({ configRevision: revision, pendingConfig: { revision: other } });

    await rm(pod.paths.configSecret, { recursive: true });
    await startAgent();
    expect(shown()).toEqual(settled(revision));
  });

  test("reads the Secret where it cannot use what it kept", async () => {
    for (const kept of ["", "{}", JSON.stringify({ revision: "x", text: "raft:\n" })]) {
      await rm(join(pod.paths.config, "installed-config.json"));
      await writeFile(join(pod.paths.config, "installed-config.json"), kept);
      await startAgent();
      expect((await readInstalledConfig(pod.paths.config))?.revision).toBe(pod.revision);
    }
  });
});

test("a fault of the disk at any step is made good by the next look", async () => {
  const next = [await pod.addConfigs(verbose), pod.revision];
  // Three files are replaced, each in three steps.
  for (let step = 1; step <= 9; step += 1) {
    let steps = 0;
    const act = async (run: () => Promise<void>) => {
      steps += 1;
      if (steps === step) throw new Error("ENOSPC");
      await run();
    };
    processes = [FIRST];
    await startAgent({
      makeFolder: (path) => act(() => realDisk.makeFolder(path)),
      write: (path, content, mode) => act(() => realDisk.write(path, content, mode)),
      rename: (from, to) => act(() => realDisk.rename(from, to)),
      syncFolder: (path) => act(() => realDisk.syncFolder(path)),
    });
    const revision = String(next[(step - 1) % 2]);
    const token = `token-${step}`;
    await annotate(revision, token);
    await update.tend().catch(() => undefined);
    await update.tend();
    processes = [SECOND];
    await update.tend().catch(() => undefined);
    await update.tend();
    expect({ step, ...shown() }).toEqual({ step, ...settled(revision, token) });
    expect(await readRestartRecord(pod.paths.config)).toEqual({ token });
    expect((await readInstalledConfig(pod.paths.config))?.revision).toBe(revision);
    expect(steps).toBeGreaterThanOrEqual(9);
  }
});
