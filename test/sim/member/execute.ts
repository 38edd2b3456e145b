import type { ChangeVerdict } from "../../../src/agent/change-orders.ts";
import type { OrderVerdict } from "../../../src/agent/orders.ts";
import type { VolumeOwner } from "../../../src/agent/volume.ts";
import { type VolumeRecord, withOrder } from "../../../src/agent/volume-record.ts";
import { votersDigest } from "../../../src/agent/voters.ts";
import type { Voter } from "../../../src/model/agent-protocol.ts";
import type { RaftState, Volume } from "./volume.ts";

type Executable = Extract<
  OrderVerdict | ChangeVerdict,
  { kind: "writeRaftFolder" | "join" | "prepare" | "record" }
>;

const freshRaft = (voters: readonly Voter[], isSingle: boolean): RaftState => ({
  voters,
  term: 1,
  log: undefined,
  isSingle,
});

/** Does on a volume what the real agent does on its disk. */
export function executeOn(volume: Volume, owner: VolumeOwner, verdict: Executable): void {
  const { order } = verdict;
  if (verdict.kind === "writeRaftFolder") {
    volume.rafts.set(owner.epoch, freshRaft(verdict.order.voters, owner.single !== undefined));
    // Here the blocks are one with the log, and went with it.
    if (!verdict.hadBlocks) {
      volume.stored = undefined;
      volume.forkedFrom = undefined;
    }
  }
  if (verdict.kind === "prepare") {
    const { voters } = verdict.order;
    volume.rafts.set(order.epoch, freshRaft(voters, voters.length === 1));
  }
  const record = "record" in verdict ? verdict.record : newRecord(owner, verdict);
  volume.record = withOrder(record, order.id);
}

function newRecord(
  { clusterId, member, chainId }: VolumeOwner,
  verdict: Extract<Executable, { kind: "writeRaftFolder" | "join" }>,
): VolumeRecord {
  const { order } = verdict;
  return {
    version: 1,
    clusterId,
    member,
    chainId,
    epoch: order.epoch,
    votersDigest: votersDigest(order.voters),
    bootstrapped: true,
    started: order.kind === "rejoin",
    hadBlocks: verdict.kind === "join" && verdict.hadBlocks,
    executedOrders: verdict.before?.executedOrders ?? [],
    ...(verdict.kind === "join" ? { change: { kind: "joining" } } : {}),
  };
}
