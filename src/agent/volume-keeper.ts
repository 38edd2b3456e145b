import type { AgentAnswer } from "../model/agent-protocol.ts";
import { annotations } from "../model/annotations.ts";
import type { Disk } from "./disk.ts";
import { executeOrder } from "./execute-order.ts";
import type { MemberFacts } from "./member-facts.ts";
import { judgeOrder, type OrderReading, readOrder, whereUp } from "./orders.ts";
import { readPodAnnotations } from "./pod-annotations.ts";
import { addToLedger, readLedger } from "./pod-ledger.ts";
import type { AgentPaths } from "./settings.ts";
import { judgeVolume, lookAtVolume, type VolumeOwner, type VolumeState } from "./volume.ts";
import { writeRecord } from "./volume-record.ts";

/** What a look at the volume and at the pod's order came to. */
export interface VolumeReport {
  readonly volume: VolumeState;
  readonly executedOrder: string | undefined;
  readonly refusedOrder: AgentAnswer["refusedOrder"];
  /** Why an order that could be executed waits. */
  readonly postponed: string | undefined;
}

export interface VolumeKeeperDependencies {
  readonly disk: Disk;
  readonly paths: AgentPaths;
  readonly owner: VolumeOwner;
  readonly facts: MemberFacts;
  readonly nodeLife: NodeLife;
}

/** Asked only before a raft folder is written. */
export interface NodeLife {
  /** Whether there is a process of ev-node, however far it has come. */
  readonly runs: () => Promise<boolean>;
  /** Whether it could use what is on the volume. */
  readonly isUp: () => Promise<boolean>;
}

/** Looks at the volume and does what the pod's order asks for, if it was not done before. */
export async function tendVolume(dependencies: VolumeKeeperDependencies): Promise<VolumeReport> {
  const { disk, paths, owner, facts, nodeLife } = dependencies;
  const look = await lookAtVolume(paths.home, owner.epoch, facts.dbPath);
  const volume = judgeVolume(look, owner);
  await noteLoss(disk, paths.home, volume, owner);
  const reading = await readPodOrder(paths);
  const executed = await readLedger(paths.config);
  const report = (state: VolumeState) => reportOf(state, reading, executed);
  if (reading.kind !== "order") return report(volume);

  const { order } = reading;
  const { member, epoch } = owner;
  const judged = judgeOrder(order, volume, {
    member,
    epoch,
    raftAddress: facts.raftAddress,
    isSingle: facts.isSingle,
    executed,
  });
  const isWrite = judged.kind === "writeRaftFolder";
  const verdict = isWrite && (await nodeLife.isUp()) ? whereUp(judged, volume) : judged;
  if (verdict.kind === "refuse") {
    return { ...report(volume), refusedOrder: { id: order.id, message: verdict.message } };
  }
  // A process goes on with files that were taken from under it, and would come back to others.
  if (verdict.kind === "writeRaftFolder" && (await nodeLife.runs())) {
    return {
      ...report(volume),
      postponed: `order ${order.id} (${order.kind}) waits until ev-node stops`,
    };
  }
  if (verdict.kind !== "nothing")
    await executeOrder(disk, { home: paths.home, dbPath: facts.dbPath }, owner, verdict);
  // Also when the work was done before: it may have been cut off after the volume's record was written.
  await addToLedger(disk, paths.config, order.id);
  if (verdict.kind === "nothing") return report(volume);
  // Judged anew from the disk: what was done counts only as far as it can be seen.
  const now = judgeVolume(await lookAtVolume(paths.home, owner.epoch, facts.dbPath), owner);
  return reportOf(now, reading, [...executed, order.id]);
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
