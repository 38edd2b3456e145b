import { type Order, orderSchema } from "../model/agent-protocol.ts";
import type { VolumeState } from "./volume.ts";
import type { VolumeRecord } from "./volume-record.ts";
import { problemOfVoters, votersDigest } from "./voters.ts";

export type OrderReading =
  | { readonly kind: "none" }
  | { readonly kind: "malformed"; readonly message: string }
  | { readonly kind: "order"; readonly order: Order };

export type VotersOrder = Extract<Order, { kind: "bootstrap" | "rejoin" }>;

/** What an order means for this volume. */
export type OrderVerdict =
  | { readonly kind: "nothing" }
  | { readonly kind: "refuse"; readonly orderId: string; readonly message: string }
  /** `before` is what the volume's record said. */
  | {
      readonly kind: "writeRaftFolder";
      readonly order: VotersOrder;
      readonly hadBlocks: boolean;
      readonly before: VolumeRecord | undefined;
    }
  /** Nothing but the volume's record has to be written: what else the order asks for is there. */
  | { readonly kind: "record"; readonly order: Order; readonly record: VolumeRecord };

export interface OrderFacts {
  readonly member: string;
  readonly raftAddress: string;
  readonly epoch: number;
  /** The only member of its cluster: there is no Raft to join, and nobody to get blocks from. */
  readonly isSingle?: boolean;
  /** Orders that were executed by this pod, also those whose record went with a volume. */
  readonly executed: readonly string[];
}

export function readOrder(text: string | undefined): OrderReading {
  if (text === undefined || text === "") return { kind: "none" };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: "malformed", message: "the order is not valid JSON" };
  }
  const result = orderSchema.safeParse(json);
  if (result.success) return { kind: "order", order: result.data };
  const [issue] = result.error.issues;
  return {
    kind: "malformed",
    message: `the order cannot be read: ${issue?.path.join(".")}: ${issue?.message}`,
  };
}

/**
 * | volume            | bootstrap                     | start   | rejoin               |
 * | ----------------- | ----------------------------- | ------- | -------------------- |
 * | empty             | writes the raft folder        | refused | writes, starts       |
 * | foreign           | refused                       | refused | refused              |
 * | damaged           | refused                       | refused | writes anew, starts  |
 * | intact, new       | done already if voters equal  | starts  | refused              |
 * | intact, started   | refused                       | done    | refused, done if new; anew: writes anew |
 *
 * Of a single sequencer `bootstrap` writes the volume's record alone, and `rejoin` is always refused. For orders that
 * lead to another membership, and all on a volume that is on its way there, see `change-orders.ts`.
 */
export function judgeOrder(order: Order, volume: VolumeState, facts: OrderFacts): OrderVerdict {
  if (isExecuted(order, volume, facts)) return { kind: "nothing" };
  if (order.epoch !== facts.epoch) {
    return refuse(order, `it is for epoch ${order.epoch}, but this pod runs epoch ${facts.epoch}`);
  }
  if (volume.kind === "foreign") return refuse(order, volume.message);

  if (order.kind === "bootstrap") return judgeBootstrap(order, volume, facts);
  if (order.kind === "rejoin") return judgeRejoin(order, volume, facts);
  if (order.kind !== "start") return refuse(order, "the volume is on no way to another membership");
  if (volume.kind === "intact") return { kind: "record", order, record: { ...volume.record, started: true } };
  return refuse(order, volume.kind === "empty" ? "the volume is empty" : volume.message);
}

export function isExecuted(order: Order, volume: VolumeState, facts: OrderFacts): boolean {
  const recorded = volume.kind === "intact" || volume.kind === "damaged" ? volume.record.executedOrders : [];
  return recorded.includes(order.id) || facts.executed.includes(order.id);
}

/**
 * What is left of an order where ev-node is up. One to write an intact volume anew was given while ev-node could not
 * use it and the others could spare its votes. Kept until ev-node stops, it would take them at a moment of which nobody
 * knows how the others are; so it counts as done. One for blocks of a fork ends ev-node, unless that leads by now: then
 * the others follow these blocks.
 */
export function whereUp(verdict: OrderVerdict, volume: VolumeState, leads = false): OrderVerdict {
  if (verdict.kind !== "writeRaftFolder" || volume.kind !== "intact") return verdict;
  if (endsNode(verdict.order) && !leads) return verdict;
  return { kind: "record", order: verdict.order, record: volume.record };
}

type OwnVolume = Exclude<VolumeState, { kind: "foreign" }>;

function judgeBootstrap(order: VotersOrder, volume: OwnVolume, facts: OrderFacts): OrderVerdict {
  const problem = problemOfVoters(order.voters, facts);
  if (problem !== undefined) return refuse(order, problem);
  if (volume.kind === "empty") return { kind: "writeRaftFolder", order, hadBlocks: false, before: undefined };
  if (volume.kind === "damaged") {
    return refuse(order, `${volume.message}; only an order to rejoin rebuilds it`);
  }
  if (volume.record.started) return refuse(order, "the volume was bootstrapped and started before");
  // An operator that was stopped before it saw the first order done gives the same one under a new id.
  if (volume.record.votersDigest !== votersDigest(order.voters)) {
    return refuse(order, "the volume was bootstrapped with other voters");
  }
  return { kind: "record", order, record: volume.record };
}

function judgeRejoin(order: VotersOrder, volume: OwnVolume, facts: OrderFacts): OrderVerdict {
  if (facts.isSingle) return refuse(order, "a single sequencer has no others to be rebuilt from");
  const problem = problemOfVoters(order.voters, facts);
  if (problem !== undefined) return refuse(order, problem);
  const { record } = volume.kind === "empty" ? { record: undefined } : volume;
  if (record !== undefined && record.votersDigest !== votersDigest(order.voters)) {
    return refuse(order, "the volume was bootstrapped with other voters");
  }
  if (volume.kind === "intact") {
    // Cut off after the raft folder was written anew: all that is missing is the record.
    if (volume.isFresh && volume.record.started) return { kind: "record", order, record: volume.record };
    if (anewOf(order) === undefined || !volume.record.started) return refuse(order, "the volume is intact");
  }
  const isKept = anewOf(order) !== "all" && !record?.forked;
  const hasBlocks =
    isKept && (volume.kind === "intact" || (volume.kind === "damaged" && volume.hasBlockData));
  const hadBlocks = hasBlocks && record?.hadBlocks === true;
  return { kind: "writeRaftFolder", order, hadBlocks, before: record };
}

/** Whether ev-node is ended for it where it runs. */
export const endsNode = (order: Order): boolean => order.kind === "rejoin" && order.forked === true;

/** What is written anew though it looks intact. */
const anewOf = (order: VotersOrder) => (order.kind === "rejoin" ? order.anew : undefined);

export function refuse(order: Order, why: string): Extract<OrderVerdict, { kind: "refuse" }> {
  return {
    kind: "refuse",
    orderId: order.id,
    message: `order ${order.id} (${order.kind}) is refused: ${why}`,
  };
}
