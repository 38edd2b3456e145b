import type { KubeApi } from "../../../src/kube/api.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { podOf } from "../../../src/model/member.ts";
import type { Pod, PodDisruptionBudget, StatefulSet } from "../../../src/model/objects.ts";
import type { Faults } from "../faults.ts";
import { takesPart, trueLeader } from "../member/participation.ts";
import type { PodRun } from "../member/pod-run.ts";
import { timestamp } from "../wire.ts";
import { DisruptionRules } from "./disruption-rules.ts";
import { Owner } from "./owner.ts";
import { undisturbedOperator } from "./undisturbed-operator.ts";
import { Universe } from "./universe.ts";
import { MAIN, REPLICAS } from "./wanted.ts";

const STEP_MS = 250;
const PATIENCE_MS = 120_000;

/** A cluster of three that runs, with nobody who looks after it: tests act on it themselves, under the rules. */
export class StandingCluster {
  readonly universe: Universe;
  readonly rules: DisruptionRules;
  /** As an operator has it. */
  readonly api: KubeApi;

  private constructor(universe: Universe) {
    this.universe = universe;
    this.rules = new DisruptionRules(universe);
    this.api = universe.server.client({ name: "script", faults: this.#judged() });
  }

  /** Brought up by the operator, which is stopped then. */
  static async start(seed = 1): Promise<StandingCluster> {
    const universe = new Universe(seed);
    const cluster = new StandingCluster(universe);
    new Owner(universe).apply(MAIN);
    const operator = undisturbedOperator(universe);
    operator.tend();
    await cluster.until("all members take part", () => cluster.taking().length === REPLICAS);
    await cluster.until("all members are ready", () => cluster.runs().every(({ isReady }) => isReady));
    await cluster.until("the budget counts them", () => cluster.budget.status?.disruptionsAllowed === 1);
    operator.kill(0);
    return cluster;
  }

  #judged(): Faults {
    return {
      before: (request) => {
        this.rules.onArrival(request);
        return undefined;
      },
      after: (request, isCarriedOut) => {
        if (isCarriedOut) this.rules.onCarriedOut(request);
        else this.rules.onRefused(request);
        return undefined;
      },
    };
  }

  async step(): Promise<void> {
    this.universe.tend();
    this.rules.tend();
    await this.universe.clock.advance(STEP_MS);
  }

  async pass(ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += STEP_MS) await this.step();
  }

  async until(what: string, isTrue: () => boolean): Promise<void> {
    for (let passedMs = 0; passedMs < PATIENCE_MS; passedMs += STEP_MS) {
      if (isTrue()) return;
      await this.step();
    }
    throw new Error([`it did not happen: ${what}`, ...this.universe.history.last(20)].join("\n"));
  }

  runs(): readonly PodRun[] {
    return [...this.universe.runs.values()].filter(({ endAtMs }) => endAtMs === undefined);
  }

  run(name: string): PodRun {
    const run = this.runs().find((one) => one.name === name);
    if (run === undefined) throw new Error(`${name} does not run`);
    return run;
  }

  taking(): readonly PodRun[] {
    return this.runs().filter((run) => takesPart(this.universe.trueGroupOf(run), run));
  }

  isTaking(name: string): boolean {
    return this.taking().some((run) => run.name === name);
  }

  get leader(): PodRun {
    const [any] = this.runs();
    const leader = any && trueLeader(this.universe.trueGroupOf(any));
    if (leader === undefined) throw new Error("nobody leads");
    return leader;
  }

  /** In the order of their names. */
  get followers(): readonly [PodRun, PodRun] {
    const [first, second] = this.runs()
      .filter((run) => run !== this.leader)
      .sort((one, other) => (one.name < other.name ? -1 : 1));
    if (first === undefined || second === undefined) throw new Error("there are not two followers");
    return [first, second];
  }

  pod(name: string): Pod {
    return this.universe.registry.require(kinds.pod, { namespace: MAIN.namespace, name });
  }

  /** As the operator reads it. */
  member(name: string) {
    return podOf(this.pod(name));
  }

  get set(): StatefulSet {
    return this.universe.registry.require(kinds.statefulSet, MAIN);
  }

  get budget(): PodDisruptionBudget {
    return this.universe.registry.require(kinds.disruptionBudget, MAIN);
  }

  /** Gives the set another image, in its template. */
  retarget(image: string): void {
    const template = this.set.spec?.template;
    const containers = (template?.spec?.containers ?? []).map((one) => ({ ...one, image }));
    const patch = { spec: { template: { spec: { containers } } } };
    this.universe.registry.patch(kinds.statefulSet, MAIN, patch);
  }

  /** Writes into the disruption budget that a member goes, as an eviction would. */
  claim(name: string): void {
    const { registry } = this.universe;
    const { status, ...budget } = this.budget;
    if (status === undefined) throw new Error("there is no budget to claim");
    const disruptedPods = { ...status.disruptedPods, [name]: timestamp(registry.nowMs) };
    registry.replaceStatus(kinds.disruptionBudget, { ...budget, status: { ...status, disruptedPods } });
  }

  /** Takes another image to a member in place, as it is or with what else there is to change. */
  async updateInPlace(
    name: string,
    image: string,
    notes: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    this.claim(name);
    await this.putImage(name, image, notes);
  }

  /** The same without a word to the budget. */
  async putImage(name: string, image: string, notes: Readonly<Record<string, string>> = {}): Promise<void> {
    const pod = this.pod(name);
    const { metadata, spec } = pod;
    const containers = (spec?.containers ?? []).map((one) => ({ ...one, image }));
    await this.api.replace(kinds.pod, {
      ...pod,
      metadata: { ...metadata, annotations: { ...metadata.annotations, ...notes } },
      spec: { ...spec, containers },
    });
  }

  async label(name: string): Promise<void> {
    const { metadata } = this.pod(name);
    const { uid = "", resourceVersion = "" } = metadata;
    const labels = { "controller-revision-hash": this.set.status?.updateRevision };
    await this.api.patch(kinds.pod, metadata, { metadata: { labels } }, { uid, resourceVersion });
  }
}
