import { setTimeout as sleep } from "node:timers/promises";

/** A machine that is this far behind does not catch up: nobody could follow what is shown then. */
const TOLERATED_MS = 500;

/** Lets each step of the simulated time take its share of the real time. */
export class Pace {
  readonly #speed: number;
  #startedAtMs = performance.now();

  constructor(speed: number) {
    this.#speed = speed;
  }

  /** Waits until this moment of the simulation is due. */
  async until(simulatedMs: number, signal: AbortSignal): Promise<void> {
    const dueInMs = this.#startedAtMs + simulatedMs / this.#speed - performance.now();
    if (dueInMs < -TOLERATED_MS) this.#startedAtMs -= dueInMs;
    if (dueInMs > 0) await sleep(dueInMs, undefined, { signal }).catch(() => {});
  }
}
