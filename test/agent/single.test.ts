import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Board, newBoard } from "../../src/agent/board.ts";
import { checkOwnConfig } from "../../src/agent/check-config.ts";
import { newIdentityCheck } from "../../src/agent/check-identity.ts";
import { realDisk } from "../../src/agent/disk.ts";
import type { Findings } from "../../src/agent/findings.ts";
import { newHttpClient } from "../../src/agent/http-client.ts";
import { type MemberFacts, memberFacts } from "../../src/agent/member-facts.ts";
import { NodeWatch } from "../../src/agent/node-watch.ts";
import { judgePrepare, prepareOnce } from "../../src/agent/prepare.ts";
import { judgeReadiness } from "../../src/agent/readiness.ts";
import { isLazySequencer, SingleKeeper } from "../../src/agent/single-keeper.ts";
import type { VolumeOwner } from "../../src/agent/volume.ts";
import { noteBlocks, tendVolume, type VolumeReport } from "../../src/agent/volume-keeper.ts";
import { readRecord } from "../../src/agent/volume-record.ts";
import { memberConfig, parseConfig } from "../../src/evnode/config.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { inSync, NOW, openNode } from "./findings.ts";
import { nodeLife } from "./node-life.ts";
import {
  bootstrapOrder,
  CHAIN_ID,
  CLUSTER_ID,
  configInput,
  hostOf,
  newSinglePod,
  type Pod,
  rejoinOrder,
  startOrder,
  treeOf,
} from "./pod.ts";
import { recordedLog } from "./recorded-log.ts";
import { type FakeNode, nodeAnswers, startNode } from "./servers.ts";

/** The agent of the only member of a cluster, which runs ev-node without Raft. */

const self = { id: "chain-0", address: `${hostOf("chain-0")}:5001` };
const owner: VolumeOwner = {
  clusterId: CLUSTER_ID,
  member: "chain-0",
  chainId: CHAIN_ID,
  epoch: 1,
  single: self,
};
const bootstrapAlone = { ...bootstrapOrder, voters: [self] };

let pod: Pod;
beforeEach(async () => {
  pod = await newSinglePod();
});
afterEach(() => pod.remove());

const ownText = () => pod.configs.get("chain-0") ?? "";
const expected = () => {
  const { home, config: configFolder } = pod.paths;
  return { member: "chain-0", epoch: 1, home, configFolder };
};

function facts(): MemberFacts {
  const reading = parseConfig(ownText());
  if (reading.kind === "malformed") throw new Error(reading.problem);
  return memberFacts(reading.value);
}

function tend(over: VolumeOwner = owner): Promise<VolumeReport> {
  return tendVolume({
    disk: realDisk,
    paths: pod.paths,
    owner: over,
    facts: facts(),
    nodeLife: nodeLife(),
    named: async () => undefined,
  });
}

async function comeUp(): Promise<VolumeReport> {
  await pod.setOrder(bootstrapAlone);
  await tend();
  await pod.setOrder(startOrder);
  const report = await tend();
  await mkdir(join(pod.paths.home, "data"));
  await writeFile(join(pod.paths.home, "data", "MANIFEST"), "badger");
  await noteBlocks(realDisk, pod.paths.home, report.volume, 1);
  await pod.setOrder(undefined);
  return tend();
}

describe("the config", () => {
  test("is accepted without Raft, beside that of a full node", () => {
    const finding = checkOwnConfig("r", ownText(), expected());
    expect(finding).toMatchObject({
      kind: "accepted",
      facts: { isSingle: true, raftAddress: self.address, peers: [] },
      texts: { single: ownText(), level: expect.stringContaining("aggregator: false") },
    });
  });

  test("is refused beside other members: each would make blocks by itself", async () => {
    const other = await newSinglePod(undefined, (input) => ({
      ...input,
      p2p: configInput(pod.paths.home, "chain-0").p2p,
    }));
    const text = other.configs.get("chain-0") ?? "";
    await other.remove();
    expect(checkOwnConfig("r", text.replaceAll(other.paths.home, pod.paths.home), expected())).toEqual({
      kind: "refused",
      message: "config revision r is refused: raft.enable: expected true beside chain-1, found false",
    });
  });

  test("names the member, and is refused in another pod", () => {
    expect(checkOwnConfig("r", ownText(), { ...expected(), member: "chain-1" })).toMatchObject({
      kind: "refused",
      message: "config revision r is refused: raft.node_id: expected chain-1, found chain-0",
    });
  });
});

describe("a volume", () => {
  const found = ({ volume, refusedOrder }: VolumeReport) => refusedOrder?.message ?? volume.kind;

  test("that is empty waits for the order, which writes its record and no Raft folder", async () => {
    expect(judgePrepare(await tend())).toMatchObject({ kind: "waiting", for: "bootstrap" });
    await pod.setOrder(bootstrapAlone);
    expect(judgePrepare(await tend())).toMatchObject({ kind: "waiting", for: "start" });
    expect(Object.keys(await treeOf(pod.paths.home))).not.toContainEqual(expect.stringContaining("raft-1"));
    await pod.setOrder(startOrder);
    expect(judgePrepare(await tend())).toBeUndefined();
  });

  test("is not prepared for more members than its config is of", async () => {
    await pod.setOrder(bootstrapOrder);
    expect(found(await tend())).toBe(
      "order bootstrap-1 (bootstrap) is refused: the order names 3 voters, but its config is that of a single sequencer",
    );
  });

  test("that was prepared for other members is not started", async () => {
    await comeUp();
    const single = { ...self, address: "chain-0.elsewhere:5001" };
    expect((await tend({ ...owner, single })).volume).toMatchObject({
      kind: "damaged",
      message: "it was prepared for other members",
    });
  });

  test("with Raft's state of this epoch is not started", async () => {
    await comeUp();
    await mkdir(join(pod.paths.home, "raft-1"));
    expect((await tend()).volume).toMatchObject({
      kind: "damaged",
      message: "it has the Raft state of this epoch, and a single sequencer has none",
    });
  });

  test("is never rebuilt, in whatever state it is", async () => {
    const orders = [rejoinOrder, { ...rejoinOrder, id: "rejoin-2", voters: [self] }];
    for (const order of orders) {
      await pod.setOrder(order);
      expect(found(await tend())).toMatch(/rejoin\) is refused: a single sequencer has no others/);
    }
    await comeUp();
    await rm(join(pod.paths.home, "data"), { recursive: true });
    await pod.setOrder({ ...rejoinOrder, voters: [self] });
    expect(found(await tend())).toMatch(/refused: a single sequencer has no others/);
  });

  test("whose blocks were gone once stays refused, whatever is there afterwards", async () => {
    await comeUp();
    const data = join(pod.paths.home, "data");
    await rm(data, { recursive: true });
    expect((await tend()).volume).toMatchObject({ kind: "damaged", message: "the block data is missing" });
    await mkdir(data);
    await writeFile(join(data, "MANIFEST"), "anew");
    const report = await tend();
    expect(judgePrepare(report)).toEqual({
      kind: "refused",
      reason: "Volume",
      message: "the block data was missing",
    });
    expect(await readRecord(pod.paths.home)).toMatchObject({ record: { lostBlocks: true } });
  });
});

describe("how ev-node may run", () => {
  let board: Board;
  let clock: VirtualClock;
  let stops: number;
  beforeEach(() => {
    clock = new VirtualClock();
    stops = 0;
    const settings = { member: "chain-0", podUid: "uid-0", maxBlocksBehind: 10, bootId: "boot" };
    board = newBoard(settings, clock, recordedLog());
  });

  const intact = { kind: "intact", epoch: 1, started: true } as const;
  const configs = () => {
    const finding = checkOwnConfig("r", ownText(), expected());
    if (finding.kind !== "accepted" || !("single" in finding.texts)) throw new Error("it is accepted");
    return finding.texts;
  };
  const installed = () => readFile(join(pod.paths.config, "evnode.yaml"), "utf8");
  async function keeper(): Promise<SingleKeeper> {
    board.update({ volume: intact });
    const stopNode = async () => {
      stops += 1;
      return true;
    };
    const around = { disk: realDisk, configFolder: pod.paths.config, board, clock, log: recordedLog() };
    const made = new SingleKeeper({ ...around, configs: configs(), stopNode, nodeProcesses: async () => [] });
    await made.begin();
    return made;
  }

  test("on its volume it makes blocks", async () => {
    await keeper();
    expect([await installed(), board.findings().mode]).toEqual([configs().single, { kind: "single" }]);
  });

  test("what was cut off is put back", async () => {
    const one = await keeper();
    await rm(join(pod.paths.config, "evnode.yaml"));
    await one.tend();
    expect(await installed()).toBe(configs().single);
  });

  test.each([
    { kind: "empty" },
    { kind: "foreign", message: "of another" },
    { kind: "damaged", message: "the block data is missing" },
    { kind: "intact", epoch: 1, started: false },
  ] as const)("from when on its volume is $kind, its next start makes none", async (volume) => {
    const one = await keeper();
    board.update({ volume });
    await one.tend();
    expect([await installed(), stops]).toEqual([configs().level, 0]);
    await one.use(configs());
    expect(await installed()).toBe(configs().level);
    board.update({ volume: intact });
    await one.tend();
    expect([await installed(), stops]).toEqual([configs().single, 1]);
  });

  test("it is known to be of a lazy chain by what is installed, and not as a full node", async () => {
    const lazy = configs().single.replace("lazy_mode: false", "lazy_mode: true");
    const one = await keeper();
    const seen = [await isLazySequencer(pod.paths.config)];
    await one.use({ single: lazy, level: configs().level });
    seen.push(await isLazySequencer(pod.paths.config));
    board.update({ volume: { kind: "empty" } });
    await one.tend();
    seen.push(await isLazySequencer(pod.paths.config));
    await rm(join(pod.paths.config, "evnode.yaml"));
    seen.push(await isLazySequencer(pod.paths.config));
    expect(seen).toEqual([false, true, false, false]);
  });

  test("an agent that starts anew beside it holds it back, too, and installs nothing where nothing was", async () => {
    const prepare = async () => {
      const { settings, paths } = pod;
      const around = {
        disk: realDisk,
        board,
        checkIdentity: newIdentityCheck(0),
        nodeLife: () => nodeLife({ isUp: true }),
      };
      return prepareOnce({ settings, paths, ...around, lookAround: () => {} });
    };
    expect(await prepare()).toBeUndefined();
    await expect(installed()).rejects.toThrow("ENOENT");
    await comeUp();
    await keeper();
    expect(await prepare()).toBeDefined();
    expect(await installed()).toBe(configs().single);
    await rm(join(pod.paths.home, "data"), { recursive: true });
    expect(await prepare()).toBeUndefined();
    expect(await installed()).toBe(configs().level);
  });

  test("a process that was asked to end is not asked again at once", async () => {
    const one = await keeper();
    await one.restart();
    await one.restart();
    expect(stops).toBe(1);
    await clock.advance(15_000);
    await one.restart();
    expect(stops).toBe(2);
  });
});

test.each<[string, Partial<Findings>, ok: boolean, message: string]>([
  ["that answers is ready", {}, true, "in sync"],
  [
    "whose volume was changed is not",
    { volume: { kind: "damaged", message: "the block data is missing" } },
    false,
    "its volume is not the one that it was started on: the block data is missing",
  ],
  [
    "whose API is closed is not",
    { node: { kind: "closed", metricsPortOpen: true, raftPortOpen: false, sinceMs: NOW } },
    false,
    "ev-node runs, but its HTTP server is closed",
  ],
])("a single sequencer %s", (_, changes, ok, message) => {
  const alone = { mode: { kind: "single" }, peers: [], node: openNode({}) } as const;
  expect(judgeReadiness({ ...inSync, ...alone, ...changes }, 10, NOW)).toEqual({ ok, message });
});

describe("who leads", () => {
  let node: FakeNode;
  let board: Board;
  let watch: NodeWatch;
  const clock = new VirtualClock();
  const http = newHttpClient(clock);
  afterEach(() => node.close());

  async function answering(answers: Record<string, unknown>, lazy = false): Promise<void> {
    node = await startNode({ ...nodeAnswers(7, true), ...answers });
    const settings = { member: "chain-0", podUid: "uid-0", maxBlocksBehind: 10, bootId: "boot" };
    board = newBoard(settings, clock, recordedLog());
    const resolve = Object.assign(async () => undefined, { forget: () => {} });
    const own = { ...facts(), rpcPort: node.port };
    const isLazy = async () => lazy;
    watch = new NodeWatch({ http, resolve, clock, board, member: "chain-0", facts: own, isLazy });
    await watch.lookAtLeadership();
  }

  const role = () => {
    const { node: seen } = board.answer();
    return seen.kind === "open" ? seen.isLeader : seen.kind;
  };

  test("is the member once ev-node says that it makes blocks, and it is never asked for Raft", async () => {
    await answering({ "/health/ready": "READY\n" });
    expect([role(), node.asked.includes("/raft/node")]).toEqual([true, false]);
  });

  test("stays it while blocks come more slowly for a while", async () => {
    await answering({ "/health/ready": "READY\n" });
    node.answers["/health/ready"] = "UNREADY: aggregator not producing blocks at expected rate\n";
    await watch.lookAtLeadership();
    expect(role()).toBe(true);
  });

  test("is not known before the first block", async () => {
    await answering({ "/health/ready": "UNREADY: no blocks yet\n" });
    expect(role()).toBeUndefined();
  });

  test("is the member of a lazy chain at once: it may wait for the transactions that go to the leader", async () => {
    await answering({ "/health/ready": "UNREADY: no blocks yet\n" }, true);
    expect(role()).toBe(true);
  });

  test("is nobody when the process ends, and asked anew of the next one", async () => {
    await answering({ "/health/ready": "READY\n" });
    await node.close();
    await watch.lookAtLeadership();
    expect(role()).toBe("closed");
    node = await startNode({ ...nodeAnswers(7, true), "/health/ready": "UNREADY\n" }, node.port);
    await watch.lookAtLeadership();
    expect(role()).toBeUndefined();
  });
});

test("the text of a single sequencer is not that of a Raft member with Raft switched off", () => {
  const { raft } = memberConfig({ ...configInput("/data", "chain-0"), isSingle: true });
  expect(Object.keys(raft)).toEqual(["enable", "node_id", "raft_addr", "raft_dir", "peers"]);
});
