import { join } from "node:path";
import * as z from "zod";
import { type Disk, readIfPresent, replaceFile } from "./disk.ts";

/**
 * The orders that this pod executed, kept beside ev-node's config: in memory, so exactly as long as the pod with its
 * order lives. The volume remembers them too, but a volume that is emptied under a pod would forget, and the order
 * that stands on the pod would bring the member up again as if it were new.
 */
const LEDGER = "executed-orders.json";
const MAX_ORDERS_KEPT = 64;

const ledgerSchema = z.array(z.string());

export async function readLedger(configFolder: string): Promise<readonly string[]> {
  const content = await readIfPresent(join(configFolder, LEDGER));
  return content === undefined ? [] : ledgerSchema.parse(JSON.parse(content.toString("utf8")));
}

export async function addToLedger(disk: Disk, configFolder: string, orderId: string): Promise<void> {
  const before = await readLedger(configFolder);
  if (before.includes(orderId)) return;
  const text = JSON.stringify([...before, orderId].slice(-MAX_ORDERS_KEPT));
  await replaceFile(disk, join(configFolder, LEDGER), text, 0o600);
}
