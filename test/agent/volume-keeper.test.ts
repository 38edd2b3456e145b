import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { realDisk } from "../../src/agent/disk.ts";
import { memberFacts } from "../../src/agent/member-facts.ts";
import { judgePrepare } from "../../src/agent/prepare.ts";
import { lookAtRaftFolder } from "../../src/agent/raft-folder.ts";
import { shownVolume, type VolumeOwner } from "../../src/agent/volume.ts";
import { noteBlocks, tendVolume, type VolumeReport } from "../../src/agent/volume-keeper.ts";
import { memberConfig } from "../../src/evnode/config.ts";
import { LOG_FILE } from "../../src/evnode/raft-store.ts";
import type { Order, Voter } from "../../src/model/agent-protocol.ts";
import { nodeLife } from "./node-life.ts";
import {
  bootstrapOrder,
  CHAIN_ID,
  CLUSTER_ID,
  configInput,
  newPod,
  type Pod,
  rejoinOrder,
  startOrder,
  treeOf,
} from "./pod.ts";
import { otherVoters, type VolumeName, volumes } from "./volumes.ts";

const owner: VolumeOwner = { clusterId: CLUSTER_ID, member: "chain-0", chainId: CHAIN_ID, epoch: 1 };

let pod: Pod;
beforeEach(async () => {
  pod = await newPod();
});
afterEach(() => pod.remove());

function tend(runs = false, isUp = runs): Promise<VolumeReport> {
  const { paths } = pod;
  const config = memberConfig(configInput(paths.home, "chain-0"));
  const facts = memberFacts(config);
  return tendVolume({
    disk: realDisk,
    paths,
    owner,
    facts,
    named: async () => undefined,
    nodeLife: nodeLife({ runs, isUp }),
  });
}

/** What a person would say that ev-node is held back by. */
function outcome(report: VolumeReport): string {
  const prepare = judgePrepare(report);
  if (prepare === undefined) return report.refusedOrder === undefined ? "runs" : "runs, order refused";
  if (prepare.kind === "waiting") return `waits for ${prepare.for}`;
  return prepare.kind === "refused" ? `refused ${prepare.reason}` : prepare.kind;
}

type Row = readonly [volume: VolumeName, none: string, bootstrap: string, start: string, rejoin: string];

const EMPTY = ["waits for bootstrap", "waits for start", "refused Order", "runs"] as const;
const FOREIGN = ["refused Volume", "refused Volume", "refused Volume", "refused Volume"] as const;
const DAMAGED = ["refused Volume", "refused Volume", "refused Volume", "runs"] as const;

const table: readonly Row[] = [
  ["empty", ...EMPTY],
  ["empty but for a file system's own folder", ...EMPTY],
  ["with a fresh raft folder and no identity", ...EMPTY],
  ["with a fresh raft folder of other voters and no identity", ...EMPTY],
  ["with half a raft folder in the agent's own folder", ...EMPTY],
  ["with block data and no identity", ...FOREIGN],
  ["with the data of another node", ...FOREIGN],
  ["with the data of another node, and an order that was cut off", ...FOREIGN],
  ["with the data of a node that was in Raft", ...FOREIGN],
  ["with the data of a node that was in Raft somewhere else", ...FOREIGN],
  ["with the data of a member without its identity", ...FOREIGN],
  ["with a used raft folder and no identity", ...FOREIGN],
  ["with the raft folder of another epoch and no identity", ...FOREIGN],
  ["of another cluster", ...FOREIGN],
  ["of another member", ...FOREIGN],
  ["of another chain", ...FOREIGN],
  ["of another epoch", ...FOREIGN],
  ["with an identity that cannot be read", ...FOREIGN],
  ["with an identity of a later version", ...FOREIGN],
  ["without its raft folder", ...DAMAGED],
  ["with identity only", ...DAMAGED],
  ["without its raft log", ...DAMAGED],
  ["without its raft votes", ...DAMAGED],
  ["with a raft log of zeros", ...DAMAGED],
  ["with a raft log that was cut off", ...DAMAGED],
  ["with a raft folder in which no membership ever was", ...DAMAGED],
  ["with another membership", ...DAMAGED],
  ["without the blocks that it had", ...DAMAGED],
  ["with empty folders where its blocks were", ...DAMAGED],
  ["bootstrapped", "waits for start", "waits for start", "runs", "refused Order"],
  ["bootstrapped with other voters", "waits for start", "refused Order", "runs", "refused Order"],
  ["started a moment ago", "runs", "runs, order refused", "runs", "runs, order refused"],
  ["started", "runs", "runs, order refused", "runs", "runs, order refused"],
  [
    "started, with the log compacted into a snapshot",
    "runs",
    "runs, order refused",
    "runs",
    "runs, order refused",
  ],
];

describe.each(table)("on a volume %s", (name, none, bootstrap, start, rejoin) => {
  const columns: readonly [title: string, expected: string, order: Order | undefined][] = [
    ["no order", none, undefined],
    ["the order to bootstrap", bootstrap, bootstrapOrder],
    ["the order to start", start, startOrder],
    ["the order to rejoin", rejoin, rejoinOrder],
  ];
  test.each(columns)("%s leads to: %s", async (_, expected, order) => {
    await volumes[name](pod.paths.home);
    await pod.setOrder(order);
    expect(outcome(await tend())).toBe(expected);
  });
});

test("the table has a row for every volume", () => {
  expect(table.map(([name]) => name)).toEqual(Object.keys(volumes));
});

test.each<[VolumeName, true | undefined]>([
  ["with block data and no identity", true],
  ["with the data of another node", true],
  ["with the data of another node, and an order that was cut off", true],
  ["with the data of a node that was in Raft", undefined],
  ["with the data of a node that was in Raft somewhere else", undefined],
  ["with the data of a member without its identity", undefined],
  ["with the raft folder of another epoch and no identity", undefined],
  ["of another cluster", undefined],
  ["of another epoch", undefined],
  ["with an identity that cannot be read", undefined],
])("a volume %s looks like a copy: %s", async (name, copy) => {
  await volumes[name](pod.paths.home);
  const shown = shownVolume((await tend()).volume);
  expect(shown.kind === "foreign" && shown.copy).toBe(copy);
});

describe("what is wrong with a volume is said in words", () => {
  const cases: readonly [name: VolumeName, kind: string, message: string, epoch?: number][] = [
    ["with block data and no identity", "foreign", "the volume has data but no identity of a member: data"],
    ["of another cluster", "foreign", "the volume is of clusterId fedcba, expected 0123456789abcdef"],
    ["of another member", "foreign", "the volume is of member chain-1, expected chain-0"],
    ["of another chain", "foreign", "the volume is of chainId another, expected chain-of-tests"],
    ["of another epoch", "foreign", "the volume is of epoch 2, expected 1", 2],
    [
      "with an identity that cannot be read",
      "foreign",
      "the volume's identity cannot be read: it is not valid JSON",
    ],
    ["without its raft folder", "damaged", "the folder raft-1 is missing"],
    ["without its raft log", "damaged", "raft-1/raft-log.db is missing"],
    ["without its raft votes", "damaged", "raft-1/raft-stable.db is missing"],
    [
      "with a raft log of zeros",
      "damaged",
      "raft-1/raft-log.db is damaged: neither of its meta pages is valid",
    ],
    [
      "with a raft log that was cut off",
      "damaged",
      "raft-1/raft-log.db is damaged: it is cut off: 9000 bytes are left of 24576",
    ],
    [
      "with a raft folder in which no membership ever was",
      "damaged",
      "raft-1/raft-log.db holds no membership and there is no snapshot",
    ],
    [
      "with another membership",
      "damaged",
      "raft-1 holds another membership than the one it was bootstrapped with",
    ],
    ["without the blocks that it had", "damaged", "the block data is missing"],
  ];
  test.each(cases)("%s: %s, %s", async (name, kind, message, epoch) => {
    await volumes[name](pod.paths.home);
    const shown = shownVolume((await tend()).volume);
    const isCopy = name === "with block data and no identity";
    expect(shown).toEqual({ kind, message, ...(epoch && { epoch }), ...(isCopy && { copy: true }) });
  });
});

describe("why an order is refused is said in words", () => {
  const voters = (change: (all: readonly Voter[]) => readonly Voter[]): Order => ({
    ...bootstrapOrder,
    voters: [...change(bootstrapOrder.voters)],
  });
  const [self, second, third] = bootstrapOrder.voters as [Voter, Voter, Voter];
  const added: readonly Voter[] = [3, 4].map((ordinal) => ({
    id: `chain-${ordinal}`,
    address: `chain-${ordinal}:5001`,
  }));
  const longer = voters((all) => [...all, ...added]);
  const cases: readonly [why: string, volume: VolumeName, order: Order][] = [
    ["it is for epoch 2, but this pod runs epoch 1", "empty", { ...startOrder, epoch: 2 }],
    ["the volume is empty", "empty", startOrder],
    [
      "the order names chain-0 0 times among its voters, expected once",
      "empty",
      voters(() => [second, third]),
    ],
    [
      "the order names a voter twice",
      "empty",
      voters((all) => [...all, { ...second, address: "else:5001" }]),
    ],
    [
      "the order gives two voters the same address",
      "empty",
      voters((all) => [...all, { id: "chain-3", address: third.address }]),
    ],
    [
      `the order has chain-0 at chain-0:5001, but its config says ${self.address}`,
      "empty",
      voters(() => [{ id: "chain-0", address: "chain-0:5001" }, second, third]),
    ],
    ["the volume is of member chain-1, expected chain-0", "of another member", startOrder],
    [
      "the folder raft-1 is missing; only an order to rejoin rebuilds it",
      "without its raft folder",
      bootstrapOrder,
    ],
    ["the folder raft-1 is missing", "without its raft folder", startOrder],
    [
      "the volume was bootstrapped with other voters",
      "without its raft folder",
      { ...rejoinOrder, voters: [...otherVoters.slice(1), self] },
    ],
    ["the volume was bootstrapped with other voters", "bootstrapped with other voters", bootstrapOrder],
    ["the volume was bootstrapped and started before", "started", bootstrapOrder],
    ["the volume is intact", "started", rejoinOrder],
    ["the volume was bootstrapped with other voters", "bootstrapped", longer],
    ["the volume was bootstrapped and started before", "started", longer],
    [
      "the volume was bootstrapped with other voters",
      "without its raft folder",
      { ...rejoinOrder, voters: [...rejoinOrder.voters, ...added] },
    ],
  ];
  test.each(cases)("%s, on a volume %s", async (why, volume, order) => {
    await volumes[volume](pod.paths.home);
    await pod.setOrder(order);
    const before = await treeOf(pod.paths.home);
    expect((await tend()).refusedOrder).toEqual({
      id: order.id,
      message: `order ${order.id} (${order.kind}) is refused: ${why}`,
    });
    expect(await treeOf(pod.paths.home)).toEqual(before);
  });

  test.each([
    ["the order is not valid JSON", "{"],
    [
      "the order cannot be read: epoch: Invalid input: expected number, received undefined",
      '{"id":"a","kind":"start"}',
    ],
  ])("%s", async (message, text) => {
    await pod.setAnnotations({ "evnode.dev/order": text });
    const report = await tend();
    expect(report.refusedOrder).toEqual({ message });
    expect(outcome(report)).toBe("refused Order");
  });
});

describe("an order is executed once", () => {
  test("the same order on a later look changes nothing", async () => {
    await pod.setOrder(bootstrapOrder);
    const first = await tend();
    const after = await treeOf(pod.paths.home);
    const second = await tend();
    expect([first.executedOrder, second.executedOrder]).toEqual(["bootstrap-1", "bootstrap-1"]);
    expect(await treeOf(pod.paths.home)).toEqual(after);
  });

  test("another id for what was done already is noted, and nothing is written anew", async () => {
    await pod.setOrder(bootstrapOrder);
    await tend();
    await pod.setOrder({ ...bootstrapOrder, id: "bootstrap-again" });
    const report = await tend();
    expect(report).toMatchObject({ executedOrder: "bootstrap-again", refusedOrder: undefined });
    expect(report.volume).toMatchObject({ record: { executedOrders: ["bootstrap-1", "bootstrap-again"] } });
  });

  test.each([bootstrapOrder, rejoinOrder])(
    "a volume emptied under its pod stays empty: $kind",
    async (order) => {
      await pod.setOrder(order);
      await tend();
      for (const name of ["raft-1", ".evnode-operator"]) {
        await rm(join(pod.paths.home, name), { recursive: true });
      }
      expect(outcome(await tend())).toBe("waits for bootstrap");
      expect(Object.keys(await treeOf(pod.paths.home))).toEqual(["config/executed-orders.json"]);
    },
  );

  test("a pod that was stopped before it noted an order makes up for it", async () => {
    await pod.setOrder(bootstrapOrder);
    await tend();
    await rm(join(pod.paths.config, "executed-orders.json"));
    await tend();
    expect(await readFile(join(pod.paths.config, "executed-orders.json"), "utf8")).toBe('["bootstrap-1"]');
  });

  test("a record keeps the last sixteen orders", async () => {
    await volumes.started(pod.paths.home);
    for (let number = 1; number <= 20; number += 1) {
      await pod.setOrder({ ...startOrder, id: `start-${number}` });
      await tend();
    }
    const { volume } = await tend();
    expect(volume).toMatchObject({
      record: { executedOrders: Array.from({ length: 16 }, (_, index) => `start-${index + 5}`) },
    });
  });
});

describe("rejoining", () => {
  test("the raft folder that is in the way is kept aside, under a name of its own each time", async () => {
    await volumes["with another membership"](pod.paths.home);
    const lost = await readFile(join(pod.paths.home, "raft-1", LOG_FILE));
    await pod.setOrder(rejoinOrder);
    await tend();
    await rm(join(pod.paths.home, "raft-1", LOG_FILE));
    await pod.setOrder({ ...rejoinOrder, id: "rejoin-2" });
    expect(outcome(await tend())).toBe("runs");

    const own = join(pod.paths.home, ".evnode-operator");
    expect((await readdir(own)).sort()).toEqual(["raft-1.aside-1", "raft-1.aside-2", "volume.json"]);
    expect(await readFile(join(own, "raft-1.aside-1", LOG_FILE))).toEqual(lost);
    expect(await lookAtRaftFolder(join(pod.paths.home, "raft-1"))).toEqual({
      kind: "fresh",
      voters: rejoinOrder.voters,
    });
  });

  test("block data is kept, and still counts as what the member had", async () => {
    await volumes["without its raft folder"](pod.paths.home);
    await pod.setOrder(rejoinOrder);
    expect((await tend()).volume).toMatchObject({
      kind: "intact",
      record: { started: true, hadBlocks: true },
    });
    expect(await treeOf(join(pod.paths.home, "data"))).toHaveProperty("testapp/MANIFEST");
  });

  test("a member whose blocks were lost starts without them", async () => {
    await volumes["without the blocks that it had"](pod.paths.home);
    await pod.setOrder(rejoinOrder);
    expect((await tend()).volume).toMatchObject({
      kind: "intact",
      record: { started: true, hadBlocks: false },
    });
  });

  test.each([
    ["raft", true, ["raft-1.aside-1", "volume.json"]],
    ["all", false, ["data.aside-1", "raft-1.aside-1", "volume.json"]],
  ] as const)(
    "a volume that looks intact is written anew when that is ordered: %s",
    async (anew, hasBlocks, kept) => {
      await volumes.started(pod.paths.home);
      await pod.setOrder({ ...rejoinOrder, anew });
      const report = await tend();
      expect(outcome(report)).toBe("runs");
      expect(report.volume).toMatchObject({ isFresh: true, record: { started: true, hadBlocks: hasBlocks } });
      expect((await readdir(join(pod.paths.home, ".evnode-operator"))).sort()).toEqual(kept);
      expect(Object.keys(await treeOf(pod.paths.home)).includes("data/testapp/MANIFEST")).toBe(hasBlocks);
      // It is done once, whatever becomes of the volume afterwards.
      await rm(join(pod.paths.home, "raft-1"), { recursive: true });
      expect(outcome(await tend())).toBe("refused Volume");
    },
  );

  test.each([bootstrapOrder, rejoinOrder])(
    "no raft folder is written for a process that runs: $kind",
    async (order) => {
      await pod.setOrder(order);
      const report = await tend(true);
      expect(outcome(report)).toBe("waits for bootstrap");
      expect(report.postponed).toBe(`order ${order.id} (${order.kind}) waits until ev-node stops`);
      expect(await treeOf(pod.paths.home)).toEqual({});
    },
  );

  test("nothing is taken from under a process that still runs", async () => {
    await volumes["without its raft folder"](pod.paths.home);
    await pod.setOrder(rejoinOrder);
    const before = await treeOf(pod.paths.home);
    const report = await tend(true);
    expect(report.postponed).toBe("order rejoin-1 (rejoin) waits until ev-node stops");
    expect(outcome(report)).toBe("refused Volume");
    expect(await treeOf(pod.paths.home)).toEqual(before);
    expect(outcome(await tend(false))).toBe("runs");
  });
});

describe("an order to write an intact volume anew, seen when ev-node is there again,", () => {
  const anewOrder = { ...rejoinOrder, anew: "raft" } as const;
  const asideIn = async () => (await readdir(join(pod.paths.home, ".evnode-operator"))).length > 1;

  test("waits for a process that has not come up", async () => {
    await volumes.started(pod.paths.home);
    await pod.setOrder(anewOrder);
    expect((await tend(true, false)).postponed).toBe("order rejoin-1 (rejoin) waits until ev-node stops");
    expect(await asideIn()).toBe(false);
    expect((await tend(false)).executedOrder).toBe("rejoin-1");
    expect(await asideIn()).toBe(true);
  });

  test("is void once it came up: its votes are not taken when it stops one day", async () => {
    await volumes.started(pod.paths.home);
    await pod.setOrder(anewOrder);
    expect((await tend(true)).executedOrder).toBe("rejoin-1");
    expect(await asideIn()).toBe(false);
    // Also by an agent that has forgotten: the pod's memory is gone after a reboot of its node.
    await rm(join(pod.paths.config, "executed-orders.json"));
    expect(outcome(await tend(false))).toBe("runs");
    expect(await asideIn()).toBe(false);
  });
});

describe("that a member had blocks", () => {
  const hadBlocks = async () => (await tend()).volume;

  test("is noted with the first block, and only once", async () => {
    await volumes["started a moment ago"](pod.paths.home);
    await noteBlocks(realDisk, pod.paths.home, await hadBlocks(), 0);
    expect(await hadBlocks()).toMatchObject({ record: { hadBlocks: false } });

    await noteBlocks(realDisk, pod.paths.home, { ...(await hadBlocks()) }, 1);
    // Noted before it was seen that the data folder is empty: from now on that is a loss.
    expect(await hadBlocks()).toMatchObject({ kind: "damaged", record: { hadBlocks: true } });
  });

  test("is not noted on a volume that is damaged", async () => {
    await volumes["without its raft folder"](pod.paths.home);
    const before = await treeOf(pod.paths.home);
    await noteBlocks(realDisk, pod.paths.home, await hadBlocks(), 7);
    expect(await treeOf(pod.paths.home)).toEqual(before);
  });
});

describe("an order for blocks of a fork", () => {
  const forkedOrder = { ...rejoinOrder, anew: "all", forked: true } as const;
  const own = () => join(pod.paths.home, ".evnode-operator");
  let ends: number;

  beforeEach(async () => {
    ends = 0;
    await volumes.started(pod.paths.home);
    await pod.setOrder(forkedOrder);
  });

  function look(life: Parameters<typeof nodeLife>[0] = {}): Promise<VolumeReport> {
    const { paths } = pod;
    const facts = memberFacts(memberConfig(configInput(paths.home, "chain-0")));
    const end = async () => {
      ends += 1;
    };
    const given = { disk: realDisk, paths, owner, facts, named: async () => undefined };
    return tendVolume({ ...given, nodeLife: nodeLife({ ...life, end }) });
  }

  test("ends ev-node, which cannot start again before the blocks are set aside", async () => {
    const report = await look({ isUp: true });
    expect([ends, report.executedOrder]).toEqual([1, "earlier"]);
    expect(report.postponed).toContain("waits until ev-node stops");
    expect((await readdir(own())).sort()).toEqual(["raft-1.aside-1", "volume.json"]);
    expect(await treeOf(join(pod.paths.home, "data"))).toHaveProperty("testapp/MANIFEST");
    // Kubelet tries, and it is held back.
    expect((await look({ runs: true, isUp: false })).executedOrder).toBe("earlier");

    const done = await look();
    expect(done).toMatchObject({ executedOrder: "rejoin-1", volume: { kind: "intact" } });
    expect(done.volume).toMatchObject({ record: { started: true, hadBlocks: false } });
    expect(done.volume).not.toHaveProperty("record.forked");
    expect((await readdir(own())).sort()).toEqual(["data.aside-1", "raft-1.aside-1", "volume.json"]);
    expect(await treeOf(join(own(), "data.aside-1"))).toHaveProperty("testapp/MANIFEST");
    expect(ends).toBe(2);
  });

  test("ends a process that was started while the blocks were set aside", async () => {
    let looks = 0;
    const runs = async () => (looks += 1) > 1;
    const { paths } = pod;
    const facts = memberFacts(memberConfig(configInput(paths.home, "chain-0")));
    const ended: unknown[] = [];
    const end = async (isAnother?: boolean) => void ended.push(isAnother);
    const given = { disk: realDisk, paths, owner, facts, named: async () => undefined };
    const report = await tendVolume({ ...given, nodeLife: { ...nodeLife(), runs, end } });
    expect([report.executedOrder, ended]).toEqual(["rejoin-1", [true]]);
  });

  test("is carried out at once where ev-node does not run", async () => {
    expect(await look()).toMatchObject({ executedOrder: "rejoin-1", volume: { kind: "intact" } });
    expect(ends).toBe(0);
  });

  test("is not carried out by a member that leads by now, also later", async () => {
    const before = await treeOf(join(pod.paths.home, "data"));
    expect(await look({ isUp: true, leads: true })).toMatchObject({ executedOrder: "rejoin-1" });
    await look();
    expect([ends, await treeOf(join(pod.paths.home, "data"))]).toEqual([0, before]);
    expect(await readdir(own())).toEqual(["volume.json"]);
  });

  test("leaves nothing of the fork in use, also when the pod went with the order in between", async () => {
    await look({ isUp: true });
    await pod.setAnnotations({});
    const left = await look();
    expect(shownVolume(left.volume)).toEqual({
      kind: "damaged",
      message: "its blocks are of a fork, and have to be set aside",
    });
    // That of a lost volume, by a policy that knows nothing of the fork.
    await pod.setOrder({ ...rejoinOrder, id: "rejoin-2" });
    expect(await look()).toMatchObject({ executedOrder: "rejoin-2", volume: { kind: "intact" } });
    expect((await readdir(own())).sort()).toEqual(["data.aside-1", "raft-1.aside-1", "volume.json"]);
  });
});
