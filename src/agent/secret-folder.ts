import { readdir, readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { isAbsent } from "./disk.ts";

/**
 * The files of a mounted Secret whose names pass, all of one version: kubelet swaps the link `..data` from one
 * version to the next, and files read through it one by one could come from two. Undefined when the Secret is not
 * mounted, or was swapped while it was read: look again.
 */
export async function readSecretFolder(
  path: string,
  wanted: (name: string) => boolean,
): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    const version = await realpath(join(path, "..data")).catch(() => path);
    const names = (await readdir(version)).filter(wanted).sort();
    const texts = await Promise.all(names.map((name) => readFile(join(version, name), "utf8")));
    return new Map(names.map((name, position) => [name, texts[position] ?? ""]));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
