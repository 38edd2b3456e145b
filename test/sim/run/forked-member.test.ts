import { expect, it } from "vitest";
import { annotations } from "../../../src/model/annotations.ts";
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

/** A cluster of three of which one member comes to hold other blocks. */
class ForkedCluster {
  readonly universe = new Universe(1);
  readonly owner = new Owner(this.universe);
  readonly operator: SimulatedOperator = undisturbedOperator(this.universe);

  static async start(): Promise<ForkedCluster> {
    const cluster = new ForkedCluster();
    cluster.operator.tend();
    cluster.owner.apply(MAIN);
    await cluster.until("all run", () => cluster.runs("follower").length === 2 && cluster.height() > 40);
    await cluster.until("it is said", () => cluster.statusOf("Ready") === "True");
    return cluster;
  }

  async until(what: string, isSo: () => boolean): Promise<void> {
    for (let passedMs = 0; passedMs < PATIENCE_MS && !isSo(); passedMs += STEP_MS) await this.pass(STEP_MS);
    if (!isSo())
      throw new Error([`not seen: ${what}`, this.said, ...this.universe.history.last(20)].join("\n"));
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

  fork(role: "leader" | "follower", from: number): PodRun {
    const [run] = this.runs(role);
    if (run === undefined) throw new Error(`there is no ${role}`);
    run.volume.forkedFrom = from;
    return run;
  }

  #condition(wanted: string) {
    const conditions = this.universe.registry.store.get(kinds.cluster, MAIN)?.status?.conditions ?? [];
    return conditions.find(({ type }) => type === wanted);
  }

  statusOf(type: string): string | undefined {
    return this.#condition(type)?.status;
  }

  get said(): string {
    return this.#condition("ChainSafe")?.message ?? "";
  }

  get approval(): string | undefined {
    const cluster = this.universe.registry.store.get(kinds.cluster, MAIN);
    return cluster?.metadata.annotations?.[annotations.approveRejoin];
  }
}

it("a member that follows with other blocks is found, named, and rebuilt when its owner says so", async () => {
  const cluster = await ForkedCluster.start();
  const { universe, owner } = cluster;
  const { name, volume } = cluster.fork("follower", 23);
  await cluster.until("the fork is narrowed down", () => cluster.said.includes("At height 23, "));
  expect(cluster.said).toContain(`${annotations.approveRejoin}=${name}`);
  expect(cluster.statusOf("Ready")).toBe("False");

  // A change of the spec waits, and so does everything else.
  owner.edit(MAIN, { name: "the image", spec: { image: "example.org/testapp:2" } });
  const { leaderEnds } = universe;
  const writes = universe.registry.store.all(kinds.pod).map(({ metadata }) => metadata.resourceVersion);
  await cluster.pass(20_000);
  expect(universe.registry.store.all(kinds.pod).map(({ metadata }) => metadata.resourceVersion)).toEqual(
    writes,
  );

  owner.approve(MAIN, name);
  await cluster.until("the blocks are set aside", () => volume.forkedFrom === undefined);
  await cluster.until("the fork is over", () => cluster.statusOf("ChainSafe") === "True");
  await cluster.until("the approval is used up", () => cluster.approval === undefined);
  expect([universe.violations, universe.leaderEnds]).toEqual([[], leaderEnds]);
  await cluster.until("the change goes on", () =>
    [...universe.runs.values()].every(({ process }) => process?.image === "example.org/testapp:2"),
  );
});

it("one that leads is not rebuilt, whatever its owner says", async () => {
  const cluster = await ForkedCluster.start();
  const { name, volume } = cluster.fork("leader", 23);
  await cluster.until("the fork is narrowed down", () => cluster.said.includes("At height 23, "));
  cluster.owner.approve(MAIN, name);
  await cluster.pass(20_000);
  expect(cluster.said).toContain("Nothing is rebuilt");
  expect([volume.forkedFrom, cluster.universe.violations]).toEqual([23, []]);
});

it("nor is one of two, also where they part from the others at different heights", async () => {
  const cluster = await ForkedCluster.start();
  const [one, other] = cluster.runs("follower");
  if (!one || !other) throw new Error("there are two followers");
  one.volume.forkedFrom = 23;
  other.volume.forkedFrom = 30;
  await cluster.until("the fork is narrowed down", () => cluster.said.includes("At height 23, "));
  cluster.owner.approve(MAIN, one.name);
  await cluster.pass(20_000);
  expect(cluster.said).toContain("Nothing is rebuilt: the others differ at another height.");
  expect([one.volume.forkedFrom, other.volume.forkedFrom]).toEqual([23, 30]);
});
