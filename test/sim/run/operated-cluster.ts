import { kinds } from "../../../src/model/kinds.ts";
import type { PodRun } from "../member/pod-run.ts";
import { storedHeight } from "../member/volume.ts";
import { Owner } from "./owner.ts";
import type { SimulatedOperator } from "./simulated-operator.ts";
import { undisturbedOperator } from "./undisturbed-operator.ts";
import { Universe } from "./universe.ts";
import { MAIN } from "./wanted.ts";

const STEP_MS = 250;
/** Agents hold the operator's requests for half a minute while nothing but heights is new. */
const PATIENCE_MS = 90_000;

/** A cluster of three that one operator looks after, which nothing disturbs but what a test does. */
export class OperatedCluster {
  readonly universe = new Universe(1);
  readonly owner = new Owner(this.universe);
  readonly operator: SimulatedOperator = undisturbedOperator(this.universe);

  static async start(): Promise<OperatedCluster> {
    const cluster = new OperatedCluster();
    cluster.operator.tend();
    cluster.owner.apply(MAIN);
    await cluster.until("all run", () => cluster.runs("follower").length === 2 && cluster.height() > 40);
    await cluster.until("it is said", () => cluster.statusOf("Ready") === "True");
    return cluster;
  }

  async until(what: string, isSo: () => boolean): Promise<void> {
    for (let passedMs = 0; passedMs < PATIENCE_MS && !isSo(); passedMs += STEP_MS) await this.pass(STEP_MS);
    if (!isSo())
      throw new Error(
        [`not seen: ${what}`, this.said("ChainSafe"), ...this.universe.history.last(20)].join("\n"),
      );
  }

  async pass(ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += STEP_MS) {
      this.operator.tend();
      this.universe.tend();
      await this.universe.clock.advance(STEP_MS);
    }
  }

  runs(role: "leader" | "follower"): readonly PodRun[] {
    return [...this.universe.runs.values()].filter(({ process }) => process?.role === role);
  }

  height(): number {
    return Math.max(...[...this.universe.runs.values()].map(({ volume }) => storedHeight(volume)));
  }

  #condition(wanted: string) {
    const conditions = this.universe.registry.store.get(kinds.cluster, MAIN)?.status?.conditions ?? [];
    return conditions.find(({ type }) => type === wanted);
  }

  statusOf(type: string): string | undefined {
    return this.#condition(type)?.status;
  }

  said(type: string): string {
    return this.#condition(type)?.message ?? "";
  }
}
