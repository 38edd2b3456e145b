import type { Clock } from "../runtime/clock.ts";
import type { Board } from "./board.ts";

/** What the kernel counted for ev-node's container since it was made. */
interface Counted {
  readonly periods: number;
  readonly throttled: number;
}

interface Sample extends Counted {
  readonly atMs: number;
}

/** How far back the share reaches. */
const WINDOW_MS = 60_000;

export interface CpuWatchDependencies {
  /** The text of `cpu.stat` of ev-node's control group; undefined where it cannot be seen. */
  readonly readCpuStat: () => Promise<string | undefined>;
  readonly board: Board;
  readonly clock: Clock;
}

/**
 * How often ev-node was held back by the CPU limit of its container, of the periods of the last minute. A leader that
 * is held back for the time of its lease loses the lead.
 */
export class CpuWatch {
  readonly #given: CpuWatchDependencies;
  #samples: readonly Sample[] = [];

  constructor(given: CpuWatchDependencies) {
    this.#given = given;
  }

  /** To be called every few seconds. */
  async look(): Promise<void> {
    const { readCpuStat, board, clock } = this.#given;
    const counted = parseCpuStat((await readCpuStat()) ?? "");
    const nowMs = clock.monotonicMs();
    const last = this.#samples.at(-1);
    // Another container begins to count anew.
    const isNew = counted !== undefined && last !== undefined && counted.periods < last.periods;
    const kept = counted === undefined || isNew ? [] : this.#samples;
    const young = kept.filter(({ atMs }) => nowMs - atMs <= WINDOW_MS);
    this.#samples = counted === undefined ? [] : [...young, { ...counted, atMs: nowMs }];
    const share = shareOf(this.#samples);
    if (share !== board.findings().throttledShare) board.update({ throttledShare: share });
  }
}

/** Undefined while there is nothing to compare, and where the container has no limit. */
function shareOf(samples: readonly Sample[]): number | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  const periods = (last?.periods ?? 0) - (first?.periods ?? 0);
  if (first === undefined || last === undefined || periods <= 0) return undefined;
  return Math.round(((last.throttled - first.throttled) / periods) * 100) / 100;
}

/** Version 1 and 2 of control groups write these two lines alike. */
export function parseCpuStat(text: string): Counted | undefined {
  const [periods, throttled] = ["nr_periods", "nr_throttled"].map((key) => {
    const [, digits] = new RegExp(`^${key} (\\d+)$`, "m").exec(text) ?? [];
    return digits === undefined ? undefined : Number(digits);
  });
  return periods === undefined || throttled === undefined ? undefined : { periods, throttled };
}
