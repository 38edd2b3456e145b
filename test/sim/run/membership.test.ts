import { describe, expect, it } from "vitest";
import { kinds } from "../../../src/model/kinds.ts";
import { Epochs } from "./epochs.ts";
import { Memberships } from "./memberships.ts";
import { Owner } from "./owner.ts";
import { undisturbedOperator } from "./undisturbed-operator.ts";
import { Universe } from "./universe.ts";
import { MAIN, type Replicas, usualTaste } from "./wanted.ts";

const STEP_MS = 250;

/** A cluster of so many members, with an operator that nothing disturbs. */
class Life {
  readonly universe: Universe;
  readonly memberships: Memberships;
  readonly #owner: Owner;
  readonly #epochs: Epochs;

  constructor(replicas: Replicas, seed = 1) {
    this.universe = new Universe(seed);
    const { universe } = this;
    this.#owner = new Owner(universe, { ...usualTaste, replicas });
    this.#owner.apply(MAIN);
    this.memberships = new Memberships(universe, this.#owner, seed, true);
    this.#epochs = new Epochs(universe, replicas);
    universe.onOrder = (run, order) => this.#epochs.onOrder(run, order);
    undisturbedOperator(universe).tend();
  }

  async until(what: string, isTrue: () => boolean): Promise<void> {
    for (let passedMs = 0; passedMs < 300_000; passedMs += STEP_MS) {
      if (isTrue()) return;
      this.universe.tend();
      this.#epochs.check();
      await this.universe.clock.advance(STEP_MS);
    }
    throw new Error([`it did not happen: ${what}`, ...this.universe.history.last(60)].join("\n"));
  }

  condition(type: string): string {
    const { status } = this.universe.registry.require(kinds.cluster, MAIN);
    const { status: is, reason, message } = status?.conditions?.find((one) => one.type === type) ?? {};
    return `${is} ${reason}: ${message}`;
  }

  get isWell(): boolean {
    return ["Ready", "MembershipComplete"].every((type) => this.condition(type).startsWith("True"));
  }

  get leaders() {
    return [...this.universe.runs.values()].filter(({ process }) => process?.role === "leader");
  }

  async becomes(replicas: Replicas): Promise<void> {
    this.memberships.ask(replicas, true);
    await this.until(`${replicas} members`, () => this.#owner.membersOf(MAIN) === replicas && this.isWell);
  }
}

describe("a change of the number of members that nothing disturbs", () => {
  it("goes from one to three to five to three to one, and the chain goes on", async () => {
    const life = new Life(1);
    await life.until("it runs", () => life.isWell);
    for (const replicas of [3, 5, 3, 1] as const) {
      await life.becomes(replicas);
      expect(life.universe.violations).toEqual([]);
      expect(life.leaders).toHaveLength(1);
    }
    expect(life.universe.registry.require(kinds.cluster, MAIN).status?.membership).toMatchObject({
      epoch: 5,
      lastChange: { result: "Completed" },
    });
  });
});
