import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newBoard } from "../../src/agent/board.ts";
import { CopiedBlocks } from "../../src/agent/copied-blocks.ts";
import { realDisk } from "../../src/agent/disk.ts";
import { HeldKeeper } from "../../src/agent/held-keeper.ts";
import { memberFacts } from "../../src/agent/member-facts.ts";
import { lookAtRaftFolder } from "../../src/agent/raft-folder.ts";
import { isHeld } from "../../src/agent/run-kind.ts";
import { shownVolume, type VolumeOwner } from "../../src/agent/volume.ts";
import { tendVolume } from "../../src/agent/volume-keeper.ts";
import { type MemberConfigInput, memberConfig, renderFullNodeConfig } from "../../src/evnode/config.ts";
import type { BlockAnswer, Order } from "../../src/model/agent-protocol.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { openNode } from "./findings.ts";
import { nodeLife } from "./node-life.ts";
import { CHAIN_ID, CLUSTER_ID, configInput, hostOf, newPod, newSinglePod, type Pod, voters } from "./pod.ts";
import { recordedLog } from "./recorded-log.ts";

/** A member of the first epoch that follows a chain from outside before it starts. */

const OUTSIDE = "/dns4/old.example.com/tcp/7676/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

let pod: Pod;
afterEach(() => pod.remove());

describe.each([
  ["of three members", false],
  ["of one member", true],
])("the first epoch %s", (_name, isSingle) => {
  const self = { id: "chain-0", address: `${hostOf("chain-0")}:5001` };
  const all = isSingle ? [self] : [...voters];
  const join1: Order = { id: "join-1", kind: "join", epoch: 1, voters: all };
  const bootstrap1: Order = { id: "bootstrap-1", kind: "bootstrap", epoch: 1, voters: all };
  const start1: Order = { id: "start-1", kind: "start", epoch: 1 };

  beforeEach(async () => {
    pod = isSingle ? await newSinglePod() : await newPod();
  });

  const inputOf = (): MemberConfigInput => {
    const input = configInput(pod.paths.home, "chain-0");
    return isSingle ? { ...input, isSingle, p2p: { ...input.p2p, peers: [] } } : input;
  };

  async function given(order: Order, isHeld = true) {
    const facts = memberFacts(memberConfig(inputOf()));
    const owner: VolumeOwner = {
      clusterId: CLUSTER_ID,
      member: "chain-0",
      chainId: CHAIN_ID,
      epoch: 1,
      ...(isSingle ? { single: self } : {}),
    };
    await pod.setOrder(order);
    const { volume, refusedOrder, postponed, isMoved } = await tendVolume({
      disk: realDisk,
      paths: pod.paths,
      owner,
      facts,
      named: async () => facts,
      nodeLife: nodeLife({ isUp: true, isHeld, height: 7 }),
    });
    return { volume: shownVolume(volume), refused: refusedOrder?.message, postponed, isMoved };
  }

  const blocksCome = async () => {
    await mkdir(join(pod.paths.home, "data"), { recursive: true });
    await writeFile(join(pod.paths.home, "data", "000001.sst"), "blocks");
  };

  test("is followed, prepared while ev-node runs, and started in this order", async () => {
    expect(await given(join1)).toMatchObject({
      volume: { kind: "intact", epoch: 1, started: false, change: { kind: "joining" } },
      isMoved: true,
    });
    await blocksCome();
    expect(await given(bootstrap1)).toMatchObject({
      volume: { kind: "intact", change: { kind: "joining", prepared: true } },
      isMoved: false,
    });
    const raft = await lookAtRaftFolder(join(pod.paths.home, "raft-1"));
    expect(raft.kind).toBe(isSingle ? "missing" : "fresh");
    expect(await given(start1)).toEqual({
      volume: { kind: "intact", epoch: 1, started: true },
      refused: undefined,
      postponed: undefined,
      isMoved: true,
    });
  });

  test("is not started before it was prepared", async () => {
    await given(join1);
    await blocksCome();
    expect((await given(start1)).refused).toContain("the volume is not prepared for epoch 1");
  });

  test("is not started while a process may be no full node", async () => {
    await given(join1);
    await blocksCome();
    await given(bootstrap1);
    const { volume, postponed } = await given(start1, false);
    expect(postponed).toContain("waits until ev-node runs as a full node");
    expect(volume).toMatchObject({ started: false });
  });

  test("is not begun on blocks of nobody", async () => {
    await blocksCome();
    expect((await given(join1)).refused).toContain("no identity of a member");
  });
});

describe("a copy of another node's data", () => {
  const copied: Extract<Order, { kind: "join" }> = {
    id: "join-1-copy",
    kind: "join",
    epoch: 1,
    voters: [...voters],
    copy: {},
  };
  const head = { height: 7, hash: "aa" };
  let clock: VirtualClock;
  let blocks: BlockAnswer;

  beforeEach(async () => {
    pod = await newPod();
    clock = new VirtualClock();
    blocks = { kind: "held", hash: "aa" };
    await mkdir(join(pod.paths.home, "data"), { recursive: true });
    await writeFile(join(pod.paths.home, "data", "000001.sst"), "blocks");
    await mkdir(join(pod.paths.home, "signer"));
  });

  const facts = memberFacts(memberConfig(configInput("/data", "chain-0")));
  const owner = { clusterId: CLUSTER_ID, member: "chain-0", chainId: CHAIN_ID, epoch: 1 };
  async function given(order: Order) {
    await pod.setOrder(order);
    const life = nodeLife({ isUp: true, isHeld: true, height: 7 });
    const dependencies = { disk: realDisk, paths: pod.paths, owner, facts, nodeLife: life };
    return tendVolume({ ...dependencies, named: async () => facts });
  }

  const newReader = (isSettled = true) => {
    const log = recordedLog();
    const board = newBoard({ member: "chain-0", podUid: "u", maxBlocksBehind: 10, bootId: "b" }, clock, log);
    const { home } = pod.paths;
    const reader = new CopiedBlocks({ home, disk: realDisk, board, clock, log, blockAt: async () => blocks });
    const read = async (seconds: number, height = 7) => {
      for (let second = 0; second < seconds; second += 1) {
        board.update({ isSettled, node: openNode({ height: { value: height, atMs: clock.monotonicMs() } }) });
        await reader.tend((await given(copied)).volume);
        await clock.advance(1_000);
      }
      return shownVolume((await given(copied)).volume);
    };
    return { read };
  };

  test("is taken up with its blocks, and nothing of it is moved", async () => {
    const { volume, isMoved } = await given(copied);
    expect(isMoved).toBe(true);
    expect(shownVolume(volume)).toEqual({
      kind: "intact",
      epoch: 1,
      started: false,
      change: { kind: "joining", copy: {} },
    });
    expect((await readdir(pod.paths.home)).sort()).toEqual([".evnode-operator", "config", "data", "signer"]);
  });

  test("is read once its last block stays the same", async () => {
    await given(copied);
    const { read } = newReader();
    expect(await read(4)).toMatchObject({ change: { copy: {} } });
    await read(1, 8);
    expect(await read(5, 8)).toMatchObject({ change: { copy: {} } });
    expect(await read(1, 8)).toMatchObject({ change: { copy: { head: { height: 8, hash: "aa" } } } });
  });

  test("is not read by what a process says that is not known to run alone, nor without its hash", async () => {
    await given(copied);
    expect(await newReader(false).read(10)).toMatchObject({ change: { copy: {} } });
    blocks = { kind: "unknown", why: "no answer" };
    expect(await newReader().read(10)).toMatchObject({ change: { copy: {} } });
  });

  test("without a block is told as such", async () => {
    await given(copied);
    expect(await newReader().read(7, 0)).toMatchObject({
      change: { copy: { head: { height: 0, hash: "" } } },
    });
  });

  test("goes on, as another member than before, once its last block was proven, and not before", async () => {
    await given(copied);
    await newReader().read(7);
    const { voters: all } = copied;
    const prepare: Order = { id: "bootstrap-1", kind: "bootstrap", epoch: 1, voters: all };
    expect((await given(prepare)).refusedOrder?.message).toContain("nobody has proven");
    const wrong = { ...copied, id: "join-1-copy-proven", copy: { proven: { ...head, hash: "bb" } } };
    expect((await given(wrong)).refusedOrder?.message).toContain("is not the last one of the copy");
    const { volume, isMoved } = await given({ ...wrong, copy: { proven: head } });
    expect([isMoved, shownVolume(volume)]).toMatchObject([
      true,
      { change: { copy: { head, proven: true } } },
    ]);
    expect((await given(prepare)).refusedOrder).toBeUndefined();
  });
});

describe("a member that follows", () => {
  let processes: string[];
  let stops: number;

  beforeEach(async () => {
    pod = await newPod();
    processes = ["one"];
    stops = 0;
  });

  const textOf = (extraPeers: readonly string[]) => {
    const input = configInput(pod.paths.home, "chain-0");
    return renderFullNodeConfig(memberConfig({ ...input, p2p: { ...input.p2p, extraPeers } }));
  };
  const configsOf = (...extraPeers: string[]) => ({ raft: "", level: textOf(extraPeers) });

  async function keeperWith(
    extraPeers: readonly string[] = [],
    isAlone = false,
    then = "two",
  ): Promise<HeldKeeper> {
    const clock = new VirtualClock();
    const log = recordedLog();
    const keeper = new HeldKeeper({
      disk: realDisk,
      configFolder: pod.paths.config,
      raftFolder: undefined,
      configs: configsOf(...extraPeers),
      isAlone,
      board: newBoard({ member: "chain-0", podUid: "uid-0", maxBlocksBehind: 10, bootId: "b" }, clock, log),
      clock,
      log,
      stopNode: async () => {
        stops += 1;
        return true;
      },
      nodeProcesses: async () => processes,
      look: async () => {},
    });
    // The process of before the first look is another one afterwards.
    await keeper.begin();
    processes = [then];
    await keeper.tend();
    return keeper;
  }

  test("starts ev-node again when there is another source of blocks, once", async () => {
    const keeper = await keeperWith();
    await keeper.use(configsOf(OUTSIDE));
    await keeper.tend();
    expect(stops).toBe(1);
    processes = ["three"];
    await keeper.tend();
    expect(stops).toBe(1);
    expect(await readFile(join(pod.paths.config, "evnode.yaml"), "utf8")).toContain(OUTSIDE);
  });

  test("has no peer while its copy is not proven, and ends what ran so when it is", async () => {
    const alone = await keeperWith([OUTSIDE], true);
    const text = await readFile(join(pod.paths.config, "evnode.yaml"), "utf8");
    expect(text).not.toContain("/p2p/");
    expect(text).toContain("/ip4/127.0.0.1/tcp/0");
    await alone.use(configsOf(OUTSIDE));
    expect(await readFile(join(pod.paths.config, "evnode.yaml"), "utf8")).toBe(text);
    expect([stops, await isHeld(pod.paths.config, processes)]).toEqual([0, false]);
    const after = await keeperWith([OUTSIDE], false, "two");
    await after.tend();
    expect(stops).toBe(1);
    processes = ["three"];
    await after.tend();
    expect([stops, await isHeld(pod.paths.config, processes)]).toEqual([1, true]);
    expect(await readFile(join(pod.paths.config, "evnode.yaml"), "utf8")).toContain(OUTSIDE);
  });

  test("lets it run on when there is one less, as at the start", async () => {
    const keeper = await keeperWith([OUTSIDE]);
    await keeper.use(configsOf());
    await keeper.tend();
    expect(stops).toBe(0);
  });
});
