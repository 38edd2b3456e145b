import { Owner } from "../sim/run/owner.ts";
import type { SimulatedOperator } from "../sim/run/simulated-operator.ts";
import { undisturbedOperator } from "../sim/run/undisturbed-operator.ts";
import { Universe } from "../sim/run/universe.ts";
import { MAIN } from "../sim/run/wanted.ts";
import { readExposition } from "./exposition.ts";

const STEP_MS = 250;
export const INTERVAL_S = 30;

/** A series as promtool's tests take it: one value for each interval. */
export interface InputSeries {
  readonly series: string;
  readonly values: string;
}

/**
 * The operator with one cluster in the simulated world, scraped as Prometheus does it. What a scrape does not have any
 * more is stale from then on, as it is there.
 */
export class RecordedRun {
  readonly universe = new Universe(1);
  readonly #owner = new Owner(this.universe);
  readonly #operator: SimulatedOperator;
  readonly #values = new Map<string, string[]>();
  #scrapes = 0;

  constructor() {
    const { universe } = this;
    this.#operator = undisturbedOperator(universe);
    this.#owner.apply(MAIN);
    this.#operator.tend();
  }

  /** When it was scraped last; the first time was at 0. */
  get seconds(): number {
    return (this.#scrapes - 1) * INTERVAL_S;
  }

  async pass(minutes: number): Promise<void> {
    for (let interval = 0; interval < (minutes * 60) / INTERVAL_S; interval++) {
      for (let passedMs = 0; passedMs < INTERVAL_S * 1_000; passedMs += STEP_MS) {
        this.universe.tend();
        await this.universe.clock.advance(STEP_MS);
      }
      await this.#scrape();
    }
  }

  /** Nobody reaches anybody on the Raft port for a while. */
  cutRaft(minutes: number): void {
    const runs = [...this.universe.runs.values()].filter(({ endAtMs }) => endAtMs === undefined);
    for (const one of runs)
      for (const other of runs) if (one !== other) this.universe.links.cut(one, other, minutes * 60_000);
  }

  killLeader(): void {
    const { runs, kubelet } = this.universe;
    const leader = [...runs.values()].find(({ process }) => process?.role === "leader");
    if (leader === undefined) throw new Error("nobody leads");
    kubelet.containers.exit(leader, 137, "killed while it leads");
  }

  killOperator(): void {
    this.#operator.kill(0);
  }

  series(): readonly InputSeries[] {
    return [...this.#values].map(([series, values]) => ({ series, values: values.join(" ") }));
  }

  async #scrape(): Promise<void> {
    const { metrics, isRunning } = this.#operator;
    const figures = { cpuSeconds: this.#scrapes, residentBytes: 1, startedAtMs: 0 };
    const text = metrics && isRunning ? await metrics.text(figures, async () => {}) : "\n";
    const now = new Map(
      readExposition(text).samples.map(({ name, labels, value }) => [idOf(name, labels), value]),
    );
    for (const [id, value] of now) this.#valuesOf(id).push(String(value));
    for (const [id, values] of this.#values)
      if (!now.has(id)) values.push(["stale", "_"].includes(values.at(-1) ?? "_") ? "_" : "stale");
    this.#scrapes += 1;
  }

  #valuesOf(id: string): string[] {
    const known = this.#values.get(id) ?? Array.from({ length: this.#scrapes }, () => "_");
    this.#values.set(id, known);
    return known;
  }
}

function idOf(name: string, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries({ ...labels, instance: "operator:8443", pod: "operator" });
  return `${name}{${pairs.map(([label, value]) => `${label}=${JSON.stringify(value)}`).join(",")}}`;
}
