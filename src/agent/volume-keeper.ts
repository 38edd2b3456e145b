import type { AgentAnswer, Order } from "../model/agent-protocol.ts";
import { annotations } from "../model/annotations.ts";
import { type ChangeVerdict, isOfChange, judgeChange } from "./change-orders.ts";
import type { Disk } from "./disk.ts";
import { executeOrder, setAside } from "./execute-order.ts";
import type { MemberFacts } from "./member-facts.ts";
import { endsNode, judgeOrder, type OrderReading, type OrderVerdict, readOrder, whereUp } from "./orders.ts";
import { readPodAnnotations } from "./pod-annotations.ts";
import { addToLedger, readLedger } from "./pod-ledger.ts";
import type { AgentPaths } from "./settings.ts";
import { judgeVolume, lookAtVolume, raftFolderName, type VolumeOwner, type VolumeState } from "./volume.ts";
import { unprovenCopy, type VolumeRecord, writeRecord } from "./volume-record.ts";

/** What a look at the volume and at the pod's order came to. */
export interface VolumeReport {
  readonly volume: VolumeState;
  readonly executedOrder: string | undefined;
  readonly refusedOrder: AgentAnswer["refusedOrder"];
  /** Why an order that could be executed waits. */
  readonly postponed: string | undefined;
}

export interface TendedVolume extends VolumeReport {
  /** An order took the volume another step between two memberships: what was known of the member is over. */
  readonly isMoved: boolean;
}

export interface VolumeKeeperDependencies {
  readonly disk: Disk;
  readonly paths: AgentPaths;
  readonly owner: VolumeOwner;
  readonly facts: MemberFacts;
  readonly nodeLife: NodeLife;
  /** What the config revision on the pod says of the member, as soon as that can be used. */
  readonly named: () => Promise<MemberFacts | undefined>;
}

/** Asked only before a raft folder is written, or a new epoch begins. */
export interface NodeLife {
  /** Whether there is a process of ev-node, however far it has come. */
  readonly runs: () => Promise<boolean>;
  /** Whether it could use what is on the volume. */
  readonly isUp: () => Promise<boolean>;
  /** Whether each process of it that runs, and the next one that starts, is a full node. */
  readonly isHeld: () => Promise<boolean>;
  /** Of its blocks, as it told a moment ago. */
  readonly height: () => number | undefined;
  /** Whether it said so when it was asked last. */
  readonly leads: () => boolean;
  /** Asks it to end; kubelet starts it again. `isAnother`: than the process that was asked a moment ago. */
  readonly end: (isAnother?: boolean) => Promise<void>;
}

/** Looks at the volume and does what the pod's order asks for, if it was not done before. */
export async function tendVolume(dependencies: VolumeKeeperDependencies): Promise<TendedVolume> {
  const { disk, paths, owner, facts, nodeLife } = dependencies;
  const look = await lookAtVolume(paths.home, owner.epoch, facts.dbPath);
  const volume = judgeVolume(look, owner);
  await noteLoss(disk, paths.home, volume, owner);
  const reading = await readPodOrder(paths);
  const executed = await readLedger(paths.config);
  const report = (state: VolumeState) => ({ ...reportOf(state, reading, executed), isMoved: false });
  if (reading.kind !== "order") return report(volume);

  const { order } = reading;
  const judged = await judge(order, volume, executed, dependencies);
  const isUp = judged.kind === "writeRaftFolder" && (await nodeLife.isUp());
  const verdict = isUp ? whereUp(judged, volume, nodeLife.leads()) : judged;
  if (verdict.kind === "refuse") {
    return { ...report(volume), refusedOrder: { id: order.id, message: verdict.message } };
  }
  if (verdict.kind === "postpone") return { ...report(volume), postponed: verdict.message };
  // A process goes on with files that were taken from under it, and would come back to others.
  if (verdict.kind === "writeRaftFolder" && (await nodeLife.runs())) {
    if (endsNode(order)) await endForked(dependencies, verdict);
    return {
      ...report(volume),
      postponed: `order ${order.id} (${order.kind}) waits until ev-node stops`,
    };
  }
  const record =
    verdict.kind === "nothing"
      ? undefined
      : await executeOrder(disk, { home: paths.home, dbPath: facts.dbPath }, owner, verdict);
  // Kubelet may have started one in between, which has the old blocks open under their new name.
  if (verdict.kind === "writeRaftFolder" && endsNode(order) && (await nodeLife.runs()))
    await nodeLife.end(true);
  // Also when the work was done before: it may have been cut off after the volume's record was written.
  await addToLedger(disk, paths.config, order.id);
  if (record === undefined) return report(volume);
  // Judged anew from the disk: what was done counts only as far as it can be seen.
  const now = judgeVolume(await lookAtVolume(paths.home, owner.epoch, facts.dbPath), owner);
  return { ...reportOf(now, reading, [...executed, order.id]), isMoved: isMoved(volume, record) };
}

/**
 * Kubelet starts ev-node again at once. So what it needs to start is taken away before it ends, and the record says
 * first what the volume is: cut off anywhere, the blocks of the fork are not used again.
 */
async function endForked(
  { disk, paths, owner, nodeLife }: VolumeKeeperDependencies,
  { before }: Extract<OrderVerdict, { kind: "writeRaftFolder" }>,
): Promise<void> {
  if (before !== undefined && !before.forked)
    await writeRecord(disk, paths.home, { ...before, forked: true });
  await setAside(disk, paths.home, raftFolderName(owner.epoch));
  await nodeLife.end();
}

async function judge(
  order: Order,
  volume: VolumeState,
  executed: readonly string[],
  { owner, facts, nodeLife, named }: VolumeKeeperDependencies,
): Promise<OrderVerdict | ChangeVerdict> {
  const { raftAddress, isSingle } = facts;
  const known = { member: owner.member, epoch: owner.epoch, raftAddress, isSingle, executed };
  if (!isOfChange(order, volume)) return judgeOrder(order, volume, known);
  const [isHeld, height] = [await nodeLife.isHeld(), nodeLife.height()];
  return judgeChange(order, volume, { ...known, named: await named(), isHeld, height });
}

/** From one epoch, or one kind of change, to another, or out into the open. A first bootstrap is none. */
function isMoved(before: VolumeState, record: VolumeRecord): boolean {
  const step = (record: VolumeRecord) =>
    `${record.epoch} ${record.change?.kind} ${unprovenCopy(record) !== undefined}`;
  return "record" in before ? step(before.record) !== step(record) : record.change !== undefined;
}

/** From the first block on, missing block data is a loss. Written once in the life of a volume. */
export async function noteBlocks(
  disk: Disk,
  home: string,
  volume: VolumeState,
  height: number,
): Promise<void> {
  if (volume.kind !== "intact" || volume.record.hadBlocks || height < 1) return;
  await writeRecord(disk, home, { ...volume.record, hadBlocks: true });
}

/** ev-node makes a new block store where it finds none, and by that alone the volume would look intact again. */
async function noteLoss(disk: Disk, home: string, volume: VolumeState, owner: VolumeOwner): Promise<void> {
  if (!owner.single || volume.kind !== "damaged" || volume.record.lostBlocks) return;
  const { started, hadBlocks } = volume.record;
  if (started && hadBlocks && !volume.hasBlockData)
    await writeRecord(disk, home, { ...volume.record, lostBlocks: true });
}

async function readPodOrder(paths: AgentPaths): Promise<OrderReading> {
  const podAnnotations = await readPodAnnotations(paths.annotations);
  return readOrder(podAnnotations?.get(annotations.order));
}

/** A volume that was emptied tells no orders: those of its pod tell what was done here. */
function reportOf(volume: VolumeState, reading: OrderReading, executed: readonly string[]): VolumeReport {
  const record = volume.kind === "intact" || volume.kind === "damaged" ? volume.record : undefined;
  return {
    volume,
    executedOrder: record?.executedOrders.at(-1) ?? executed.at(-1),
    refusedOrder: reading.kind === "malformed" ? { message: reading.message } : undefined,
    postponed: undefined,
  };
}
