import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Content that stands in memory, or a file that is streamed: a binary of 110 MB is never held as a whole. */
export type Content = string | Uint8Array | { readonly fromFile: string };

/** One entry of an archive. Parent directories that are not named are made with mode 0755. */
export type TarEntry =
  | {
      readonly kind: "file";
      readonly path: string;
      readonly mode: number;
      readonly content: Content;
      readonly uid?: number;
    }
  | { readonly kind: "directory"; readonly path: string; readonly mode: number; readonly uid?: number }
  | { readonly kind: "symlink"; readonly path: string; readonly target: string; readonly uid?: number };

const BLOCK = 512;
export const END_OF_TAR: Uint8Array = Buffer.alloc(2 * BLOCK);

/** Sorted by path, so that a directory stands before what it holds. */
export function orderedEntries(entries: readonly TarEntry[]): readonly TarEntry[] {
  const byPath = new Map<string, TarEntry>();
  for (const entry of entries) {
    const path = entry.path.replace(/^\/+|\/+$/g, "");
    if (path === "" || path.split("/").includes("..")) throw new Error(`path "${entry.path}" is not allowed`);
    if (byPath.has(path)) throw new Error(`path "${entry.path}" is given twice`);
    byPath.set(path, { ...entry, path });
  }
  for (const path of Array.from(byPath.keys())) {
    for (let parent = dirname(path); parent !== "."; parent = dirname(parent)) {
      if (!byPath.has(parent)) byPath.set(parent, { kind: "directory", path: parent, mode: 0o755 });
    }
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The archive, as `orderedEntries` has its entries: times are zero and names of users are absent. */
export async function* tarChunks(entries: readonly TarEntry[]): AsyncGenerator<Uint8Array> {
  for (const entry of entries) {
    const uid = entry.uid ?? 0;
    if (entry.kind === "directory") {
      yield tarHeader({ path: `${entry.path}/`, mode: entry.mode, size: 0, type: "5", uid });
    } else if (entry.kind === "symlink") {
      yield tarHeader({ path: entry.path, mode: 0o777, size: 0, type: "2", uid, target: entry.target });
    } else {
      yield* fileChunks(entry.path, entry.mode, uid, entry.content);
    }
  }
  yield END_OF_TAR;
}

async function* fileChunks(
  path: string,
  mode: number,
  uid: number,
  content: Content,
): AsyncGenerator<Uint8Array> {
  const fromFile = typeof content === "object" && "fromFile" in content ? content.fromFile : undefined;
  if (fromFile !== undefined) {
    const { size } = await stat(fromFile);
    yield tarHeader({ path, mode, size, type: "0", uid });
    yield* createReadStream(fromFile, { highWaterMark: 1 << 20 });
    yield padding(size);
    return;
  }
  const buffer = Buffer.from(content as string | Uint8Array<ArrayBuffer>);
  yield tarHeader({ path, mode, size: buffer.length, type: "0", uid });
  yield buffer;
  yield padding(buffer.length);
}

interface HeaderFields {
  readonly path: string;
  readonly mode: number;
  readonly size: number;
  readonly type: "0" | "2" | "5";
  readonly uid: number;
  readonly target?: string;
}

/** A ustar header. The checksum is the sum of all bytes with its own field read as spaces. */
export function tarHeader(fields: HeaderFields): Buffer {
  const block = Buffer.alloc(BLOCK);
  const { name, prefix } = splitPath(fields.path);
  const target = fields.target ?? "";
  if (Buffer.byteLength(target) > 100) throw new Error(`link target "${target}" is longer than 100 bytes`);
  block.write(name, 0, 100);
  block.write(octal(fields.mode, 8), 100);
  block.write(octal(fields.uid, 8), 108);
  block.write(octal(fields.uid, 8), 116);
  block.write(octal(fields.size, 12), 124);
  block.write(octal(0, 12), 136);
  block.write(" ".repeat(8), 148);
  block.write(fields.type, 156);
  block.write(target, 157, 100);
  block.write("ustar\u000000", 257);
  block.write(prefix, 345, 155);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function splitPath(path: string): { readonly name: string; readonly prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: "" };
  for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
    const [prefix, name] = [path.slice(0, slash), path.slice(slash + 1)];
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100 && name !== "")
      return { name, prefix };
  }
  throw new Error(`path "${path}" does not fit into a tar header`);
}

function octal(value: number, width: number): string {
  const digits = value.toString(8);
  if (digits.length > width - 1) throw new Error(`${value} does not fit into a tar header field`);
  return `${digits.padStart(width - 1, "0")}\0`;
}

export function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}
