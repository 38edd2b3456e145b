import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Every step by which the agent changes a file system. Each one is whole or not done at all after a crash of the
 * process, and durable once the folder was synced.
 */
export interface Disk {
  /** Makes the folder, and its parents, unless it exists. */
  makeFolder(path: string): Promise<void>;
  /** Writes and syncs a file; one of this name, left by a crash, is replaced. */
  write(path: string, content: string | Uint8Array, mode: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Makes the names in a folder durable. */
  syncFolder(path: string): Promise<void>;
}

export const realDisk: Disk = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },

  async write(path, content, mode) {
    await rm(path, { force: true });
    const file = await open(path, "wx", mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
  },

  rename,

  async syncFolder(path) {
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
};

/** Puts content in the place of a file at once: a reader, or a crash, finds the old content or the new, never a part. */
export async function replaceFile(
  disk: Disk,
  path: string,
  content: string | Uint8Array,
  mode: number,
): Promise<void> {
  const folder = dirname(path);
  const fresh = join(folder, `.${basename(path)}.new`);
  await disk.write(fresh, content, mode);
  await disk.rename(fresh, path);
  await disk.syncFolder(folder);
}

/** The content of a file, or undefined when there is no such file. */
export async function readIfPresent(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

export function isAbsent(error: unknown): boolean {
  const code = errorCode(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
