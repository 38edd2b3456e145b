import type { PodRun } from "./pod-run.ts";

/**
 * The raft ports between members, some of which are out of each other's reach for a while. What else they say to each
 * other, blocks among it, goes on.
 */
export class Links {
  readonly #cutUntilMs = new Map<string, number>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  cut(one: PodRun, other: PodRun, forMs: number): void {
    this.#cutUntilMs.set(keyOf(one, other), this.#nowMs() + forMs);
  }

  heal(): void {
    this.#cutUntilMs.clear();
  }

  readonly isCut = (one: PodRun, other: PodRun): boolean => {
    if (this.#cutUntilMs.size === 0) return false;
    return (this.#cutUntilMs.get(keyOf(one, other)) ?? 0) > this.#nowMs();
  };
}

const keyOf = (...runs: PodRun[]) =>
  runs
    .map(({ namespace, name }) => `${namespace}/${name}`)
    .sort()
    .join(" ");
