import { execFileSync, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Board, newBoard } from "../../src/agent/board.ts";
import { realDisk } from "../../src/agent/disk.ts";
import type { PeerFinding, PeerStance } from "../../src/agent/findings.ts";
import { STILL_MS } from "../../src/agent/levelling.ts";
import { type ModeConfigs, ModeKeeper } from "../../src/agent/mode-keeper.ts";
import { nodeProcesses, stopNode } from "../../src/agent/node-process.ts";
import { loggedHeight } from "../../src/agent/raft-log.ts";
import type { Resolve } from "../../src/agent/resolve.ts";
import {
  type MemberConfigInput,
  parseConfig,
  renderConfig,
  renderFullNodeConfig,
} from "../../src/evnode/config.ts";
import { bootstrapFiles } from "../../src/evnode/raft-bootstrap.ts";
import { raftLogOf } from "./../evnode/raft-log-of.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { closedNode, openNode, peer } from "./findings.ts";
import { configInput, voters } from "./pod.ts";
import { type RecordedLog, recordedLog } from "./recorded-log.ts";
import { closedPort, type LocalServer, startTcp } from "./servers.ts";
import { until } from "./until.ts";

/** The keeper of one member of three, whose Raft log ends with block 50. */
const configs = configsOf((input) => input);
const laterConfigs = configsOf((input) => ({ ...input, log: { level: "debug", format: "json" } }));

function configsOf(change: (input: MemberConfigInput) => MemberConfigInput): ModeConfigs {
  const raft = renderConfig(change(configInput("/data", "chain-0")));
  const reading = parseConfig(raft);
  if (reading.kind === "malformed") throw new Error(reading.problem);
  return { raft, level: renderFullNodeConfig(reading.value) };
}

let root: string;
let raftFolder: string;
let clock: VirtualClock;
let board: Board;
let log: RecordedLog;
let keeper: ModeKeeper;
let stops: number;
let raftPort: number;
let servers: LocalServer[];
let look: () => void;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "mode-keeper-"));
  raftFolder = join(root, "raft-1");
  await mkdir(raftFolder);
  await mkdir(join(root, "config"));
  await writeFile(join(raftFolder, "raft-log.db"), raftLogOf([undefined, 48, 49, undefined, 50, undefined]));
  clock = new VirtualClock();
  log = recordedLog();
  board = newBoard({ member: "chain-0", podUid: "uid", maxBlocksBehind: 10, bootId: "boot" }, clock, log);
  raftPort = await closedPort();
  servers = [];
  stops = 0;
  look = () => {};
  keeper = newKeeper();
  others(absent, absent);
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await rm(root, { recursive: true, force: true });
});

function newKeeper(beganAt = 0, afterOutage: "Level" | "Start" = "Level"): ModeKeeper {
  const resolve: Resolve = Object.assign(async () => "127.0.0.1", { forget: () => {} });
  const facts = {
    isSingle: false,
    epoch: 1,
    raftAddress: `chain-0.tests:${raftPort}`,
    raftHost: "chain-0.tests",
    raftPort,
    rpcPort: 7331,
    metricsPort: 26660,
    dbPath: "data",
    signer: "file" as const,
    peers: [],
  };
  return new ModeKeeper({
    disk: realDisk,
    configFolder: join(root, "config"),
    raftFolder,
    beganAt,
    afterOutage,
    facts,
    configs,
    board,
    clock,
    resolve,
    log,
    stopNode: async () => {
      stops += 1;
      return true;
    },
    look: async () => look(),
  });
}

type Other = { readonly stance: PeerStance; readonly height?: number } | undefined;
const absent: Other = undefined;
const leads: Other = { stance: { mode: { kind: "raft" }, leads: true, isUp: true }, height: 50 };
const waits: Other = { stance: { mode: { kind: "raft" }, leads: false, isUp: true } };
const down: Other = { stance: { mode: { kind: "raft" }, leads: false, isUp: false } };
const levels = (height: number, loggedHeight = 50): Other => ({
  stance: { mode: { kind: "level", loggedHeight }, leads: false, isUp: true },
  height,
});

function others(...found: readonly Other[]): void {
  const atMs = clock.monotonicMs();
  const peers = found.map((other, index): PeerFinding => {
    const height = other?.height === undefined ? undefined : { value: other.height, atMs };
    return peer(`chain-${index + 1}`, { stance: other && { value: other.stance, atMs }, height });
  });
  board.update({ peers });
}

/** From now on every look shows this. */
function shows(height: number | undefined, ...found: readonly Other[]): void {
  look = () => {
    const atMs = clock.monotonicMs();
    const seen = height === undefined ? undefined : { value: height, atMs };
    board.update({ node: openNode({ height: seen, isLeader: undefined }) });
    others(...found);
  };
  look();
}

const installed = async () => readFile(join(root, "config", "evnode.yaml"), "utf8");
const mode = () => board.answer().mode;

async function tendFor(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 250) {
    await clock.advance(250);
    await keeper.tend();
  }
}

describe("the first mode", () => {
  test("is Raft for a log without blocks: a first start, or a member that was rebuilt", async () => {
    for (const [name, bytes] of Object.entries(bootstrapFiles(voters))) {
      await writeFile(join(raftFolder, name), bytes);
    }
    await keeper.begin();
    expect([mode(), await installed()]).toEqual([{ kind: "raft" }, configs.raft]);
  });

  test("is Raft beside a leader", async () => {
    others(waits, leads);
    await keeper.begin();
    expect([mode(), await installed()]).toEqual([{ kind: "raft" }, configs.raft]);
  });

  test.each<[string, Other]>([
    ["nobody answers", absent],
    ["others wait for a leader", waits],
    ["others level", levels(50)],
  ])("is to level when %s", async (_, other) => {
    others(other, absent);
    await keeper.begin();
    expect([mode(), await installed()]).toEqual([{ kind: "level" }, configs.level]);
  });

  test("is to level when a leader was heard of too long ago", async () => {
    others(leads, absent);
    await clock.advance(2_501);
    await keeper.begin();
    expect(mode()).toEqual({ kind: "level" });
  });

  test.each(["raft", "level"] as const)("is what it was (%s) for an agent that starts anew", async (kind) => {
    await writeFile(join(root, "config", "evnode.yaml"), configs[kind]);
    await keeper.begin();
    expect([mode(), await installed(), stops]).toEqual([{ kind }, configs[kind], 0]);
  });

  test.each(["raft", "level"] as const)(
    "is what it was (%s) for an agent that starts anew with another revision of the config",
    async (kind) => {
      await writeFile(join(root, "config", "evnode.yaml"), laterConfigs[kind]);
      await keeper.begin();
      expect([mode(), await installed(), stops]).toEqual([{ kind }, configs[kind], 0]);
    },
  );

  test.each([
    ["was cut off", configs.raft.slice(0, -20)],
    ["is empty", ""],
    ["is no YAML", "raft: ["],
  ])("is decided anew when the config that is there %s", async (_, text) => {
    await writeFile(join(root, "config", "evnode.yaml"), text);
    await keeper.begin();
    expect([mode(), await installed()]).toEqual([{ kind: "level" }, configs.level]);
    others(leads, absent);
    await writeFile(join(root, "config", "evnode.yaml"), text);
    await newKeeper().begin();
    expect([mode(), await installed()]).toEqual([{ kind: "raft" }, configs.raft]);
  });

  describe("where an epoch begins at block 50", () => {
    beforeEach(async () => {
      await writeFile(join(root, "config", "evnode.yaml"), configs.level);
      for (const [name, bytes] of Object.entries(bootstrapFiles(voters)))
        await writeFile(join(raftFolder, name), bytes);
      keeper = newKeeper(50);
    });

    test.each([
      [50, "raft"],
      [49, "level"],
    ])("is, beside a full node that holds block %i: %s", async (height, kind) => {
      shows(height, absent, absent);
      await keeper.begin();
      expect(mode()?.kind).toBe(kind);
    });

    test("is to level in a pod that is made anew: it may have lost what its empty log does not tell of", async () => {
      await rm(join(root, "config", "evnode.yaml"));
      await keeper.begin();
      shows(49, levels(50), levels(50));
      await tendFor(250);
      expect(mode()).toEqual({ kind: "level", loggedHeight: 50 });
      shows(50, levels(50), levels(50));
      await tendFor(250);
      expect(mode()?.kind).toBe("raft");
    });
  });

  describe("where the spec asks for a start at once", () => {
    test.each<[string, Other]>([
      ["nobody answers", absent],
      ["others wait for a leader", waits],
      ["others level", levels(50)],
    ])("is Raft when %s", async (_, other) => {
      others(other, absent);
      await newKeeper(0, "Start").begin();
      expect([mode(), await installed()]).toEqual([{ kind: "raft" }, configs.raft]);
    });

    test("is to level all the same where the log does not tell of the blocks before the epoch", async () => {
      await newKeeper(51, "Start").begin();
      expect(mode()).toEqual({ kind: "level" });
    });
  });

  test("is not decided by a log that cannot be read", async () => {
    await writeFile(join(raftFolder, "raft-log.db"), "nothing of the kind");
    await expect(keeper.begin()).rejects.toThrow("neither meta page is valid");
    expect(mode()).toBeUndefined();
  });
});

describe("a member that levels", () => {
  beforeEach(async () => keeper.begin());

  test("tells how far its Raft log goes", async () => {
    shows(undefined, absent, absent);
    await tendFor(250);
    expect(mode()).toEqual({ kind: "level", loggedHeight: 50 });
    expect(board.answer().ready).toMatchObject({
      ok: false,
      message: "the member is not prepared yet",
    });
    board.update({ prepare: { kind: "done" } });
    expect(board.answer().ready.message).toBe(
      "levels with the other members before Raft may elect a leader: holds block ?, its Raft log has 50",
    );
  });

  test("goes to Raft when all hold the blocks of their logs, by a new config and a restart of ev-node", async () => {
    shows(50, levels(50), levels(50));
    await tendFor(250);
    expect([mode(), await installed(), stops]).toEqual([{ kind: "raft", levelled: true }, configs.raft, 1]);
    // Until it knows a leader.
    board.update({ node: openNode() });
    await tendFor(250);
    expect(mode()).toEqual({ kind: "raft" });
  });

  test("goes to Raft when a leader appears, also when it lacks blocks", async () => {
    shows(40, leads, absent);
    await tendFor(250);
    expect([mode()?.kind, stops]).toEqual(["raft", 1]);
  });

  test("does not count a pod that goes away, whose agent still says that it was in Raft", async () => {
    shows(50, down, absent);
    await tendFor(30_000);
    expect([mode()?.kind, stops]).toEqual(["level", 0]);
  });

  test("counts one that went to Raft and is on its way up", async () => {
    shows(50, { stance: { mode: { kind: "raft", levelled: true }, leads: false, isUp: false } }, absent);
    await tendFor(250);
    expect([mode()?.kind, stops]).toEqual(["raft", 1]);
  });

  test("stays as long as it lacks blocks, and has ev-node ask for them now and then", async () => {
    shows(49, levels(50), levels(50));
    await tendFor(STILL_MS - 250);
    expect([mode()?.kind, stops]).toEqual(["level", 0]);
    await tendFor(30_000);
    expect([mode()?.kind, await installed(), stops]).toEqual(["level", configs.level, 2]);
  });

  test("drops the end of its Raft log that nobody stored, and only then goes to Raft", async () => {
    shows(49, levels(49), levels(49));
    await tendFor(STILL_MS - 250);
    expect(await loggedHeight(raftFolder)).toBe(50);
    await tendFor(500);
    expect(await loggedHeight(raftFolder)).toBe(49);
    await tendFor(250);
    // The others drop theirs as well.
    expect(mode()).toEqual({ kind: "level", loggedHeight: 49 });
    shows(49, levels(49, 49), levels(49, 49));
    await tendFor(250);
    expect([mode()?.kind, stops]).toEqual(["raft", 1]);
  });

  test("whose process runs in Raft is stopped, and its Raft log left alone meanwhile", async () => {
    servers.push(await startTcp(raftPort));
    shows(49, levels(49), levels(49));
    await tendFor(STILL_MS + 2_000);
    expect([await loggedHeight(raftFolder), stops]).toEqual([50, 1]);
    await tendFor(10_000);
    expect(stops).toBe(2);
  });
});

describe("a member in Raft", () => {
  beforeEach(async () => {
    others(leads, absent);
    await keeper.begin();
  });

  test.each<[string, Other, number]>([
    ["soon when it is no majority without it", absent, 6],
    ["late when it is one", waits, 61],
  ])("without a leader comes back for one that lacks blocks, %s", async (_, other, seconds) => {
    board.update({ node: closedNode({ raftPortOpen: true }) });
    for (let second = 0; second < seconds; second += 1) {
      expect(mode()?.kind).toBe("raft");
      others(levels(49), other);
      await tendFor(1_000);
    }
    expect([mode()?.kind, await installed(), stops]).toEqual(["level", configs.level, 1]);
  });

  test("does not come back while its own process is not up, or nobody certainly lacks blocks", async () => {
    board.update({ node: closedNode() });
    for (let second = 0; second < 60; second += 1) {
      others(levels(49), absent);
      await tendFor(1_000);
    }
    board.update({ node: closedNode({ raftPortOpen: true }) });
    const starting: Other = { stance: { mode: { kind: "level" }, leads: false, isUp: false } };
    for (let second = 0; second < 60; second += 1) {
      others(starting, absent);
      await tendFor(1_000);
    }
    expect([mode()?.kind, stops]).toEqual(["raft", 0]);
  });

  test("has a config that was cut off put right before its process reads it again", async () => {
    await writeFile(join(root, "config", "evnode.yaml"), "raft:");
    await tendFor(250);
    expect([await installed(), stops]).toEqual([configs.raft, 0]);
  });

  test("whose process knows nothing of Raft is stopped, now and then", async () => {
    board.update({ node: openNode({ isLeader: undefined }) });
    await tendFor(20_000);
    expect([mode(), stops]).toEqual([{ kind: "raft" }, 2]);
  });

  test("whose process has not said whether it leads is left alone", async () => {
    servers.push(await startTcp(raftPort));
    board.update({ node: openNode({ isLeader: undefined }) });
    await tendFor(20_000);
    expect(stops).toBe(0);
  });

  test("whose process ended levels when all others ended as well, before kubelet starts them again", async () => {
    board.update({ node: openNode() });
    await tendFor(250);
    look = () => others(down, down);
    board.update({ node: closedNode() });
    await tendFor(250);
    expect([mode(), await installed(), stops]).toEqual([{ kind: "level" }, configs.level, 0]);
  });

  test("has levelled once it knows a leader, also where the spec asks for a start at once", async () => {
    keeper = newKeeper(0, "Start");
    await keeper.begin();
    board.update({ mode: { kind: "raft", levelled: true }, node: openNode() });
    await tendFor(250);
    expect(mode()).toEqual({ kind: "raft" });
  });

  test("whose process ended stays in Raft where the spec asks for a start at once", async () => {
    keeper = newKeeper(0, "Start");
    await keeper.begin();
    board.update({ node: openNode() });
    await tendFor(250);
    look = () => others(down, down);
    board.update({ node: closedNode() });
    await tendFor(2_000);
    expect(mode()).toEqual({ kind: "raft" });
  });

  test.each<[string, Other, Other]>([
    ["another runs", waits, down],
    ["nothing is known of another", down, absent],
  ])("whose process ended stays in Raft when %s", async (_, one, two) => {
    board.update({ node: openNode() });
    await tendFor(250);
    look = () => others(one, two);
    board.update({ node: closedNode() });
    await tendFor(2_000);
    expect(mode()).toEqual({ kind: "raft" });
  });

  test("whose process still levels has not started yet, and is waited for while all restart", async () => {
    board.update({ node: openNode({ isLeader: undefined }) });
    await tendFor(250);
    look = () => others(down, down);
    board.update({ node: closedNode() });
    await tendFor(2_000);
    expect(mode()).toEqual({ kind: "raft" });
  });

  test("that has not started yet is waited for", async () => {
    look = () => others(down, down);
    board.update({ node: closedNode() });
    await tendFor(2_000);
    expect(mode()).toEqual({ kind: "raft" });
  });

  test.each<[string, Other, "open" | "closed"]>([
    ["has a leader", leads, "closed"],
    ["follows", waits, "open"],
    ["waits for others that are level", levels(50), "closed"],
    ["waits for nobody it knows", absent, "closed"],
  ])("is left alone while it %s", async (_, other, node) => {
    board.update({ node: node === "open" ? openNode() : closedNode({ raftPortOpen: true }) });
    for (let second = 0; second < 60; second += 1) {
      others(other, node === "open" ? levels(49) : waits);
      await tendFor(1_000);
    }
    expect([mode(), stops]).toEqual([{ kind: "raft" }, 0]);
  });
});

describe("another revision of the config", () => {
  test("is installed for the mode that the member is in, without a restart", async () => {
    await keeper.begin();
    await keeper.use(laterConfigs);
    expect([mode()?.kind, await installed(), stops]).toEqual(["level", laterConfigs.level, 0]);
    shows(50, levels(50), levels(50));
    await tendFor(250);
    expect([mode()?.kind, await installed(), stops]).toEqual(["raft", laterConfigs.raft, 1]);
    await keeper.use(configs);
    await tendFor(250);
    expect([await installed(), stops]).toEqual([configs.raft, 1]);
  });

  test("waits with the mode when that was not decided yet", async () => {
    await keeper.use(laterConfigs);
    await expect(installed()).rejects.toThrow("ENOENT");
    await keeper.begin();
    expect(await installed()).toBe(laterConfigs.level);
  });
});

describe("a restart for another reason than the mode", () => {
  test("and one for the mode are one when they come together", async () => {
    await keeper.begin();
    shows(50, levels(50), levels(50));
    await tendFor(250);
    expect([mode()?.kind, stops]).toEqual(["raft", 1]);
    for (let count = 0; count < 10; count += 1) await keeper.restart();
    expect(stops).toBe(1);
  });

  test("is not followed by one for the mode while the process goes down", async () => {
    others(leads, absent);
    await keeper.begin();
    await keeper.restart();
    board.update({ node: openNode({ isLeader: undefined }) });
    await tendFor(10_000);
    expect(stops).toBe(1);
  });
});

test("each process of ev-node has a name of its own", async () => {
  const home = join(root, "data");
  const names: (readonly string[])[] = [];
  for (let count = 0; count < 2; count += 1) {
    const args = ["-e", "setInterval(() => {}, 1000)", "start", "--", `--home=${home}`];
    const child = spawn(process.execPath, args, { stdio: "ignore" });
    await until("it runs", async () => (await nodeProcesses(home)).length === 1);
    names.push(await nodeProcesses(home));
    expect(await nodeProcesses(home)).toEqual(names.at(-1));
    expect(names.at(-1)?.[0]).toMatch(new RegExp(`^${child.pid} started at [0-9]+$`));
    child.kill("SIGKILL");
    await until("it is gone", async () => (await nodeProcesses(home)).length === 0);
  }
  expect(names[0]).not.toEqual(names[1]);
  expect(await nodeProcesses(`${home}-other`)).toEqual([]);
}, 30_000);

test("ev-node is asked to end by its own argument, and nobody else", async () => {
  const home = join(root, "data");
  expect(await stopNode(home)).toBe(false);
  const program = JSON.stringify(new URL("../../src/agent/node-process.ts", import.meta.url).href);
  const script = `
    const { spawn } = require("node:child_process");
    const args = ["-e", "setInterval(() => {}, 1000)", "start"];
    const [meant, other] = ["${home}", "${home}-other"].map((home) =>
      spawn(process.execPath, [...args, "--", "--home=" + home], { stdio: "ignore" }));
    meant.on("exit", (_, signal) => { console.log(signal, other.exitCode); other.kill("SIGKILL"); });
    setTimeout(() => meant.kill("SIGKILL"), 20000).unref();
    import(${program}).then(async ({ stopNode }) => {
      while (!(await stopNode("${home}"))) await new Promise((resolve) => setTimeout(resolve, 50));
    });`;
  const said = execFileSync(process.execPath, ["--input-type=commonjs", "-e", script], { encoding: "utf8" });
  expect(said.trim()).toBe("SIGTERM null");
}, 30_000);
