import { renderAlone } from "../evnode/config.ts";
import type { BlockAnswer } from "../model/agent-protocol.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Board } from "./board.ts";
import type { MemberTexts } from "./check-config.ts";
import type { Disk } from "./disk.ts";
import { heightOf } from "./findings.ts";
import type { Log } from "./log.ts";
import type { VolumeState } from "./volume.ts";
import { unprovenCopy, type VolumeRecord, writeRecord } from "./volume-record.ts";

/** ev-node may still execute blocks that came with the copy and were not, right after its start. */
const STILL_MS = 5_000;

/** The config of ev-node while its volume is on its way to another membership; alone on a copy that nobody has proven. */
export const heldText = ({ level }: Pick<MemberTexts, "level">, isAlone: boolean): string =>
  isAlone ? renderAlone(level) : level;

export interface CopiedBlocksDependencies {
  readonly home: string;
  readonly disk: Disk;
  readonly board: Board;
  readonly clock: Clock;
  readonly log: Log;
  readonly blockAt: (height: number) => Promise<BlockAnswer>;
}

/**
 * Reads the last block that came with a copy of another node's data. ev-node takes the first block after its start that
 * does not follow from the one before, and goes on. So a copy of a fork would look like the chain as soon as it had
 * blocks of others on top: what it held by itself is read while ev-node runs alone.
 */
export class CopiedBlocks {
  readonly #given: CopiedBlocksDependencies;
  #height: number | undefined;
  #sinceMs = 0;

  constructor(given: CopiedBlocksDependencies) {
    this.#given = given;
  }

  /** To be called with each look at the volume. True while there is a copy to be read, or to be proven by others. */
  async tend(volume: VolumeState): Promise<boolean> {
    const record = volume.kind === "intact" ? volume.record : undefined;
    const copy = record && unprovenCopy(record);
    if (copy?.head === undefined && record?.change?.kind === "joining" && copy) await this.#read(record);
    return copy !== undefined;
  }

  async #read(record: VolumeRecord): Promise<void> {
    const { disk, home, log, clock } = this.#given;
    const height = this.#heightNow();
    const nowMs = clock.monotonicMs();
    if (height !== this.#height) this.#sinceMs = nowMs;
    this.#height = height;
    if (height === undefined || nowMs - this.#sinceMs < STILL_MS) return;
    const hash = height === 0 ? "" : await this.#hashAt(height);
    if (hash === undefined || this.#heightNow() !== height) return;
    const head = { height, hash };
    log.info({ ...head }, "the volume came from a copy of another node's data");
    await writeRecord(disk, home, { ...record, change: { kind: "joining", copy: { head } } });
  }

  /** Of a process that runs alone, and of no other. */
  #heightNow(): number | undefined {
    const { board, clock } = this.#given;
    const { isSettled, node } = board.findings();
    return isSettled ? heightOf(node, clock.monotonicMs()) : undefined;
  }

  async #hashAt(height: number): Promise<string | undefined> {
    const block = await this.#given.blockAt(height);
    return block.kind === "held" ? block.hash : undefined;
  }
}
