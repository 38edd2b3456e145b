import { join } from "node:path";
import * as z from "zod";
import { type Disk, readIfPresent, replaceFile } from "./disk.ts";

/** The agent's own folder on the member's volume. */
export const OWN_FOLDER = ".evnode-operator";

/** An order is on the pod until the next one; more than a few executed ones never matter. */
const MAX_ORDERS_KEPT = 16;

/** What the next epoch begins with on this volume: its membership, which is one member alone or has a Raft folder. */
const prepared = z.strictObject({ votersDigest: z.string(), isSingle: z.boolean() });

/** The last block that came with a copy of another node's data, and whether the chain that is followed has it. */
const copy = z.strictObject({
  head: z.strictObject({ height: z.int().min(0), hash: z.string() }).optional(),
  proven: z.literal(true).optional(),
});

const change = z.discriminatedUnion("kind", [
  /** Of a member of the epoch that the record names, which ends. */
  z.strictObject({ kind: z.literal("frozen"), to: z.int(), prepared: prepared.optional() }),
  /** Of no member yet: the epoch that the record names is the one to come. */
  z.strictObject({ kind: z.literal("joining"), prepared: prepared.optional(), copy: copy.optional() }),
]);

const recordSchema = z.strictObject({
  version: z.literal(1),
  clusterId: z.string(),
  member: z.string(),
  chainId: z.string(),
  epoch: z.int(),
  votersDigest: z.string(),
  bootstrapped: z.literal(true),
  /** Written before ev-node may run for the first time. */
  started: z.boolean(),
  /** Whether ev-node was seen with a block: from then on missing block data is a loss. */
  hadBlocks: z.boolean(),
  /** Written once the blocks of a single sequencer were seen to be gone, and never taken back. */
  lostBlocks: z.literal(true).optional(),
  /** Its blocks are of a fork: they are set aside before ev-node runs again. */
  forked: z.literal(true).optional(),
  /**
   * What ev-node held when the epoch began here; absent in the first one. Its Raft log begins empty, and would be no
   * worse for a member that lost blocks since.
   */
  beganAt: z.int().min(0).optional(),
  executedOrders: z.array(z.string()).max(MAX_ORDERS_KEPT),
  /**
   * On the way to another membership: ev-node may run as a full node and in no other way. An agent that does not know
   * of it cannot read the record, and lets ev-node not run at all.
   */
  change: change.optional(),
});

/** Whose volume this is and what was done with it: what makes a known volume known. */
export type VolumeRecord = Readonly<z.infer<typeof recordSchema>>;

/** The epoch that a volume is on its way to; undefined when it is on none. */
export function epochAhead({ epoch, change }: VolumeRecord): number | undefined {
  if (change === undefined) return undefined;
  return change.kind === "frozen" ? change.to : epoch;
}

/** Of a volume with a copy that nobody has proven yet; undefined of any other. */
export function unprovenCopy({ change }: VolumeRecord) {
  const copy = change?.kind === "joining" ? change.copy : undefined;
  return copy?.proven ? undefined : copy;
}

/** Whether ev-node may run with a config of this epoch. As a full node it does not matter of which of the two it is. */
export const fitsEpoch = (record: VolumeRecord, epoch: number): boolean =>
  record.epoch === epoch || epochAhead(record) === epoch;

export type RecordReading =
  | { readonly kind: "absent" }
  | { readonly kind: "unreadable"; readonly problem: string }
  | { readonly kind: "present"; readonly record: VolumeRecord };

export async function readRecord(home: string): Promise<RecordReading> {
  const content = await readIfPresent(recordPath(home));
  return content === undefined ? { kind: "absent" } : parseRecord(content.toString("utf8"));
}

function parseRecord(text: string): RecordReading {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: "unreadable", problem: "it is not valid JSON" };
  }
  const result = recordSchema.safeParse(json);
  if (result.success) return { kind: "present", record: result.data };

  const [issue] = result.error.issues;
  return { kind: "unreadable", problem: `${issue?.path.join(".")}: ${issue?.message}` };
}

export async function writeRecord(disk: Disk, home: string, record: VolumeRecord): Promise<void> {
  await disk.makeFolder(join(home, OWN_FOLDER));
  await disk.syncFolder(home);
  await replaceFile(disk, recordPath(home), `${JSON.stringify(record, null, 2)}\n`, 0o600);
}

export function withOrder(record: VolumeRecord, orderId: string): VolumeRecord {
  const others = record.executedOrders.filter((id) => id !== orderId);
  return { ...record, executedOrders: [...others, orderId].slice(-MAX_ORDERS_KEPT) };
}

function recordPath(home: string): string {
  return join(home, OWN_FOLDER, "volume.json");
}
