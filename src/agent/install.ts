import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type Disk, isAbsent, readIfPresent, replaceFile } from "./disk.ts";

/** What ev-node reads when it starts. */
export const CONFIG_FILE = "evnode.yaml";

const MODE = 0o400;

/** Puts the files where ev-node reads them; a file that is there as it should be is left alone. */
export async function install(disk: Disk, folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  for (const [name, text] of files) {
    const path = join(folder, name);
    if (await isInstalled(path, text)) continue;
    await replaceFile(disk, path, text, MODE);
  }
}

/** The config alone. */
export const installConfig = (disk: Disk, folder: string, text: string): Promise<void> =>
  install(disk, folder, new Map([[CONFIG_FILE, text]]));

async function isInstalled(path: string, text: string): Promise<boolean> {
  const content = await readIfPresent(path);
  return content?.equals(Buffer.from(text, "utf8")) === true && (await modeOf(path)) === MODE;
}

async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode & 0o777;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
