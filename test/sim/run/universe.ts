import type { AgentAnswer, Order } from "../../../src/model/agent-protocol.ts";
import { annotations, labels } from "../../../src/model/annotations.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { namespaceKind } from "../../namespace-kind.ts";
import { seededRandom } from "../../runtime/seeded-random.ts";
import { VirtualClock } from "../../runtime/virtual-clock.ts";
import { Chance } from "../chance.ts";
import { updateBudgets } from "../disruption-controller.ts";
import { collectGarbage } from "../garbage-collector.ts";
import { AgentNetwork } from "../member/agent-network.ts";
import { answerOf, blockOf } from "../member/answers.ts";
import { Chains } from "../member/chain.ts";
import { tendHeld } from "../member/held.ts";
import { Links } from "../member/links.ts";
import { noteParticipation, type TrueGroup } from "../member/participation.ts";
import type { PodRun } from "../member/pod-run.ts";
import { chainKey, tendGroup } from "../member/raft-group.ts";
import type { Volume } from "../member/volume.ts";
import { Kubelet } from "../node/kubelet.ts";
import { NodeTroubles } from "../node/nodes.ts";
import { tendStatefulSets } from "../node/stateful-sets.ts";
import { tendClaims } from "../node/volume-binder.ts";
import { SimulatedServer } from "../simulated-server.ts";
import { Approvals } from "./approvals.ts";
import { FaultCounts } from "./fault-counts.ts";
import { History } from "./history.ts";
import { OPERATOR_NAMESPACE } from "./simulated-operator.ts";
import { membersOf, ordinalOf } from "./target.ts";
import { MAIN, signerSecret, TWIN } from "./wanted.ts";

/** How bad the world is at the moment; calm when it is well. */
export interface Weather {
  lagMs: number;
  lossRate: number;
  failRate: number;
  lostAnswerRate: number;
  lateRate: number;
  killRate: number;
  stopRate: number;
  /** Share of the looks that the controllers of Kubernetes take in time. */
  controllerRate: number;
}

const calm = (): Weather => ({
  lagMs: 0,
  lossRate: 0,
  failRate: 0,
  lostAnswerRate: 0,
  lateRate: 0,
  killRate: 0,
  stopRate: 0,
  controllerRate: 0.8,
});

/** Longer than it takes from one leader to the next. */
const STANDSTILL_MS = 5_000;

/** All that is outside the operator: Kubernetes, its nodes, the members, and the network between. */
export class Universe {
  readonly clock = new VirtualClock();
  readonly chance: Chance;
  readonly history: History;
  readonly counts = new FaultCounts();
  readonly approvals = new Approvals((namespace, member) => this.#rebuildsUnasked(namespace, member));
  readonly server: SimulatedServer;
  readonly volumes = new Map<string, Volume>();
  readonly runs = new Map<string, PodRun>();
  readonly chains = new Chains();
  readonly links = new Links(() => this.nowMs);
  readonly troubles = new NodeTroubles(() => this.nowMs);
  readonly kubelet: Kubelet;
  readonly network: AgentNetwork;
  readonly violations: string[] = [];
  weather: Weather = calm();
  /** When a watch went mute last. */
  muteSinceMs = Number.NEGATIVE_INFINITY;
  /** Told about every order that an agent carries out. */
  onOrder: (run: PodRun, order: Order) => void = () => {};
  /** How long no block came, each time that it was long. */
  readonly standstills: number[] = [];
  #blockAtMs = 0;
  /** The latest epoch in which a block was agreed on, by chain. */
  readonly committedEpochs = new Map<string, number>();
  /** How often a process that led has ended. */
  leaderEnds = 0;
  /** Whether a controller of Kubernetes has something to look at. */
  #isTended = false;

  constructor(seed: number) {
    const random = seededRandom(seed);
    const { clock } = this;
    const chance = new Chance(random);
    this.chance = chance;
    this.history = new History(() => clock.monotonicMs());
    const watchLagMs = () => this.#lag();
    this.server = new SimulatedServer({ clock, random, watchLagMs, keepHistoryMs: 120_000 });
    this.kubelet = new Kubelet({
      registry: this.registry,
      chance,
      troubles: this.troubles,
      volumes: this.volumes,
      runs: this.runs,
      nowMs: () => clock.monotonicMs(),
      note: (what) => this.history.note(what),
      probe: (run) => this.#probe(run),
      onOrder: (run, order) => {
        this.approvals.onOrder(run, order, (what) => this.violate(what));
        this.onOrder(run, order);
      },
      onStart: (run) => this.approvals.onStart(run),
    });
    this.network = new AgentNetwork({
      clock,
      chance,
      blockChance: new Chance(seededRandom(seed + 0xb10c)),
      at: (ip) => this.#listenerAt(ip),
      lossRate: () => this.weather.lossRate,
      onLoss: () => this.counts.add("request to an agent or its answer lost"),
    });
    this.#furnish();
  }

  get registry() {
    return this.server.registry;
  }

  get nowMs(): number {
    return this.clock.monotonicMs();
  }

  violate(what: string): void {
    this.history.note(`VIOLATION: ${what}`);
    this.violations.push(what);
  }

  answer(run: PodRun): AgentAnswer {
    return answerOf(run, {
      group: this.groupOf(run),
      isCut: this.links.isCut,
      isLost: ({ node }) => this.troubles.isLost(node),
      nowMs: this.nowMs,
      epochMs: this.clock.nowMs(),
    });
  }

  groupOf({ agent }: PodRun): readonly PodRun[] {
    const { clusterId } = agent.mounted.owner;
    return [...this.runs.values()].filter((one) => one.agent.mounted.owner.clusterId === clusterId);
  }

  /** The members beside this one and itself, as they truly are. */
  trueGroupOf(run: PodRun): TrueGroup {
    const { maxBlocksBehind } = run.agent.mounted;
    const members = membersOf(this.registry, run);
    const runs = this.groupOf(run).filter((one) => one === run || ordinalOf(one) < members);
    return { runs, isCut: this.links.isCut, maxBlocksBehind, nowMs: this.nowMs };
  }

  /** What was wrong with machines and wires is well again. */
  heal(): void {
    this.weather = calm();
    this.network.heal();
    this.links.heal();
    this.troubles.heal();
  }

  /** Everything but the operator takes one look. */
  tend(): void {
    this.kubelet.tend();
    const groups = new Map([...this.runs.values()].map((run) => [run.agent.mounted.owner.clusterId, run]));
    for (const run of groups.values()) {
      this.#tendRaft(this.groupOf(run));
      noteParticipation({ ...this.trueGroupOf(run), runs: this.groupOf(run) });
    }
    for (const run of this.runs.values()) this.#tendHeld(run);
    for (const run of this.runs.values()) run.agent.publish(this.answer(run));
    this.#tendControllers();
  }

  /** Controllers look when something was written, or when a claim of a budget may have run out. */
  #tendControllers(): void {
    const { chance, weather, registry } = this;
    const isClaimed = registry.store
      .all(kinds.disruptionBudget)
      .some(({ status }) => status?.disruptedPods !== undefined);
    if (this.#isTended && !isClaimed) return;
    // What they write themselves is looked at again.
    this.#isTended = true;
    const looks = () => {
      const isInTime = chance.is(weather.controllerRate);
      if (!isInTime) this.#isTended = false;
      return isInTime;
    };
    if (looks()) tendStatefulSets(registry);
    tendClaims(registry, this.volumes);
    if (looks()) updateBudgets(registry);
    if (looks()) collectGarbage(registry);
  }

  #probe(run: PodRun): boolean {
    const { node, ready } = this.answer(run);
    return ready.ok && node.kind === "open";
  }

  #tendRaft(group: readonly PodRun[]): void {
    const { chance, chains, history } = this;
    tendGroup(
      {
        chance,
        chains,
        nowMs: () => this.nowMs,
        note: (what) => history.note(what),
        onFork: (what) => this.violate(what),
        onCommit: (run, epoch) => {
          const key = chainKey(run);
          const stoodMs = this.nowMs - this.#blockAtMs;
          this.#blockAtMs = this.nowMs;
          if (stoodMs >= STANDSTILL_MS) this.standstills.push(stoodMs);
          this.committedEpochs.set(key, Math.max(epoch, this.committedEpochs.get(key) ?? 0));
        },
        exit: (run, code, why) => {
          this.leaderEnds += 1;
          this.kubelet.containers.exit(run, code, why);
        },
        isCut: this.links.isCut,
      },
      group,
    );
  }

  #tendHeld(run: PodRun): void {
    if (run.volume.record?.change === undefined) return;
    const { nowMs, troubles, history } = this;
    const isHeard = (one: PodRun) => one.agentAwayUntilMs <= nowMs && !troubles.isLost(one.node);
    if (!isHeard(run)) return;
    const askAgain = (one: PodRun) => this.kubelet.containers.terminate(one);
    const note = (what: string) => history.note(what);
    tendHeld(run, { group: this.groupOf(run), isHeard, nowMs, askAgain, note });
  }

  #lag(): number {
    const { lagMs } = this.weather;
    if (lagMs === 0 || !this.chance.is(0.5)) return 0;
    this.counts.add("watch cache lagged");
    return this.chance.between(1, lagMs);
  }

  #listenerAt(ip: string) {
    const run = [...this.runs.values()].find((one) => one.ip === ip);
    if (run === undefined || run.agentAwayUntilMs > this.nowMs) return undefined;
    return {
      agent: run.agent,
      podUid: run.uid,
      answer: () => this.answer(run),
      blockAt: (height: number) => blockOf(run, this.answer(run), height),
    };
  }

  /** What a cluster that is being deleted wanted still holds: its pods are on their way. */
  #rebuildsUnasked(namespace: string, member: string): boolean {
    const cluster = this.registry.store.get(kinds.cluster, { namespace, name: member.replace(/-\d+$/, "") });
    return cluster !== undefined && cluster.spec.repair?.mode !== "Approve";
  }

  #furnish(): void {
    for (const name of [OPERATOR_NAMESPACE, MAIN.namespace, TWIN.namespace])
      this.registry.create(namespaceKind, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
    for (const { namespace } of [MAIN, TWIN]) this.registry.create(kinds.secret, signerSecret(namespace));
    this.registry.store.subscribe(({ kind, before, after }) => {
      const metadata = (after ?? before)?.metadata;
      if (metadata === undefined || kind === kinds.lease.kind) return;
      this.#isTended = false;
      const approved = before?.metadata.annotations?.[annotations.approveRejoin];
      if (approved !== undefined && after?.metadata.annotations?.[annotations.approveRejoin] !== approved)
        this.approvals.end(metadata.namespace ?? "", approved);
      const what = after === undefined ? "gone" : before === undefined ? "new" : "changed";
      const role = after?.metadata.labels?.[labels.role];
      const name = `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
      const version = metadata.resourceVersion ?? "";
      this.history.note(`  ${what} ${name} v${version}${role === undefined ? "" : ` role ${role}`}`);
    });
  }
}
