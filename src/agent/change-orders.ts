import type { Order, Voter } from "../model/agent-protocol.ts";
import type { MemberFacts } from "./member-facts.ts";
import { isExecuted, type OrderFacts, type OrderVerdict, refuse, type VotersOrder } from "./orders.ts";
import type { VolumeState } from "./volume.ts";
import { epochAhead, unprovenCopy, type VolumeRecord } from "./volume-record.ts";
import { problemOfVoters, votersDigest } from "./voters.ts";

export interface ChangeFacts extends OrderFacts {
  /** Of the config revision that the pod names, where it can be used: it may be of the epoch to come. */
  readonly named: Pick<MemberFacts, "epoch" | "isSingle" | "raftAddress"> | undefined;
  /** Whether ev-node is a full node, and can be nothing else when it starts again. */
  readonly isHeld: boolean;
  /** Of ev-node's blocks; undefined while it does not answer. */
  readonly height: number | undefined;
}

export type ChangeVerdict =
  | Exclude<OrderVerdict, { kind: "writeRaftFolder" }>
  /** The volume becomes that of a member to come. `before` is the record of an earlier epoch. */
  | {
      readonly kind: "join";
      readonly order: JoinOrder;
      readonly hadBlocks: boolean;
      readonly before: VolumeRecord | undefined;
      /** Its blocks came with a copy of another node's data. */
      readonly isCopy?: true;
    }
  /** Writes what the epoch of the order begins with, beside that of the epoch that ends. */
  | { readonly kind: "prepare"; readonly order: VotersOrder; readonly record: VolumeRecord }
  /** It can be executed later. */
  | { readonly kind: "postpone"; readonly message: string };

type IntactVolume = Extract<VolumeState, { kind: "intact" }>;
type OrderOf<Kind extends Order["kind"]> = Extract<Order, { kind: Kind }>;
type JoinOrder = OrderOf<"join">;

/** Whether an order is for another membership, or its volume on the way there. */
export const isOfChange = (order: Order, volume: VolumeState): boolean =>
  order.kind === "join" ||
  order.kind === "freeze" ||
  order.kind === "thaw" ||
  (volume.kind === "intact" && volume.record.change !== undefined);

/**
 * What an order means for the way to another membership. Epoch n ends, epoch m comes.
 *
 * | volume            | join m                     | freeze n to m | thaw n to m  | bootstrap m     | start m |
 * | ----------------- | -------------------------- | ------------- | ------------ | --------------- | ------- |
 * | empty             | joins                      | refused       | refused      | as ever         | refused |
 * | of an earlier epoch | joins, with its blocks   | refused       | refused      | refused         | refused |
 * | a copy's blocks   | joins, if the order says so | refused      | refused      | refused         | refused |
 * | foreign, damaged  | refused                    | refused       | refused      | refused         | refused |
 * | intact, new       | refused                    | refused       | done         | as ever         | as ever |
 * | intact, started   | refused                    | freezes       | done         | as ever         | as ever |
 * | frozen to m       | refused; joins for a later epoch | done    | thaws        | prepares        | goes over |
 * | joining, its copy not proven | proven, if the order has its last block | refused | refused | refused | refused |
 * | joining for m     | done; joins for a later epoch | refused    | refused      | prepares        | goes over |
 *
 * Each of them is one record that is written whole, and `prepares` writes a folder before, which nothing uses without
 * the record. `goes over` is the point of no return: never before the volume is prepared, the config of the epoch is
 * there, and every process of ev-node is a full node. One of the old epoch could go on otherwise, beside the new one.
 */
export function judgeChange(order: Order, volume: VolumeState, facts: ChangeFacts): ChangeVerdict {
  if (isExecuted(order, volume, facts)) return { kind: "nothing" };
  if (order.kind === "join") return judgeJoin(order, volume, facts);
  if (volume.kind === "empty") return refuse(order, "the volume is empty");
  if (volume.kind !== "intact") return refuse(order, volume.message);
  if (unprovenCopy(volume.record)) return refuse(order, NOT_PROVEN);
  switch (order.kind) {
    case "freeze":
      return judgeFreeze(order, volume.record);
    case "thaw":
      return judgeThaw(order, volume.record);
    case "bootstrap":
      return judgePreparation(order, volume.record, facts);
    case "start":
      return judgeStart(order, volume, facts);
    case "rejoin":
      return refuse(order, `the volume is on its way to epoch ${epochAhead(volume.record)}`);
  }
}

function judgeJoin(order: JoinOrder, volume: VolumeState, { member, named }: ChangeFacts): ChangeVerdict {
  if (named?.epoch !== order.epoch) return postpone(order, `the config of epoch ${order.epoch} is there`);
  const problem = problemOfVoters(order.voters, { member, raftAddress: named.raftAddress });
  if (problem !== undefined) return refuse(order, problem);
  if (volume.kind === "empty") return { kind: "join", order, hadBlocks: false, before: undefined };
  if (volume.kind === "damaged") return refuse(order, volume.message);
  if (volume.kind === "foreign") {
    const { earlier, isCopy } = volume;
    if (isCopy && order.copy) return { kind: "join", order, hadBlocks: true, before: undefined, isCopy };
    if (earlier === undefined) return refuse(order, volume.message);
    if (earlier.record.lostBlocks) return refuse(order, "the block data was missing");
    return joins(order, earlier.record, earlier.hasBlockData);
  }

  const { record } = volume;
  if (record.change === undefined)
    return refuse(order, `the volume is that of a member of epoch ${record.epoch}`);
  if (unprovenCopy(record) && order.epoch !== record.epoch) return refuse(order, NOT_PROVEN);
  if (order.epoch > (epochAhead(record) ?? record.epoch)) return joins(order, record, true);
  if (record.change.kind === "frozen" || order.epoch < record.epoch)
    return refuse(order, `the volume is on its way from epoch ${record.epoch} to ${epochAhead(record)}`);
  if (record.votersDigest !== votersDigest(order.voters)) return refuse(order, "it joins other voters");
  const { copy } = record.change;
  if (!copy || !order.copy?.proven) return { kind: "record", order, record };
  const { height, hash } = order.copy.proven;
  if (copy.head?.height !== height || copy.head.hash !== hash)
    return refuse(order, `block ${height} with hash ${hash} is not the last one of the copy on the volume`);
  return {
    kind: "record",
    order,
    record: { ...record, change: { ...record.change, copy: { ...copy, proven: true } } },
  };
}

const NOT_PROVEN = "its blocks came with a copy, and nobody has proven yet that they are of this chain";

function joins(order: JoinOrder, before: VolumeRecord, hasBlockData: boolean): ChangeVerdict {
  return { kind: "join", order, hadBlocks: before.hadBlocks && hasBlockData, before };
}

function judgeFreeze(order: OrderOf<"freeze">, record: VolumeRecord): ChangeVerdict {
  const { epoch, started, change } = record;
  if (change?.kind === "joining") return refuse(order, `the volume joins for epoch ${epoch}`);
  if (order.epoch !== epoch) return refuse(order, otherEpoch(order, epoch));
  if (order.to <= epoch) return refuse(order, `epoch ${order.to} does not come after ${epoch}`);
  if (!started) return refuse(order, "the volume has never been started");
  if (change === undefined)
    return { kind: "record", order, record: { ...record, change: frozenTo(order.to) } };
  if (change.to !== order.to)
    return refuse(order, `it is frozen for epoch ${change.to}, and has to thaw first`);
  return { kind: "record", order, record };
}

const frozenTo = (to: number) => ({ kind: "frozen", to }) as const;

function judgeThaw(order: OrderOf<"thaw">, record: VolumeRecord): ChangeVerdict {
  const { change, ...thawed } = record;
  if (change?.kind === "joining") return refuse(order, `the volume joins for epoch ${record.epoch}`);
  if (order.epoch !== record.epoch) return refuse(order, otherEpoch(order, record.epoch));
  if (change !== undefined && change.to !== order.to)
    return refuse(order, `it is frozen for epoch ${change.to}, not for ${order.to}`);
  return { kind: "record", order, record: thawed };
}

function judgePreparation(
  order: OrderOf<"bootstrap">,
  record: VolumeRecord,
  { member, raftAddress }: ChangeFacts,
): ChangeVerdict {
  const { change } = record;
  const ahead = epochAhead(record);
  if (change === undefined || order.epoch !== ahead) return refuse(order, otherEpoch(order, ahead));
  const problem = problemOfVoters(order.voters, { member, raftAddress });
  if (problem !== undefined) return refuse(order, problem);
  const prepared = preparedFor(order.voters);
  const agreed =
    change.prepared?.votersDigest ?? (change.kind === "joining" ? record.votersDigest : undefined);
  if (agreed !== undefined && agreed !== prepared.votersDigest)
    return refuse(order, `epoch ${ahead} was prepared for other voters`);
  return { kind: "prepare", order, record: { ...record, change: { ...change, prepared } } };
}

const preparedFor = (voters: readonly Voter[]) => ({
  votersDigest: votersDigest(voters),
  isSingle: voters.length === 1,
});

function judgeStart(
  order: OrderOf<"start">,
  { record, isPrepared }: IntactVolume,
  { named, isHeld, height }: ChangeFacts,
): ChangeVerdict {
  const { change, ...rest } = record;
  const ahead = epochAhead(record);
  if (order.epoch !== ahead) return refuse(order, otherEpoch(order, ahead));
  if (change?.prepared === undefined || !isPrepared)
    return refuse(order, `the volume is not prepared for epoch ${ahead}`);
  if (named?.epoch !== ahead) return postpone(order, `the config of epoch ${ahead} is there`);
  const { votersDigest: digest, isSingle } = change.prepared;
  if (named.isSingle !== isSingle)
    return refuse(
      order,
      `it was prepared ${inRaft(isSingle)}, but the config runs it ${inRaft(named.isSingle)}`,
    );
  if (!isHeld || height === undefined)
    return postpone(order, "ev-node runs as a full node, and tells its height");
  const begun = { epoch: ahead, started: true, votersDigest: digest, beganAt: height };
  return { kind: "record", order, record: { ...rest, ...begun } };
}

const inRaft = (isSingle: boolean) => (isSingle ? "without Raft" : "in Raft");

const otherEpoch = (order: Order, epoch: number | undefined) =>
  `it is for epoch ${order.epoch}, but the volume is of epoch ${epoch}`;

function postpone(order: Order, until: string): ChangeVerdict {
  return { kind: "postpone", message: `order ${order.id} (${order.kind}) waits until ${until}` };
}
