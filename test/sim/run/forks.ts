import { kinds } from "../../../src/model/kinds.ts";
import { seededRandom } from "../../runtime/seeded-random.ts";
import { Chance } from "../chance.ts";
import type { PodRun } from "../member/pod-run.ts";
import { storedHeight } from "../member/volume.ts";
import type { Universe } from "./universe.ts";
import { MAIN } from "./wanted.ts";

/** Of usual seeds, those with this remainder have a fork in the end. */
const FORK_SEEDS = { of: 5, rest: 2 } as const;

/** A member whose block store has other blocks from some height on than all others: made on purpose, and by nobody else. */
export class Forks {
  /** Of its own: seeds without a fork keep their course. */
  readonly chance: Chance;
  readonly isDue: boolean;
  readonly #universe: Universe;

  constructor(universe: Universe, seed: number) {
    this.#universe = universe;
    this.isDue = seed % FORK_SEEDS.of === FORK_SEEDS.rest;
    this.chance = new Chance(seededRandom(seed + 0xf0ac));
  }

  /** On a member that follows; undefined where there is none. */
  make(): PodRun | undefined {
    const followers = [...this.#universe.runs.values()].filter((run) => {
      return run.namespace === MAIN.namespace && run.process?.role === "follower";
    });
    const run = this.chance.pick(followers);
    if (run === undefined) return undefined;
    run.volume.forkedFrom = this.chance.between(1, storedHeight(run.volume));
    this.#universe.history.note(`${run.name} holds other blocks from ${run.volume.forkedFrom} on`);
    this.#universe.counts.add("a member forked");
    return run;
  }

  /** What condition ChainSafe says: nothing while it is not false. */
  get told(): string | undefined {
    const cluster = this.#universe.registry.store.get(kinds.cluster, MAIN);
    const condition = cluster?.status?.conditions?.find(({ type }) => type === "ChainSafe");
    return condition?.status === "False" ? condition.message : undefined;
  }
}
