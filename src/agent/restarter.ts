import type { Clock } from "../runtime/clock.ts";

/** A process that was asked to end gets this long before it is asked again. */
const SIGNAL_EVERY_MS = 15_000;

/** Ends the process of ev-node, and leaves it the time to hand over. */
export class Restarter {
  readonly #clock: Clock;
  /** Asks ev-node to end; true when there was a process. */
  readonly #stopNode: () => Promise<boolean>;
  #signalledAtMs: number | undefined;

  constructor(clock: Clock, stopNode: () => Promise<boolean>) {
    this.#clock = clock;
    this.#stopNode = stopNode;
  }

  /** A process that was asked to end a moment ago is not asked again, whoever asked. */
  async restart(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#signalledAtMs !== undefined && nowMs - this.#signalledAtMs < SIGNAL_EVERY_MS) return;
    if (await this.#stopNode()) this.#signalledAtMs = nowMs;
  }

  /** What was asked for before was for another reason: the next time it is asked at once. */
  forget(): void {
    this.#signalledAtMs = undefined;
  }
}
