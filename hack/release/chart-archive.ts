import { readdirSync, readFileSync } from "node:fs";
import { join, posix, relative, sep } from "node:path";
import { constants, gzipSync } from "node:zlib";
import { orderedEntries, type TarEntry, tarChunks } from "../tar.ts";

/** RFC 1952: the byte that names the file system that the archive was made on, and its value for "unknown". */
const OS_BYTE = 9;
const UNKNOWN_OS = 255;

/**
 * The chart as `helm package` packs it, but for what differs from run to run there: times, modes and owners. Equal
 * files give equal bytes.
 */
export async function chartArchive(chartFolder: string, chartName: string, licence: string): Promise<Buffer> {
  const files = readdirSync(chartFolder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const entries = files.map(({ parentPath, name }): TarEntry => {
    const file = join(parentPath, name);
    const path = posix.join(chartName, ...relative(chartFolder, file).split(sep));
    return { kind: "file", path, mode: 0o644, content: readFileSync(file) };
  });
  const own: TarEntry = { kind: "file", path: `${chartName}/LICENSE`, mode: 0o644, content: licence };
  // Helm's own archives have no entries for folders, and nobody misses them.
  const ordered = orderedEntries([...entries, own]).filter(({ kind }) => kind === "file");
  const archive = gzipSync(await joined(tarChunks(ordered)), { level: constants.Z_BEST_COMPRESSION });
  archive[OS_BYTE] = UNKNOWN_OS;
  return archive;
}

async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}
