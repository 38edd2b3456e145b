import { stat } from "node:fs/promises";
import { join } from "node:path";
import { LOG_FILE } from "../evnode/raft-store.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Board } from "./board.ts";
import { isAbsent } from "./disk.ts";

/** Writes within one block belong together: they are counted once. */
const APART_MS = 400;

export interface RaftLogWatchDependencies {
  readonly raftFolder: string;
  readonly board: Board;
  readonly clock: Clock;
}

/**
 * Watches whether ev-node's Raft log is written to. A leader that could not reach a member for a while sends it
 * entries again only up to ten seconds later, while heartbeats go on and blocks come by P2P: the member knows the
 * leader, answers and is level, and its vote is worth nothing yet. That its log grows is the only sign of the contrary.
 */
export class RaftLogWatch {
  readonly #given: RaftLogWatchDependencies;
  #countedMs: number | undefined;

  constructor(given: RaftLogWatchDependencies) {
    this.#given = given;
  }

  /** To be called several times a second. */
  async look(): Promise<void> {
    const { raftFolder, board, clock } = this.#given;
    const modifiedMs = await modifiedAt(join(raftFolder, LOG_FILE));
    const nowMs = clock.monotonicMs();
    const { node, raftLog } = board.findings();
    if (node.kind === "closed" || modifiedMs === undefined) {
      if (raftLog !== undefined) board.update({ raftLog: undefined });
      return;
    }
    // What was written before ev-node knew a leader says nothing of the time after.
    const isFirst = raftLog === undefined;
    if (!isFirst && (modifiedMs === this.#countedMs || nowMs - raftLog.atMs < APART_MS)) return;
    this.#countedMs = modifiedMs;
    board.update({ raftLog: { writes: isFirst ? 0 : raftLog.writes + 1, atMs: nowMs } });
  }
}

async function modifiedAt(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
