import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { newBoard } from "../../src/agent/board.ts";
import { newIdentityCheck } from "../../src/agent/check-identity.ts";
import { CopiedBlocks } from "../../src/agent/copied-blocks.ts";
import { type Disk, realDisk } from "../../src/agent/disk.ts";
import type { Keeper } from "../../src/agent/keeper.ts";
import { namedFacts, type Prepared, prepareOnce, shownReport } from "../../src/agent/prepare.ts";
import type { Resolve } from "../../src/agent/resolve.ts";
import { isHeld } from "../../src/agent/run-kind.ts";
import type { VolumeState } from "../../src/agent/volume.ts";
import { tendVolume } from "../../src/agent/volume-keeper.ts";
import { OWN_FOLDER, unprovenCopy, type VolumeRecord } from "../../src/agent/volume-record.ts";
import { newKeeper } from "../../src/agent/watch.ts";
import { LOG_FILE } from "../../src/evnode/raft-store.ts";
import type { Order, Voter } from "../../src/model/agent-protocol.ts";
import { annotations } from "../../src/model/annotations.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { openNode } from "./findings.ts";
import { bootstrapOrder, configInput, newPod, newSinglePod, type Pod, startOrder, voters } from "./pod.ts";
import { recordedLog } from "./recorded-log.ts";

/**
 * The way to another membership, cut off at every step: the agent dies between any two writes and starts anew. In one
 * kind of pod kubelet starts ev-node again after each write, with whatever is installed at that moment; in the other
 * one ev-node goes on for ever with what it read, unless it is asked to end.
 */
type Kubelet = "restless" | "calm";

/** What a process of ev-node read when it started. */
type Runs = "nothing" | "level" | "alone" | `raft-${number}` | `single-${number}`;

class Crash extends Error {}

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

const self = voters[0] as Voter;
const freeze: Order = { id: "freeze-2", kind: "freeze", epoch: 1, to: 2 };
const thaw: Order = { id: "thaw-2", kind: "thaw", epoch: 1, to: 2 };
const begin = (id: string): Order => ({ id, kind: "start", epoch: 2 });
const join2 = { id: "join-2", kind: "join", epoch: 2, voters: [...voters] } satisfies Order;
const HEAD = { height: 50, hash: "aa" };
const takeUp: Order = { ...join2, id: "join-2-copy", copy: {} };
const proven: Order = { ...join2, id: "join-2-copy-proven", copy: { proven: HEAD } };
const prepareFor = (members: readonly Voter[]): Order => ({
  ...bootstrapOrder,
  id: "bootstrap-2",
  epoch: 2,
  voters: [...members],
});

/** Of one member, whose agent may die; the volume and what kubelet has are what stays. */
class Member {
  readonly pod: Pod;
  readonly later: string;
  readonly #kubelet: Kubelet;
  readonly #atStep: number;
  #steps = 0;
  #processes = 0;
  runs: Runs | undefined;

  constructor(
    { pod, later }: { readonly pod: Pod; readonly later: string },
    kubelet: Kubelet,
    atStep: number,
  ) {
    this.pod = pod;
    this.later = later;
    this.#kubelet = kubelet;
    this.#atStep = atStep;
  }

  get steps(): number {
    return this.#steps;
  }

  readonly nodeProcesses = async () => (this.runs === undefined ? [] : [`${this.#processes}`]);

  get record(): VolumeRecord | undefined {
    const path = join(this.pod.paths.home, OWN_FOLDER, "volume.json");
    return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as VolumeRecord) : undefined;
  }

  get isUnproven(): boolean {
    return this.record !== undefined && unprovenCopy(this.record) !== undefined;
  }

  /** kubelet starts ev-node, where it was allowed to run once. */
  async restartNode(): Promise<true> {
    const wasHeld = await isHeld(this.pod.paths.config, await this.nodeProcesses());
    this.#processes += 1;
    this.runs = this.#installed();
    must(
      !wasHeld || this.record?.change === undefined || this.runs === "level",
      `${this.runs} runs on a held volume`,
    );
    this.check();
    return true;
  }

  /** What runs on its own is of the epoch of the record, and of no other: it would be another set. */
  check(): void {
    const { epoch, change, started } = this.record ?? {};
    must(
      change?.kind !== "joining" || [undefined, "level", "alone"].includes(this.runs),
      `${this.runs} runs on a volume that joins`,
    );
    must(!this.isUnproven || this.runs !== "level", "its blocks are covered before they were proven");
    const [, own] = /^(?:raft|single)-(\d+)$/.exec(this.runs ?? "") ?? [];
    must(
      own === undefined || (Number(own) === epoch && started === true),
      `${this.runs} runs in epoch ${epoch}`,
    );
  }

  /** What the pod had in memory goes with it; the volume stays. */
  async recreatePod(): Promise<void> {
    this.runs = undefined;
    await rm(this.pod.paths.config, { recursive: true });
    await mkdir(this.pod.paths.config);
  }

  readonly disk: Disk = {
    makeFolder: (path) => this.#step(() => realDisk.makeFolder(path)),
    write: (path, content, mode) => this.#step(() => writeFile(path, content, { mode: mode | 0o200 })),
    rename: (from, to) => this.#step(() => realDisk.rename(from, to)),
    syncFolder: async () => {},
  };

  async #step(whole: () => Promise<void>): Promise<void> {
    this.#steps += 1;
    if (this.#steps === this.#atStep) throw new Crash();
    await whole();
    if (this.runs !== undefined && this.#kubelet === "restless") await this.restartNode();
    this.check();
  }

  #installed(): Runs {
    const path = join(this.pod.paths.config, "evnode.yaml");
    if (!existsSync(path)) return "nothing";
    const text = readFileSync(path, "utf8");
    const [, folder = "", epoch] = /raft_dir: "(.*-(\d+))"/.exec(text) ?? [];
    if (text.includes("/ip4/127.0.0.1/tcp/0")) return "alone";
    if (!text.includes("aggregator: true")) return "level";
    if (!text.includes("enable: true")) return `single-${Number(epoch)}`;
    // A store grows with its first use.
    if (existsSync(folder)) appendFileSync(join(folder, LOG_FILE), Buffer.alloc(4_096));
    return `raft-${Number(epoch)}`;
  }
}

const checkIdentity = newIdentityCheck(0);
const nowhere: Resolve = Object.assign(async () => undefined, { forget: () => {} });

/** One life of an agent: until nothing changes any more, or until it dies. */
class Life {
  readonly #member: Member;
  readonly #clock = new VirtualClock();
  readonly #board;
  readonly #copy: CopiedBlocks;
  #prepared: Prepared | undefined;
  #keeper: Keeper | undefined;

  constructor(member: Member) {
    this.#member = member;
    const settings = { member: "chain-0", podUid: "uid-0", maxBlocksBehind: 10, bootId: "boot" };
    this.#board = newBoard(settings, this.#clock, recordedLog());
    this.#copy = new CopiedBlocks({
      home: member.pod.paths.home,
      disk: member.disk,
      board: this.#board,
      clock: this.#clock,
      log: recordedLog(),
      blockAt: async () => ({ kind: "held", hash: HEAD.hash }),
    });
  }

  async look(): Promise<void> {
    if (this.#prepared === undefined || this.#keeper === undefined) return this.#prepare();
    const { pod, disk } = this.#member;
    const { settings, paths } = pod;
    const { owner, facts } = this.#prepared;
    const named = () => namedFacts(settings, paths);
    const report = await tendVolume({ disk, paths, owner, facts, nodeLife: this.#nodeLife(), named });
    if (report.isMoved) this.#prepared = undefined;
    else this.#board.update(shownReport(report));
    this.#hear();
    await this.#keeper.tend();
    this.#hear();
    await this.#readCopy(report.volume);
    const { volume } = this.#board.answer();
    const isSettled = volume.kind === "intact" && volume.change?.settled === true;
    must(!isSettled || this.#member.runs === "level", `${this.#member.runs} runs, and it is told as settled`);
  }

  async #readCopy(volume: VolumeState): Promise<void> {
    if (!this.#member.isUnproven) return;
    await this.#copy.tend(volume);
    await this.#clock.advance(6_000);
  }

  async #prepare(): Promise<void> {
    const { pod, disk } = this.#member;
    this.#board.update({ isSettled: false });
    this.#prepared = await prepareOnce({
      settings: pod.settings,
      paths: pod.paths,
      disk,
      board: this.#board,
      checkIdentity,
      nodeLife: () => this.#nodeLife(),
      lookAround: () => {},
    });
    if (this.#prepared === undefined) return;
    const stopNode = () => this.#member.restartNode();
    const { nodeProcesses } = this.#member;
    const { settings, paths } = pod;
    const ofPod = { settings, paths, disk, board: this.#board, clock: this.#clock, log: recordedLog() };
    const given = { ...ofPod, resolve: nowhere, stopNode, nodeProcesses };
    this.#keeper = newKeeper(this.#prepared, given, async () => {});
    await this.#keeper.begin();
    // The agent gives its leave.
    if (this.#member.runs === undefined) await this.#member.restartNode();
  }

  #nodeLife() {
    return {
      runs: async () => this.#member.runs !== undefined,
      isUp: async () => this.#member.runs !== undefined,
      isHeld: async () => isHeld(this.#member.pod.paths.config, await this.#member.nodeProcesses()),
      height: () => 50,
      leads: () => false,
      end: async () => {},
    };
  }

  /** A full node answers, and knows nothing of Raft. */
  #hear(): void {
    const isLeader = this.#member.runs?.startsWith("raft") ? false : undefined;
    const height = { value: HEAD.height, atMs: this.#clock.monotonicMs() };
    this.#board.update({ node: openNode({ isLeader, height }) });
  }
}

/** An agent that begins anew goes through all that an order leads to within as many. */
const ENOUGH = 5;

/** Shows the orders one after the other, each for some looks. A dead agent is followed by another. */
async function go(member: Member, orders: readonly Order[], looks = ENOUGH): Promise<void> {
  let life = new Life(member);
  for (const order of orders) {
    const isMember = order.kind !== "join" && member.record?.change?.kind !== "joining";
    const isLater = order.epoch === 2 && (order.kind === "start" || !isMember);
    await member.pod.setAnnotations({
      [annotations.configRevision]: isLater ? member.later : member.pod.revision,
      [annotations.order]: JSON.stringify(order),
    });
    for (let look = 0; look < looks; look += 1) {
      try {
        await life.look();
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        life = new Life(member);
      }
    }
  }
}

let made: Pod[] = [];
afterEach(async () => {
  await Promise.all(made.map((pod) => pod.remove()));
  made = [];
});

type Make = () => Promise<{ readonly pod: Pod; readonly later: string }>;

const inRaft: Make = async () => {
  const pod = await newPod();
  return { pod, later: await pod.addConfigs(epoch2) };
};
const epoch2 = (input: ReturnType<typeof configInput>) => ({
  ...input,
  raft: { ...input.raft, dir: input.raft.dir.replace("raft-1", "raft-2") },
});
const single: Make = async () => {
  const pod = await newSinglePod();
  return { pod, later: await pod.addConfigs(epoch2) };
};
const singleToRaft: Make = async () => {
  const pod = await newSinglePod();
  const { p2p } = configInput(pod.paths.home, "chain-0");
  return { pod, later: await pod.addConfigs((input) => epoch2({ ...input, isSingle: false, p2p })) };
};
const raftToSingle: Make = async () => {
  const pod = await newPod();
  const alone = (input: ReturnType<typeof configInput>) => ({ ...input.p2p, peers: [] });
  const change = (input: ReturnType<typeof configInput>) =>
    epoch2({ ...input, isSingle: true, p2p: alone(input) });
  return { pod, later: await pod.addConfigs(change) };
};

const copied: Make = async () => {
  const found = await inRaft();
  const data = join(found.pod.paths.home, "data");
  await mkdir(data);
  await writeFile(join(data, "000001.sst"), "blocks");
  return found;
};

const firstOf = (members: readonly Voter[]): readonly Order[] => [
  { ...bootstrapOrder, voters: [...members] },
  startOrder,
];
const changeTo = (members: readonly Voter[]) => [freeze, prepareFor(members), begin("start-2")];

const scenarios: readonly [string, Make, first: readonly Order[], then: readonly Order[], end: Runs][] = [
  ["from one member to Raft", singleToRaft, firstOf([self]), changeTo(voters), "raft-2"],
  ["from Raft to one member", raftToSingle, firstOf(voters), changeTo([self]), "single-2"],
  ["to Raft, as a new member", inRaft, [], [join2, prepareFor(voters), begin("start-2")], "raft-2"],
  ["to Raft, from a copy", copied, [], [takeUp, proven, prepareFor(voters), begin("start-2")], "raft-2"],
  ["to Raft, frozen and left behind", inRaft, firstOf(voters), [freeze, prepareFor(voters)], "level"],
  ["back to Raft", inRaft, firstOf(voters), [freeze, prepareFor(voters), thaw], "raft-1"],
  ["back to one member", single, firstOf([self]), [freeze, prepareFor([self]), thaw], "single-1"],
];

const FIRST_LOOKS = 3;

test.each(scenarios)("%s: cut off at any step, it ends the same", async (_, make, first, then, end) => {
  const whole = await memberOf(make, "restless");
  await go(whole, first, FIRST_LOOKS);
  const before = whole.steps;
  await go(whole, then);
  expect(whole.runs).toBe(end);
  expect(whole.steps - before).toBeGreaterThan(5);

  for (let atStep = before + 1; atStep <= whole.steps; atStep += 1) {
    const member = await memberOf(make, "restless", atStep);
    await go(member, first, FIRST_LOOKS);
    await go(member, then);
    expect([atStep, member.runs]).toEqual([atStep, end]);
    expect(member.record).toEqual(whole.record);
  }
});

test.each(scenarios)(
  "%s: a pod that is made anew goes on from its volume",
  async (_, make, first, then, end) => {
    for (let count = 1; count <= then.length; count += 1) {
      const member = await memberOf(make, "calm");
      await go(member, first, FIRST_LOOKS);
      await go(member, then.slice(0, count));
      await member.recreatePod();
      // As an operator that gives the last order again.
      await go(member, then.slice(count - 1, count));
      const held = member.isUnproven ? "alone" : "level";
      expect(member.record?.change === undefined || member.runs === held).toBe(true);
      await go(member, then.slice(count));
      expect([count, member.runs]).toEqual([count, end]);
    }
  },
);

test.each(scenarios)(
  "%s: orders that come too fast wait, or are refused",
  async (_, make, first, then, end) => {
    const whole = await memberOf(make, "calm");
    await go(whole, first, FIRST_LOOKS);
    const before = whole.steps;
    await go(whole, then);
    expect(whole.runs).toBe(end);

    for (let atStep = before + 1; atStep <= whole.steps + 1; atStep += 2) {
      const member = await memberOf(make, "calm", atStep);
      await go(member, first, FIRST_LOOKS);
      await go(member, then, 1);
      await go(member, then.slice(-1));
    }
  },
);

async function memberOf(make: Make, kubelet: Kubelet, atStep = Number.POSITIVE_INFINITY): Promise<Member> {
  const found = await make();
  made.push(found.pod);
  return new Member(found, kubelet, atStep);
}
