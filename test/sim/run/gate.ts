import type { KubeApi } from "../../../src/kube/api.ts";
import type { Clock } from "../../../src/runtime/clock.ts";

/**
 * What stands between a process and everything outside it. While the process is stopped nothing passes, and once it
 * was killed nothing ever does: its promises stay as they are, which is how a killed process leaves off.
 */
export class Gate {
  #state: "open" | "stopped" | "dead" = "open";
  #held: (() => void)[] = [];

  /** For how long the process stood still so far. */
  stoodMs = 0;

  get isDead(): boolean {
    return this.#state === "dead";
  }

  stop(): void {
    if (this.#state === "open") this.#state = "stopped";
  }

  resume(): void {
    if (this.#state !== "stopped") return;
    this.#state = "open";
    const held = this.#held;
    this.#held = [];
    for (const run of held) run();
  }

  kill(): void {
    this.#state = "dead";
    this.#held = [];
  }

  /** Runs it now, when the process goes on, or never. */
  pass(run: () => void): void {
    if (this.#state === "open") run();
    else if (this.#state === "stopped") this.#held.push(run);
  }

  /** What is asked for is asked by a living process, and answered to one. */
  async through<T>(ask: () => Promise<T>): Promise<T> {
    await this.#passed();
    try {
      return await ask();
    } finally {
      await this.#passed();
    }
  }

  #passed(): Promise<void> {
    return new Promise((resolve) => this.pass(resolve));
  }
}

export function gatedClock(clock: Clock, gate: Gate): Clock {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    after: (delayMs, run) => clock.after(delayMs, () => gate.pass(run)),
    sleep: (delayMs, signal) => gate.through(() => clock.sleep(delayMs, signal)),
  };
}

/** One that stands still with its process, as some clocks do when a machine is put to sleep. */
export function sleepingClock(clock: Clock, gate: Gate): Clock {
  return { ...gatedClock(clock, gate), monotonicMs: () => clock.monotonicMs() - gate.stoodMs };
}

/** A way to ask an agent, for its state or for a block. */
export const gatedAsk =
  <Asked extends readonly unknown[], Answer>(ask: (...asked: Asked) => Promise<Answer>, gate: Gate) =>
  (...asked: Asked): Promise<Answer> =>
    gate.through(() => ask(...asked));

export function gatedApi(api: KubeApi, gate: Gate): KubeApi {
  return {
    get: (kind, ref) => gate.through(() => api.get(kind, ref)),
    list: (kind, options) => gate.through(() => api.list(kind, options)),
    watch: async function* (kind, options) {
      await gate.through(async () => {});
      try {
        for await (const event of api.watch(kind, options)) {
          await gate.through(async () => {});
          yield event;
        }
      } finally {
        await gate.through(async () => {});
      }
    },
    create: (kind, object) => gate.through(() => api.create(kind, object)),
    replace: (kind, object) => gate.through(() => api.replace(kind, object)),
    replaceStatus: (kind, object) => gate.through(() => api.replaceStatus(kind, object)),
    patch: (kind, ref, patch, preconditions) =>
      gate.through(() => api.patch(kind, ref, patch, preconditions)),
    delete: (kind, ref, options) => gate.through(() => api.delete(kind, ref, options)),
    evict: (pod, options) => gate.through(() => api.evict(pod, options)),
  };
}
