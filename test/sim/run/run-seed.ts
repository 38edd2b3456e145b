import { annotations } from "../../../src/model/annotations.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { readRolloutRecord } from "../../../src/model/rollout-record.ts";
import { isOpen } from "../../../src/plan/rollout-scene.ts";
import type { Chance } from "../chance.ts";
import type { Request } from "../faults.ts";
import { DisruptionRules } from "./disruption-rules.ts";
import { Drain } from "./drain.ts";
import { Drills } from "./drills.ts";
import { badEdit, goodEdit } from "./edits.ts";
import type { FaultCounts } from "./fault-counts.ts";
import { Forks } from "./forks.ts";
import type { History } from "./history.ts";
import { Invariants } from "./invariants.ts";
import { Memberships } from "./memberships.ts";
import { mishap, rolloutMishap, type Stage } from "./mishaps.ts";
import { latencyMs, operatorFaults } from "./operator-faults.ts";
import { Owner } from "./owner.ts";
import { Quiet } from "./quiet.ts";
import { harmOf, unsettledOf, unsuspendedOf } from "./settled.ts";
import { type Profile, SimulatedOperator, type Variant } from "./simulated-operator.ts";
import { Suspensions } from "./suspensions.ts";
import { Universe } from "./universe.ts";
import { executionGenesis, MAIN, REPLICAS, type Replicas, type Taste, TWIN } from "./wanted.ts";
import { checkWrite } from "./write-rules.ts";
import { WriteStorms } from "./write-storms.ts";

export interface Result {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly history: History;
  readonly counts: FaultCounts;
  readonly virtualMs: number;
  /** The longest time until all was well again. */
  readonly slowestMs: number;
}

const STEP_MS = 250;
/** While all is well, nothing has to be caught in the act. */
const CALM_STEP_MS = 1_000;
const LIVENESS_MS = 900_000;
/** All has to be well for so long, before it is: some things are looked at once a minute only. */
const SETTLED_MS = 65_000;
/** A bad change shows within this time: its image is tried first. */
const UNHARMED_MS = 30_000;
/** After a change that nothing disturbed there is nothing that was overlooked. */
const UNDISTURBED_MS = 5_000;
/** A watch that went mute is found out after 150 s, and may have had news of what is well already. */
const MUTE_MS = 155_000;
/** Longer than the time between two writes of the heights. */
const QUIET_MS = 70_000;
const SHORT_QUIET_MS = 20_000;
/** Three starts of a member in between, of which kubelet holds two back. */
const LONGEST_STANDSTILL_MS = 60_000;

/** Agents hold the operator's requests for half a minute while nothing but heights is new. */
const FOUND_MS = 120_000;
const REBUILT_MS = 60_000;

const AS_IT_IS: Variant = { name: "as it is", isSeen: "inTheEnd" };

/**
 * One seed: a time of faults in which the owner changes the spec, too; a time without in which all must become well; a
 * time in which nothing may be done; and one more change of the spec, a failover drill, a suspension, and a change of
 * the number of members, which nothing disturbs.
 */
export async function runSeed(
  seed: number,
  variant: Variant = AS_IT_IS,
  profile: Profile = variant.profile ?? "usual",
): Promise<Result> {
  const run = new Run(seed, variant, profile);
  await run.safety();
  // Most mistakes show while the faults last, or not at all.
  const isLong = variant.isSeen !== "underFaults";
  if (isLong && run.isFine) await run.liveness();
  if (isLong && run.isFine) await run.quiet();
  // Seeds of their own show what nothing disturbs of all else.
  const isUsual = profile === "usual";
  if (isLong && isUsual && run.isFine) await run.rollout();
  if (isLong && isUsual && run.isFine) await run.drill();
  if (isLong && isUsual && run.isFine) await run.suspension();
  if (isLong && run.isFine) await run.membership();
  if (isLong && isUsual && run.isFine) await run.fork();
  return run.end(seed);
}

/** One seed in seven is of an EVM chain. */
const EVM_SEEDS = 7;
/** Of a single sequencer is one in eleven, by this remainder. */
const SINGLE_SEEDS = { of: 11, rest: 3 } as const;

function replicasOf(seed: number, profile: Profile): Replicas {
  if (profile === "membership") return ([1, 3, 5, 3] as const)[seed % 4] ?? REPLICAS;
  return seed % SINGLE_SEEDS.of === SINGLE_SEEDS.rest ? 1 : REPLICAS;
}

function tasteOf(chance: Chance, isEvm: boolean, replicas: Replicas): Taste {
  return {
    replicas,
    hasBudget: chance.is(0.7),
    progressDeadlineSeconds: chance.pick([300, 40, 40]) ?? 300,
    asks: chance.is(0.5),
    isEvm,
  };
}

class Run {
  readonly #universe: Universe;
  readonly #stage: Stage;
  readonly #invariants: Invariants;
  readonly #quiet: Quiet;
  readonly #rules: DisruptionRules;
  readonly #hasTwin: boolean;
  readonly #drills: Drills;
  readonly #suspensions: Suspensions;
  readonly #memberships: Memberships;
  readonly #forks: Forks;
  #slowestMs = 0;

  constructor(seed: number, variant: Variant, profile: Profile) {
    const universe = new Universe(seed);
    this.#universe = universe;
    this.#rules = new DisruptionRules(universe);
    this.#invariants = new Invariants(universe, replicasOf(seed, profile));
    this.#quiet = new Quiet(universe);
    const storms = new WriteStorms(universe);
    const onWrite = (request: Request) => {
      checkWrite(universe, request);
      storms.onWrite(request);
      this.#rules.onArrival(request);
      this.#quiet.onWrite(request);
    };
    const operators = ["operator-a", "operator-b"].map((name) => this.#newOperator(name, variant, onWrite));
    // The number of members of an EVM chain cannot change yet.
    const isEvm = seed % EVM_SEEDS === 0 && profile !== "membership";
    const namespaces = isEvm ? [MAIN.namespace, TWIN.namespace] : [];
    for (const namespace of namespaces)
      universe.registry.create(kinds.configMap, executionGenesis(namespace));
    const owner = new Owner(universe, tasteOf(universe.chance, isEvm, replicasOf(seed, profile)));
    const keepsCluster = universe.chance.is(0.5);
    this.#stage = { universe, owner, operators, drain: new Drain(universe), keepsCluster };
    // One that holds the lock of the chain keeps the other from any change.
    this.#hasTwin = universe.chance.is(0.5) && (profile === "usual" || seed % 8 === 0);
    this.#drills = new Drills(universe, seed);
    this.#suspensions = new Suspensions(universe, seed);
    this.#forks = new Forks(universe, seed);
    this.#memberships = new Memberships(universe, owner, seed, profile === "membership");
  }

  #newOperator(name: string, variant: Variant, onWrite: (request: Request) => void): SimulatedOperator {
    const universe = this.#universe;
    const operator: SimulatedOperator = new SimulatedOperator({
      name,
      server: universe.server,
      clock: universe.clock,
      chance: universe.chance,
      ask: universe.network.ask,
      askBlock: universe.network.askBlock,
      faults: operatorFaults({
        universe,
        kill: (awayMs) => operator.kill(awayMs),
        stop: (forMs) => operator.stop(forMs),
        onWrite,
        onOutcome: (request, isCarriedOut) => {
          if (isCarriedOut) this.#rules.onCarriedOut(request);
          else this.#rules.onRefused(request);
        },
      }),
      latencyMs: () => latencyMs(universe),
      variant,
      note: (what) => universe.history.note(what),
      onBug: (what) => universe.violate(`a bug: ${what}`),
    });
    return operator;
  }

  get isFine(): boolean {
    return this.#universe.violations.length === 0;
  }

  async safety(): Promise<void> {
    const { chance } = this.#universe;
    this.#universe.weather = {
      lagMs: chance.pick([0, 300, 3_000]) ?? 0,
      lossRate: chance.pick([0, 0.02, 0.2]) ?? 0,
      failRate: chance.pick([0, 0.02, 0.1]) ?? 0,
      lostAnswerRate: chance.pick([0, 0.02, 0.1]) ?? 0,
      lateRate: chance.pick([0, 0.05]) ?? 0,
      killRate: chance.pick([0, 0.002, 0.01]) ?? 0,
      stopRate: chance.pick([0, 0, 0.01]) ?? 0,
      controllerRate: chance.pick([0.8, 0.8, 0.1]) ?? 0,
    };
    this.#universe.history.note(`weather ${JSON.stringify(this.#universe.weather)}`);
    // In too much of a turmoil no rollout gets as far as its second member.
    const rates = this.#stage.keepsCluster ? [0, 0.005, 0.02] : [0.01, 0.03, 0.08];
    const rate = chance.pick(rates) ?? 0;
    const rolloutRate = chance.pick([0.005, 0.02, 0.05]) ?? 0;
    const endMs =
      this.#universe.nowMs + chance.between(60_000, 180_000) * (this.#memberships.isWilling ? 2 : 1);
    while (this.isFine && this.#universe.nowMs < endMs) {
      this.#apply(0.02);
      if (chance.is(rate)) mishap(this.#stage);
      if (this.#isRolling && chance.is(rolloutRate)) rolloutMishap(this.#stage);
      this.#troubleChange();
      this.#stage.drain.tend();
      this.#drills.tend();
      this.#suspensions.tend();
      this.#memberships.tend();
      this.#edit();
      this.#approve(0.02);
      await this.#step(STEP_MS);
    }
  }

  /** Whatever may go wrong at all goes wrong in the middle of a change of the number of members. */
  #troubleChange(): void {
    const { universe } = this.#stage;
    if (!this.#memberships.isChanging || !universe.chance.is(0.02)) return;
    if (universe.chance.is(0.03)) this.#memberships.loseRecord();
    else if (universe.chance.is(0.5)) mishap(this.#stage);
    else rolloutMishap(this.#stage);
  }

  /** Most of what may go wrong with a rollout goes wrong in the middle of one. */
  get #isRolling(): boolean {
    const set = this.#universe.registry.store.get(kinds.statefulSet, MAIN);
    return isOpen(readRolloutRecord(set?.metadata.annotations?.[annotations.rollout]));
  }

  async liveness(): Promise<void> {
    this.#universe.history.note("no more faults");
    this.#universe.heal();
    this.#stage.drain.end();
    this.#suspensions.set(false);
    if (this.#universe.chance.is(0.5)) await this.#untilHealthy(0);
    this.#stage.owner.correct(MAIN);
    await this.#becomeWell(SETTLED_MS);
  }

  async quiet(): Promise<void> {
    this.#universe.history.note("all is well");
    this.#quiet.begin();
    await this.#steps(QUIET_MS);
    this.#quiet.end();
  }

  /** A change that nothing disturbs takes the lead away once at most, and then nothing is done any more. */
  async rollout(): Promise<void> {
    const universe = this.#universe;
    if (universe.chance.is(0.4)) await this.#badRollout();
    const leaderEnds = universe.leaderEnds;
    this.#stage.owner.edit(MAIN, goodEdit(universe.chance));
    await this.#becomeWell(UNDISTURBED_MS);
    const ends = universe.leaderEnds - leaderEnds;
    if (ends > 1) universe.violate(`leaders ended ${ends} times in a rollout that nothing disturbed`);
    this.#quiet.begin();
    await this.#steps(SHORT_QUIET_MS);
  }

  /** Where nothing disturbs it, the lead is taken once, and that is told. */
  async drill(): Promise<void> {
    const universe = this.#universe;
    const runs = this.#stage.owner.clusterOf(MAIN)?.metadata.uid === this.#stage.owner.lockHolder();
    if (!runs || !this.#drills.chance.is(0.5)) return;
    this.#quiet.end();
    const leaderEnds = universe.leaderEnds;
    this.#drills.ask();
    await this.#becomeWell(UNDISTURBED_MS);
    const outcome = this.#drills.outcome;
    const isSingle = this.#stage.owner.replicas === 1;
    if (isSingle && outcome?.kind !== "refused")
      universe.violate(`a drill of a single sequencer came out as ${JSON.stringify(outcome)}`);
    if (isSingle) return;
    if (outcome?.kind !== "succeeded" || outcome.gapMs === undefined)
      universe.violate(`a drill that nothing disturbed came out as ${JSON.stringify(outcome)}`);
    const ends = universe.leaderEnds - leaderEnds;
    if (ends !== 1) universe.violate(`leaders ended ${ends} times in a drill that nothing disturbed`);
  }

  /** All members stop, nothing is written while they do not run, and all are back with the chain as it was. */
  async suspension(): Promise<void> {
    const universe = this.#universe;
    const runs = this.#stage.owner.clusterOf(MAIN)?.metadata.uid === this.#stage.owner.lockHolder();
    if (!runs || !this.#suspensions.chance.is(0.3)) return;
    this.#quiet.end();
    this.#suspensions.set(true);
    const endMs = universe.nowMs + LIVENESS_MS;
    for (let left: string | undefined = "all"; this.isFine && left !== undefined; ) {
      await this.#step(STEP_MS);
      left = unsuspendedOf(this.#stage);
      if (left !== undefined && universe.nowMs > endMs) universe.violate(`it is not suspended: ${left}`);
    }
    this.#quiet.begin();
    await this.#steps(SHORT_QUIET_MS);
    this.#quiet.end();
    this.#suspensions.set(false);
    await this.#becomeWell(UNDISTURBED_MS);
  }

  /** The chain stands still once, and goes on with as many members as were asked for. */
  async membership(): Promise<void> {
    const universe = this.#universe;
    const { owner } = this.#stage;
    const runs = owner.clusterOf(MAIN)?.metadata.uid === owner.lockHolder();
    if (!this.#memberships.isWilling || !runs) return;
    this.#quiet.end();
    const others = ([1, 3, 5] as const).filter((number) => number !== owner.replicas);
    const standstills = universe.standstills.length;
    const epoch = owner.clusterOf(MAIN)?.status?.membership?.nextEpoch ?? 0;
    // What an attempt of which every record was lost left behind is found when it is met.
    const isLeft = [...universe.volumes.values()].some(({ record }) => (record?.epoch ?? 0) >= epoch);
    this.#memberships.ask(this.#memberships.chance.pick(others) ?? 1, true);
    await this.#becomeWell(UNDISTURBED_MS);
    if (isLeft) return;
    const told = owner.clusterOf(MAIN)?.status?.membership;
    if (this.isFine && (told?.epoch !== epoch || told?.lastChange?.result !== "Completed"))
      universe.violate(`a change that nothing disturbed came out as ${JSON.stringify(told)}`);
    const stood = universe.standstills.slice(standstills);
    if (stood.length > 1)
      universe.violate(`the chain stood still ${stood.length} times for one change: ${stood.join()}`);
    if (stood.some((ms) => ms > LONGEST_STANDSTILL_MS))
      universe.violate(`the chain stood still for ${stood.join()} ms for a change that nothing disturbed`);
    universe.history.note(`the chain stood still for ${stood.join()} ms`);
    this.#quiet.begin();
    await this.#steps(SHORT_QUIET_MS);
  }

  /** One member's blocks are others: that is found and told, and nothing is done about it before its owner says so. */
  async fork(): Promise<void> {
    const universe = this.#universe;
    const { owner } = this.#stage;
    const runs = owner.clusterOf(MAIN)?.metadata.uid === owner.lockHolder();
    if (!this.#forks.isDue || !runs || (owner.membersOf(MAIN) ?? owner.replicas) < REPLICAS) return;
    const isEvm = owner.clusterOf(MAIN)?.spec.app?.kind === "evm";
    const run = this.#forks.make();
    if (run === undefined) return;
    this.#quiet.end();
    const { volume, name } = run;
    const from = volume.forkedFrom;
    const [leaderEnds, standstills] = [universe.leaderEnds, universe.standstills.length];
    const isNamed = () =>
      this.#forks.told?.includes(`At height ${from}, `) && this.#forks.told.includes(name);
    await this.#until("the fork is not told", FOUND_MS, () => isNamed() === true);
    await this.#steps(SHORT_QUIET_MS);
    if (volume.forkedFrom !== from) universe.violate(`${name} was rebuilt without its owner's word`);
    if (isEvm) return;
    owner.approve(MAIN, name);
    await this.#until(`${name} is not rebuilt`, REBUILT_MS, () => volume.forkedFrom === undefined);
    await this.#until("the fork is over, and still told", REBUILT_MS, () => this.#forks.told === undefined);
    await this.#becomeWell(UNDISTURBED_MS);
    const isDisturbed = universe.leaderEnds > leaderEnds || universe.standstills.length > standstills;
    if (isDisturbed) universe.violate(`the rebuild of ${name} took the lead away, or stopped the chain`);
  }

  async #until(problem: string, withinMs: number, isSo: () => boolean): Promise<void> {
    const endMs = this.#universe.nowMs + withinMs;
    while (this.isFine && !isSo()) {
      await this.#step(STEP_MS);
      if (this.#universe.nowMs > endMs) this.#universe.violate(problem);
    }
  }

  /** It costs one member at most, and is taken back without its owner. */
  async #badRollout(): Promise<void> {
    const universe = this.#universe;
    this.#stage.owner.edit(MAIN, badEdit(universe.chance));
    await this.#untilHealthy(UNHARMED_MS);
    this.#stage.owner.correct(MAIN);
    await this.#becomeWell(UNDISTURBED_MS);
  }

  /** A bad change must do no lasting harm, though nobody corrects it: members go on, or back. */
  async #untilHealthy(forMs: number): Promise<void> {
    const endMs = this.#universe.nowMs + LIVENESS_MS;
    let sinceMs = this.#universe.nowMs;
    while (this.isFine) {
      const harm = harmOf(this.#stage);
      if (harm !== undefined) sinceMs = this.#universe.nowMs;
      else if (this.#universe.nowMs - sinceMs >= forMs) return;
      if (harm !== undefined && this.#universe.nowMs > endMs)
        this.#universe.violate(`nobody corrects the spec, and ${harm}`);
      this.#apply(1);
      this.#approve(0.1);
      this.#memberships.settle();
      if (this.#universe.chance.is(0.02)) this.#stage.owner.renewIntent(MAIN);
      this.#stage.owner.restartLaggard(MAIN);
      await this.#step(STEP_MS);
    }
  }

  /** Until all has been well for a while. */
  async #becomeWell(forMs: number): Promise<void> {
    const startedMs = this.#universe.nowMs;
    const endMs = this.#universe.nowMs + LIVENESS_MS;
    let sinceMs = Math.max(this.#universe.nowMs, this.#universe.muteSinceMs + MUTE_MS);
    let unsettled: string | undefined = "";
    while (this.isFine) {
      this.#apply(1);
      this.#approve(0.1);
      this.#memberships.settle();
      if (this.#universe.chance.is(0.02)) this.#stage.owner.renewIntent(MAIN);
      this.#stage.owner.restartLaggard(MAIN);
      if (this.#universe.chance.is(0.02)) this.#stage.owner.reconsider(MAIN);
      await this.#step(unsettled === undefined ? CALM_STEP_MS : STEP_MS);
      unsettled = unsettledOf(this.#stage);
      if (unsettled !== undefined) sinceMs = Math.max(sinceMs, this.#universe.nowMs);
      if (unsettled !== undefined)
        this.#slowestMs = Math.max(this.#slowestMs, this.#universe.nowMs - startedMs);
      else if (this.#universe.nowMs - sinceMs >= forMs) return;
      if (unsettled !== undefined && this.#universe.nowMs > endMs)
        this.#universe.violate(`it does not become well: ${unsettled}`);
    }
  }

  end(seed: number): Result {
    const { violations, history, counts, nowMs } = this.#universe;
    for (const operator of this.#stage.operators) operator.kill(0);
    return { seed, violations, history, counts, virtualMs: nowMs, slowestMs: this.#slowestMs };
  }

  async #steps(ms: number): Promise<void> {
    const endMs = this.#universe.nowMs + ms;
    while (this.isFine && this.#universe.nowMs < endMs) await this.#step(CALM_STEP_MS);
  }

  async #step(ms: number): Promise<void> {
    for (const operator of this.#stage.operators) operator.tend();
    this.#universe.tend();
    this.#invariants.check();
    this.#rules.tend();
    await this.#universe.clock.advance(ms);
  }

  /** What the owner wants to be there is applied sooner or later, also after it was deleted. */
  #apply(probability: number): void {
    const { chance, registry } = this.#universe;
    for (const ref of this.#hasTwin ? [MAIN, TWIN] : [MAIN]) {
      if (registry.store.get(kinds.cluster, ref) !== undefined || !chance.is(probability)) continue;
      this.#stage.owner.apply(ref);
      this.#universe.counts.add("cluster applied");
    }
  }

  /** Changes come in the middle of earlier ones, good and bad, and bad ones are corrected sooner or later. */
  #edit(): void {
    const { chance } = this.#universe;
    const { owner } = this.#stage;
    if (this.#memberships.isTheOnlyWish) return;
    if (chance.is(0.012)) owner.edit(MAIN, chance.is(0.25) ? badEdit(chance) : goodEdit(chance));
    else if (chance.is(0.02)) owner.correct(MAIN);
  }

  #approve(probability: number): void {
    const { chance } = this.#universe;
    if (!chance.is(probability)) return;
    const member = chance.pick(this.#stage.owner.lostMembers(MAIN));
    if (member !== undefined) this.#stage.owner.approve(MAIN, member);
  }
}
