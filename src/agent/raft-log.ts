import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Bytes } from "../evnode/bolt-reader.ts";
import { blockHeight, cutAboveBlock, lastLoggedBlock } from "../evnode/raft-blocks.ts";
import { LOG_FILE } from "../evnode/raft-store.ts";
import { isAbsent } from "./disk.ts";
import { namesIn } from "./raft-folder.ts";

/** A message begins with the height, which takes at most this much. */
const HEIGHT_BYTES = 16;

/**
 * The highest block that a raft folder has, in its log or its newest snapshot; 0 when it has none. Only for a folder
 * that no process has open.
 */
export async function loggedHeight(raftFolder: string): Promise<number> {
  const inLog = withLog(raftFolder, "r", (log) => lastLoggedBlock(log));
  const inSnapshot = await snapshotHeight(join(raftFolder, "snapshots"));
  return Math.max(inLog?.kind === "block" ? inLog.height : 0, inSnapshot);
}

/**
 * Ends a raft log before its first block above `height`, and makes that durable step by step. What is left is a
 * beginning of what there was, also when the process is stopped in between.
 */
export function dropAbove(raftFolder: string, height: number): void {
  withLog(raftFolder, "r+", (log, file) => {
    for (const { start, bytes } of cutAboveBlock(log, height) ?? []) {
      writeSync(file, bytes, 0, bytes.length, start);
      fsyncSync(file);
    }
  });
}

function withLog<T>(
  raftFolder: string,
  flags: "r" | "r+",
  use: (log: Bytes, file: number) => T,
): T | undefined {
  let file: number;
  try {
    file = openSync(join(raftFolder, LOG_FILE), flags);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
  try {
    return use(bytesOf(file), file);
  } finally {
    closeSync(file);
  }
}

function bytesOf(file: number): Bytes {
  return {
    length: fstatSync(file).size,
    read(start, length) {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(file, bytes, 0, length, start));
    },
  };
}

/** Snapshots are named `<term>-<index>-<time>`; one that is still being written ends in `.tmp`. */
async function snapshotHeight(folder: string): Promise<number> {
  const names = ((await namesIn(folder)) ?? []).filter((name) => /^\d+-\d+-\d+$/.test(name));
  const newest = names.toSorted((one, other) => indexOf(other) - indexOf(one))[0];
  if (newest === undefined) return 0;
  const file = await open(join(folder, newest, "state.bin"), "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEIGHT_BYTES), 0, HEIGHT_BYTES, 0);
    // An empty message is the state before the first block.
    return bytesRead === 0 ? 0 : blockHeight(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

const indexOf = (name: string) => Number(name.split("-")[1]);
