import { join } from "node:path";
import * as z from "zod";
import { type Disk, readIfPresent, replaceFile } from "./disk.ts";

/**
 * What was done about the restart tokens of this pod, kept beside the ledger of its orders: in memory, so exactly as
 * long as the pod. An agent that starts anew must not restart ev-node a second time for the same token.
 */
const FILE = "restarts.json";

const schema = z.strictObject({
  /** Acted upon last, or there when the pod was made; absent when the pod was made without one. */
  token: z.string().optional(),
  /** A restart that was begun: it is over when none of these processes runs any more. */
  begun: z
    .strictObject({ token: z.string(), revision: z.string(), processes: z.array(z.string()) })
    .optional(),
});

export type RestartRecord = Readonly<z.infer<typeof schema>>;

/** Undefined in a pod whose annotations were never seen. */
export async function readRestartRecord(configFolder: string): Promise<RestartRecord | undefined> {
  const content = await readIfPresent(join(configFolder, FILE));
  return content === undefined ? undefined : schema.parse(JSON.parse(content.toString("utf8")));
}

export async function writeRestartRecord(
  disk: Disk,
  configFolder: string,
  record: RestartRecord,
): Promise<void> {
  await replaceFile(disk, join(configFolder, FILE), JSON.stringify(record), 0o600);
}
