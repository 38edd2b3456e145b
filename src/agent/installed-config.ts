import { join } from "node:path";
import * as z from "zod";
import { parseJson } from "../evnode/parsed.ts";
import { type Disk, readIfPresent } from "./disk.ts";
import { install } from "./install.ts";

/**
 * The config that this pod installed last, kept beside ev-node's own files: in memory, so exactly as long as the pod.
 * An agent that starts anew goes on with it. The revision on the pod may be another one by then, which is refused or
 * needs a new pod, while ev-node runs on with this one.
 */
const FILE = "installed-config.json";

const schema = z.strictObject({
  revision: z.string().min(1),
  /** The member's evnode.yaml as the config Secret had it, whatever the mode. */
  text: z.string().min(1),
});

export type InstalledConfig = Readonly<z.infer<typeof schema>>;

/** Undefined before the first one, and for a file of another version of the agent: then the Secret is read again. */
export async function readInstalledConfig(configFolder: string): Promise<InstalledConfig | undefined> {
  const content = await readIfPresent(join(configFolder, FILE));
  if (content === undefined) return undefined;
  const reading = parseJson(schema, content.toString("utf8"), FILE);
  return reading.kind === "parsed" ? reading.value : undefined;
}

export async function keepInstalledConfig(
  disk: Disk,
  configFolder: string,
  { revision, text }: InstalledConfig,
): Promise<void> {
  await install(disk, configFolder, new Map([[FILE, JSON.stringify({ revision, text })]]));
}
