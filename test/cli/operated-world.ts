import { kinds } from "../../src/model/kinds.ts";
import type { EvNodeClusterObject } from "../../src/model/objects.ts";
import { Owner } from "../sim/run/owner.ts";
import type { SimulatedOperator } from "../sim/run/simulated-operator.ts";
import { undisturbedOperator } from "../sim/run/undisturbed-operator.ts";
import { Universe } from "../sim/run/universe.ts";
import { MAIN, type Taste, usualTaste } from "../sim/run/wanted.ts";
import { type Ended, run } from "./plugin-run.ts";
import type { RecordedTerminal } from "./recorded-terminal.ts";

const STEP_MS = 250;
const PATIENCE_MS = 600_000;

/** The simulated Kubernetes cluster with the real operator in it, and a person who uses the plugin. */
export class OperatedWorld {
  readonly universe = new Universe(1);
  readonly operator: SimulatedOperator;
  readonly #bugs: string[] = [];
  isOperated = true;

  constructor() {
    const { universe } = this;
    this.operator = undisturbedOperator(universe, { onBug: (what) => this.#bugs.push(what) });
  }

  /** With a cluster of three that is ready. */
  static async start(taste: Partial<Taste> = {}): Promise<OperatedWorld> {
    const world = new OperatedWorld();
    new Owner(world.universe, { ...usualTaste, ...taste }).apply(MAIN);
    await world.until("the cluster is ready", () => world.reasonOf("Ready") === "AllMembersReady");
    return world;
  }

  get troubles(): readonly string[] {
    return [...this.universe.violations, ...this.#bugs];
  }

  get cluster(): EvNodeClusterObject {
    return this.universe.registry.require(kinds.cluster, MAIN);
  }

  reasonOf(type: string): string | undefined {
    return this.cluster.status?.conditions?.find((condition) => condition.type === type)?.reason;
  }

  noteOf(key: string): string | undefined {
    return this.cluster.metadata.annotations?.[key];
  }

  edit(spec: object): void {
    this.universe.registry.patch(kinds.cluster, MAIN, { spec });
  }

  async until(what: string, isTrue: () => boolean): Promise<void> {
    for (let passedMs = 0; passedMs < PATIENCE_MS; passedMs += STEP_MS) {
      if (isTrue()) return;
      await this.step();
    }
    throw new Error(`it did not happen: ${what}\n${JSON.stringify(this.cluster.status, null, 1)}`);
  }

  async step(): Promise<void> {
    if (this.isOperated) this.operator.tend();
    this.universe.tend();
    await this.universe.clock.advance(STEP_MS);
  }

  /** The world goes on while the command runs. */
  async plugin(args: readonly string[], terminal?: RecordedTerminal): Promise<Ended> {
    const { server, clock } = this.universe;
    const api = server.client({ name: "owner", latencyMs: () => 1 });
    let isOver = false;
    const running = run(args, { api, clock, ...(terminal && { terminal }) }).finally(() => {
      isOver = true;
    });
    await this.until(`the end of ${args.join(" ")}`, () => isOver);
    return running;
  }

  /** Kills the operator for good. */
  stopOperator(): void {
    this.isOperated = false;
    this.operator.kill(0);
  }
}
