import { kinds } from "../../../src/model/kinds.ts";
import type { Event } from "../../../src/model/objects.ts";
import type { PodRun } from "../../../test/sim/member/pod-run.ts";
import { SimulatedOperator } from "../../../test/sim/run/simulated-operator.ts";
import { Universe } from "../../../test/sim/run/universe.ts";
import { MAIN, REPLICAS, signerSecret } from "../../../test/sim/run/wanted.ts";
import { type Look, lookAt } from "./look.ts";
import { sample } from "./sample.ts";
import { Witness } from "./witness.ts";

/** One step of the simulated world. Members make a block in each. */
const STEP_MS = 250;
const LATENCY_MS = 5;

export interface Told {
  readonly atMs: number;
  readonly type: string;
  readonly reason: string;
  readonly note: string;
}

/** What the people in the story may do, and fate. */
export interface Hands {
  apply(): void;
  changeImage(image: string): void;
  killLeader(): void;
}

/** The simulated Kubernetes cluster with the real operator in it, and one EvNodeCluster. */
export class Stage implements Hands {
  readonly witness = new Witness(REPLICAS);
  readonly events: Told[] = [];
  readonly #universe: Universe;
  readonly #operator: SimulatedOperator;
  readonly #wanted = sample(MAIN.namespace, signerSecret(MAIN.namespace).metadata.name);
  readonly #bugs: string[] = [];

  constructor(seed: number) {
    const universe = new Universe(seed);
    this.#universe = universe;
    this.#operator = new SimulatedOperator({
      name: "evnode-operator-0",
      server: universe.server,
      clock: universe.clock,
      chance: universe.chance,
      ask: universe.network.ask,
      askBlock: universe.network.askBlock,
      faults: {},
      latencyMs: () => LATENCY_MS,
      variant: { name: "as it is", isSeen: "inTheEnd" },
      note: (what) => universe.history.note(what),
      onBug: (what) => this.#bugs.push(what),
    });
    universe.registry.store.subscribe(({ kind, before, after }) => {
      if (kind === kinds.event.kind && before === undefined && after !== undefined)
        this.events.push(toldOf(after as Event, universe.nowMs));
    });
  }

  get nowMs(): number {
    return this.#universe.nowMs;
  }

  /** What must never happen: a fork, or a mistake of the operator. */
  get troubles(): readonly string[] {
    return [...this.#universe.violations, ...this.#bugs];
  }

  /** The cluster's first image, from the sample. */
  get image(): string {
    return this.#wanted.spec.image;
  }

  look(): Look {
    const { registry } = this.#universe;
    const current = registry.store.get(kinds.cluster, this.#wanted.metadata);
    return lookAt(registry, this.#runs(), current ?? this.#wanted);
  }

  async step(): Promise<void> {
    this.#operator.tend();
    this.#universe.tend();
    this.witness.look(this.#runs(), this.nowMs);
    await this.#universe.clock.advance(STEP_MS);
  }

  end(): void {
    this.#operator.kill(0);
  }

  apply(): void {
    this.#universe.registry.create(kinds.cluster, this.#wanted);
  }

  changeImage(image: string): void {
    this.#universe.registry.patch(kinds.cluster, this.#wanted.metadata, { spec: { image } });
  }

  killLeader(): void {
    const leader = this.#runs().find(({ process }) => process?.role === "leader");
    if (leader !== undefined) this.#universe.kubelet.containers.exit(leader, 137, "killed while it leads");
  }

  #runs(): readonly PodRun[] {
    return [...this.#universe.runs.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  }
}

function toldOf({ type = "Normal", reason = "", note = "" }: Event, atMs: number): Told {
  return { atMs, type, reason, note };
}
