import { chmod, mkdir, readdir, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Board, newBoard } from "../../src/agent/board.ts";
import { newIdentityCheck } from "../../src/agent/check-identity.ts";
import { type Disk, realDisk } from "../../src/agent/disk.ts";
import { type PrepareDependencies, prepareOnce, prepareUntilDone } from "../../src/agent/prepare.ts";
import { annotations } from "../../src/model/annotations.ts";
import { configEntry } from "../../src/model/names.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { nodeLife } from "./node-life.ts";
import { bootstrapOrder, CLUSTER_ID, newPod, type Pod, rejoinOrder, startOrder, treeOf } from "./pod.ts";
import { type RecordedLog, recordedLog } from "./recorded-log.ts";
import { until } from "./until.ts";
import { volumes } from "./volumes.ts";

const checkIdentity = newIdentityCheck(0);

let pod: Pod;
let clock: VirtualClock;
let board: Board;
let log: RecordedLog;

beforeEach(async () => {
  pod = await newPod();
  clock = new VirtualClock();
  log = recordedLog();
  board = newBoard({ ...pod.settings, bootId: "boot" }, clock, log);
});
afterEach(() => pod.remove());

function dependencies(changes: Partial<PrepareDependencies> = {}): PrepareDependencies {
  const { settings, paths } = pod;
  return {
    settings,
    paths,
    disk: realDisk,
    board,
    checkIdentity,
    nodeLife: () => nodeLife(),
    lookAround: () => {},
    ...changes,
  };
}

const look = (changes: Partial<PrepareDependencies> = {}) => prepareOnce(dependencies(changes));
const shown = () => board.answer().prepare;

test("it looks around from the moment its volume is prepared until it may start", async () => {
  const looks: string[] = [];
  const lookAround: PrepareDependencies["lookAround"] = ({ peers }, clusterId) =>
    looks.push(`${clusterId} ${peers.map(({ name }) => name).join()}`);
  await look({ lookAround });
  expect(looks).toEqual([]);
  await pod.setOrder(bootstrapOrder);
  await look({ lookAround });
  expect(looks).toEqual([`${CLUSTER_ID} chain-1,chain-2`]);
  await pod.setOrder(startOrder);
  await look({ lookAround });
  expect(looks).toHaveLength(1);
});

test("from an empty volume to a member that may run, step by step", async () => {
  await look();
  expect(shown()).toEqual({
    kind: "waiting",
    for: "bootstrap",
    message: "the volume is empty: waits for an order",
  });
  expect(board.answer()).toMatchObject({ clusterId: CLUSTER_ID, volume: { kind: "empty" } });

  await pod.setOrder(bootstrapOrder);
  await look();
  expect(shown()).toEqual({
    kind: "waiting",
    for: "start",
    message: "the volume is bootstrapped: waits for the order to start",
  });
  expect(board.answer()).toMatchObject({
    volume: { kind: "intact", epoch: 1, started: false },
    executedOrder: "bootstrap-1",
  });
  // Nothing that ev-node could start with is there before it may.
  expect(await readdir(pod.paths.config)).toEqual(["executed-orders.json", "restarts.json"]);

  await pod.setOrder(startOrder);
  expect(await look()).toMatchObject({ owner: { member: "chain-0" }, facts: { rpcPort: 7331 } });
  expect(board.answer()).toMatchObject({
    volume: { kind: "intact", epoch: 1, started: true },
    executedOrder: "start-1",
    configRevision: pod.revision,
    prepare: { kind: "checking", message: "looks for the other members" },
  });
  const installed = await treeOf(pod.paths.config);
  // How ev-node may run is decided later, and stands in its config.
  expect(Object.keys(installed).sort()).toEqual([
    "executed-orders.json",
    "genesis.json",
    "installed-config.json",
    "node_key.json",
    "passphrase",
    "restarts.json",
    "signer.json",
  ]);
  expect(installed["installed-config.json"]).toMatch(/^400 /);
  expect(installed["passphrase"]).toBe("400 correct horse");
});

test("a member that was started before goes on with no operator at all", async () => {
  await volumes.started(pod.paths.home);
  expect(await look()).toBeDefined();
});

test("an agent that starts anew beside a running ev-node rewrites nothing", async () => {
  await volumes.started(pod.paths.home);
  await look();
  const times = async () => {
    const names = await readdir(pod.paths.home, { recursive: true });
    return Promise.all(
      names.sort().map(async (name) => [name, (await stat(join(pod.paths.home, name))).mtimeMs]),
    );
  };
  const before = await times();
  const writes: string[] = [];
  const note = async (what: string) => {
    writes.push(what);
  };
  const watched: Disk = { makeFolder: note, write: note, rename: note, syncFolder: note };
  expect(await look({ disk: watched })).toBeDefined();
  expect(writes).toEqual([]);
  expect(await times()).toEqual(before);
});

test("the restart token that the pod was made with is shown from the start, and stays when another one comes", async () => {
  const annotate = (token: string) =>
    pod.setAnnotations({ [annotations.configRevision]: "ffffffffff", [annotations.restartToken]: token });
  await annotate("made");
  await look();
  expect(board.answer()).toMatchObject({ restartToken: "made", prepare: { kind: "checking" } });
  await annotate("another");
  await look();
  expect(board.answer().restartToken).toBe("made");
});

test("an installed file that others could read is put right", async () => {
  await volumes.started(pod.paths.home);
  await look();
  const good = await treeOf(pod.paths.config);
  await chmod(join(pod.paths.config, "passphrase"), 0o644);
  await look();
  expect(await treeOf(pod.paths.config)).toEqual(good);
});

test("an installed file that was changed is put right", async () => {
  await volumes.started(pod.paths.home);
  await look();
  const good = await treeOf(pod.paths.config);
  await rm(join(pod.paths.config, "genesis.json"));
  await writeFile(join(pod.paths.config, "genesis.json"), "{}", { mode: 0o644 });
  await look();
  expect(await treeOf(pod.paths.config)).toEqual(good);
});

describe("what is not there yet is waited for", () => {
  test("a revision that kubelet has not brought", async () => {
    await pod.setAnnotations({ [annotations.configRevision]: "ffffffffff" });
    await look();
    expect(shown()).toEqual({
      kind: "checking",
      message: "config revision ffffffffff is not in the mounted Secret yet",
    });
  });

  test.each([
    ["configSecret", "the config Secret is not mounted yet"],
    ["identitySecret", "the identity Secret is not mounted yet"],
    ["annotations", "the pod's annotations are not mounted yet"],
  ] as const)("%s", async (path, message) => {
    await rm(pod.paths[path], { recursive: true });
    await look();
    expect(shown()).toEqual({ kind: "checking", message });
  });
});

describe("what is wrong is refused", () => {
  test("a pod without a config revision", async () => {
    await pod.setAnnotations({});
    await look();
    expect(shown()).toEqual({
      kind: "refused",
      reason: "Config",
      message: "the pod has no annotation evnode.dev/config-revision",
    });
  });

  test("a config that was edited in the Secret", async () => {
    await writeFile(
      join(pod.paths.configSecret, configEntry("chain-0", pod.revision)),
      "raft: {enable: false}\n",
    );
    await look();
    expect(shown()).toMatchObject({ kind: "refused", reason: "Config" });
  });

  test("an identity without a key", async () => {
    await pod.setIdentity({ "signer.json": undefined });
    await look();
    expect(shown()).toEqual({
      kind: "refused",
      reason: "Identity",
      message: "the identity Secret is refused: it lacks signer.json",
    });
    expect(board.answer()).not.toHaveProperty("clusterId");
  });

  test("a volume of another member, however good its order", async () => {
    await volumes["of another member"](pod.paths.home);
    await pod.setOrder(startOrder);
    await look();
    expect(board.answer()).toMatchObject({
      prepare: {
        kind: "refused",
        reason: "Volume",
        message: "the volume is of member chain-1, expected chain-0",
      },
      refusedOrder: { id: "start-1" },
    });
  });

  test("a rejoin under a process that runs, until it stops", async () => {
    await volumes["without its raft folder"](pod.paths.home);
    await pod.setOrder(rejoinOrder);
    await look({
      nodeLife: () => nodeLife({ isUp: true }),
    });
    const message = "the folder raft-1 is missing; order rejoin-1 (rejoin) waits until ev-node stops";
    expect(board.answer()).toMatchObject({
      prepare: { kind: "refused", reason: "Volume", message },
      volume: { kind: "damaged", message },
    });
    expect(await look()).toBeDefined();
  });
});

test("files of a Secret are read from one version, also while kubelet swaps it", async () => {
  const { configSecret } = pod.paths;
  const names = await readdir(configSecret);
  await mkdir(join(configSecret, "..version-1"));
  await mkdir(join(configSecret, "..version-2"));
  for (const name of names) await rename(join(configSecret, name), join(configSecret, "..version-1", name));
  await symlink("..version-1", join(configSecret, "..data"));
  await look();
  expect(shown()).toMatchObject({ kind: "waiting", for: "bootstrap" });

  await rm(join(configSecret, "..data"));
  await symlink("..version-2", join(configSecret, "..data"));
  await look();
  expect(shown()).toMatchObject({ kind: "checking" });
});

describe("until it is done", () => {
  test("it looks four times a second, and comes through faults of the disk", async () => {
    await pod.setOrder(bootstrapOrder);
    const stop = new AbortController();
    let isFull = true;
    const disk: Disk = {
      ...realDisk,
      async write(path, content, mode) {
        if (isFull) throw new Error("ENOSPC: no space left on device");
        await realDisk.write(path, content, mode);
      },
    };
    let beats = 0;
    const beat = () => {
      beats += 1;
    };
    const done = prepareUntilDone(dependencies({ disk }), { clock, log, signal: stop.signal, beat });
    const sleeps = () => until("the look is over", () => clock.pendingTimers === 1);
    await sleeps();
    expect(shown()).toEqual({
      kind: "checking",
      message: "cannot prepare the member: ENOSPC: no space left on device",
    });
    await clock.advance(250);
    await sleeps();
    isFull = false;
    await clock.advance(250);
    await sleeps();
    expect(shown()).toMatchObject({ kind: "waiting", for: "start" });

    await pod.setOrder(startOrder);
    await clock.advance(250);
    expect(await done).toMatchObject({ owner: { epoch: 1 } });
    expect(beats).toBe(4);
    // The same fault is told once.
    expect(log.lines.filter(({ message }) => message.startsWith("cannot prepare"))).toHaveLength(1);
  });

  test("it ends without a result when it is stopped", async () => {
    const stop = new AbortController();
    const done = prepareUntilDone(dependencies(), { clock, log, signal: stop.signal, beat: () => {} });
    await until("the look is over", () => clock.pendingTimers === 1);
    stop.abort();
    expect(await done).toBeUndefined();
  });
});
