import { join } from "node:path";
import * as z from "zod";
import { type Disk, readIfPresent, replaceFile } from "./disk.ts";

/**
 * As what ev-node is to run in this pod, and which of its processes may have read a config of the other kind. Kept
 * beside its config: in memory, so exactly as long as the pod, and also while the agent is away.
 */
const FILE = "run-kind.json";

const schema = z.strictObject({
  /** `alone`: a full node that reaches nobody. */
  kind: z.enum(["fullNode", "alone", "member"]),
  /** The processes that ran when the config of this kind was installed; absent until then. */
  before: z.array(z.string()).optional(),
});

export type RunKind = z.infer<typeof schema>["kind"];

/**
 * To be called before the first config of this kind is installed. Cut off in between, nothing is known of any process:
 * all that run are noted by `processesBefore`.
 */
export async function beginAs(disk: Disk, configFolder: string, kind: RunKind): Promise<void> {
  // Nothing but a member's own config was ever installed where there is no file.
  const found = (await read(configFolder))?.kind ?? "member";
  if (found !== kind) await write(disk, configFolder, { kind });
}

/**
 * Of the processes that run, those that may have read a config of the other kind. To be called while the one of this
 * kind is installed. A process reads it after it can be seen, so one that is not noted here has read this one.
 */
export async function processesBefore(
  disk: Disk,
  configFolder: string,
  kind: RunKind,
  running: readonly string[],
): Promise<readonly string[]> {
  const found = (await read(configFolder)) ?? { kind: "member", before: [] };
  if (found.kind !== kind) throw new Error(`ev-node is to run as ${found.kind}, not as ${kind}`);
  if (found.before !== undefined) return running.filter((process) => found.before?.includes(process));
  await write(disk, configFolder, { kind, before: [...running] });
  return running;
}

/** Whether each process of ev-node that runs, and the next one that starts, is a full node. */
export async function isHeld(configFolder: string, running: readonly string[]): Promise<boolean> {
  const { kind, before } = (await read(configFolder)) ?? {};
  return kind === "fullNode" && before !== undefined && !running.some((process) => before.includes(process));
}

async function read(configFolder: string) {
  const content = await readIfPresent(join(configFolder, FILE));
  return content === undefined ? undefined : schema.parse(JSON.parse(content.toString("utf8")));
}

async function write(disk: Disk, configFolder: string, record: z.infer<typeof schema>): Promise<void> {
  await replaceFile(disk, join(configFolder, FILE), JSON.stringify(record), 0o600);
}
