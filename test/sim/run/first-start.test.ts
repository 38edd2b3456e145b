import { describe, expect, it } from "vitest";
import { kinds } from "../../../src/model/kinds.ts";
import { Owner } from "./owner.ts";
import { undisturbedOperator } from "./undisturbed-operator.ts";
import { Universe } from "./universe.ts";
import { MAIN, REPLICAS } from "./wanted.ts";

const STEP_MS = 250;
const LONG_MS = 3_600_000;

/** A cluster that was just applied, and the operator that brings it up. */
class FirstStart {
  readonly universe = new Universe(1);
  statusWrites = 0;

  constructor() {
    const { universe } = this;
    new Owner(universe).apply(MAIN);
    undisturbedOperator(universe, {
      faults: {
        before: ({ verb }) => {
          if (verb === "replaceStatus") this.statusWrites += 1;
          return undefined;
        },
      },
    }).tend();
  }

  async pass(ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += STEP_MS) {
      this.universe.tend();
      await this.universe.clock.advance(STEP_MS);
    }
  }

  async until(what: string, isTrue: () => boolean): Promise<void> {
    for (let passedMs = 0; passedMs < 120_000; passedMs += STEP_MS) {
      if (isTrue()) return;
      await this.pass(STEP_MS);
    }
    throw new Error([`it did not happen: ${what}`, ...this.universe.history.last(20)].join("\n"));
  }

  get status() {
    return this.universe.registry.require(kinds.cluster, MAIN).status;
  }

  condition(type: string) {
    const { status, reason, message } = this.status?.conditions?.find((one) => one.type === type) ?? {};
    return `${status} ${reason}: ${message}`;
  }

  get runs() {
    return [...this.universe.runs.values()];
  }
}

describe("a first start", () => {
  it("waits as long as a Raft path is cut, says which, writes next to nothing, and goes on when it is open", async () => {
    const start = new FirstStart();
    const { universe } = start;
    await start.until("the pods are there", () => start.runs.length === REPLICAS);
    const [one, two] = start.runs.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    if (!one || !two) throw new Error("there are three members");
    universe.links.cut(one, two, LONG_MS);

    const pairs = `${one.name} to ${two.name} on Raft port 5001, ${two.name} to ${one.name} on Raft port 5001`;
    const told = `False PathBlocked: Blocked, no answer, as behind a firewall or a NetworkPolicy: ${pairs}.`;
    await start.until("both sides are told", () => start.condition("Connected").startsWith(told));
    expect(start.condition("Stalled")).toContain(
      "True PathBlocked: No member is started before all Raft paths are open.",
    );
    expect(start.condition("Ready")).toContain("False Bootstrapping");
    expect(start.status?.phase).toBe("Bootstrapping");

    // The first figures are medians of a few looks, and settle within some minutes.
    await start.pass(180_000);
    const before = start.statusWrites;
    await start.pass(600_000);
    expect(start.statusWrites - before).toBe(0);
    expect(start.runs.map(({ container }) => container.starts)).toEqual([0, 0, 0]);

    universe.links.heal();
    await start.until("it runs", () => start.condition("Ready").startsWith("True"));
    expect(start.condition("Stalled")).toBe("False NotStalled: Nothing needs a person.");
    await start.until("paths and timing are well", () =>
      ["Connected", "TimingFits"].every((type) => start.condition(type).startsWith("True")),
    );
    expect(universe.violations).toEqual([]);
  });

  it("does not wait when all paths are open, and tells round trips and a timing for them", async () => {
    const start = new FirstStart();
    await start.until("it runs", () => start.condition("Ready").startsWith("True"));
    await start.until("round trips are told", () => start.status?.network?.roundTrips?.length === 6);
    expect(start.status?.network).toMatchObject({
      recommendedTiming: { rttMax: "25ms", heartbeatTimeout: "92ms" },
    });
    expect(start.condition("TimingFits")).toContain("True RoundTripsFit");
  });
});
