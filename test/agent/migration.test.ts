import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newBoard } from "../../src/agent/board.ts";
import { realDisk } from "../../src/agent/disk.ts";
import { HeldKeeper } from "../../src/agent/held-keeper.ts";
import { memberFacts } from "../../src/agent/member-facts.ts";
import { lookAtRaftFolder } from "../../src/agent/raft-folder.ts";
import { shownVolume, type VolumeOwner } from "../../src/agent/volume.ts";
import { tendVolume } from "../../src/agent/volume-keeper.ts";
import { type MemberConfigInput, memberConfig, renderFullNodeConfig } from "../../src/evnode/config.ts";
import type { Order } from "../../src/model/agent-protocol.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
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

  async function keeperWith(...extraPeers: string[]): Promise<HeldKeeper> {
    const clock = new VirtualClock();
    const log = recordedLog();
    const keeper = new HeldKeeper({
      disk: realDisk,
      configFolder: pod.paths.config,
      raftFolder: undefined,
      configs: configsOf(...extraPeers),
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
    processes = ["two"];
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

  test("lets it run on when there is one less, as at the start", async () => {
    const keeper = await keeperWith(OUTSIDE);
    await keeper.use(configsOf());
    await keeper.tend();
    expect(stops).toBe(0);
  });
});
