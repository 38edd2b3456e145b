import { annotations, labels } from "../../../src/model/annotations.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { namespaceKind } from "../../namespace-kind.ts";
import { seededRandom } from "../../runtime/seeded-random.ts";
import { VirtualClock } from "../../runtime/virtual-clock.ts";
import { Chance } from "../chance.ts";
import { updateBudgets } from "../disruption-controller.ts";
import { collectGarbage } from "../garbage-collector.ts";
import { AgentNetwork } from "../member/agent-network.ts";
import { answerOf } from "../member/answers.ts";
import { Chains } from "../member/chain.ts";
import type { PodRun } from "../member/pod-run.ts";
import { tendGroup } from "../member/raft-group.ts";
import type { Volume } from "../member/volume.ts";
import { Kubelet } from "../node/kubelet.ts";
import { tendStatefulSets } from "../node/stateful-sets.ts";
import { tendClaims } from "../node/volume-binder.ts";
import { SimulatedServer } from "../simulated-server.ts";
import { Approvals } from "./approvals.ts";
import { FaultCounts } from "./fault-counts.ts";
import { History } from "./history.ts";
import { OPERATOR_NAMESPACE } from "./simulated-operator.ts";
import { MAIN, signerSecret, TWIN } from "./wanted.ts";

/** How bad the world is at the moment; all zero when it is well. */
export interface Weather {
  lagMs: number;
  lossRate: number;
  failRate: number;
  lostAnswerRate: number;
  lateRate: number;
  killRate: number;
  stopRate: number;
}

export const calm = (): Weather => ({
  lagMs: 0,
  lossRate: 0,
  failRate: 0,
  lostAnswerRate: 0,
  lateRate: 0,
  killRate: 0,
  stopRate: 0,
});

/** All that is outside the operator: Kubernetes, its nodes, the members, and the network between. */
export class Universe {
  readonly clock = new VirtualClock();
  readonly chance: Chance;
  readonly history: History;
  readonly counts = new FaultCounts();
  readonly approvals = new Approvals();
  readonly server: SimulatedServer;
  readonly volumes = new Map<string, Volume>();
  readonly runs = new Map<string, PodRun>();
  readonly chains = new Chains();
  readonly kubelet: Kubelet;
  readonly network: AgentNetwork;
  readonly violations: string[] = [];
  weather: Weather = calm();
  #tendedVersion = 0;

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
      volumes: this.volumes,
      runs: this.runs,
      nowMs: () => clock.monotonicMs(),
      note: (what) => this.history.note(what),
      isReady: (run) => this.answer(run).ready.ok,
      onOrder: (run, order) => this.approvals.onOrder(run, order, (what) => this.violate(what)),
      onStart: (run) => this.approvals.onStart(run),
    });
    this.network = new AgentNetwork({
      clock,
      chance,
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

  answer(run: PodRun) {
    return answerOf(run, this.groupOf(run), this.clock.nowMs());
  }

  groupOf({ agent }: PodRun): readonly PodRun[] {
    const { clusterId } = agent.mounted.owner;
    return [...this.runs.values()].filter((one) => one.agent.mounted.owner.clusterId === clusterId);
  }

  /** Everything but the operator takes one look. */
  tend(): void {
    this.kubelet.tend();
    const groups = new Map([...this.runs.values()].map((run) => [run.agent.mounted.owner.clusterId, run]));
    for (const run of groups.values()) this.#tendRaft(this.groupOf(run));
    for (const run of this.runs.values()) run.agent.publish(this.answer(run));
    const { store } = this.registry;
    if (store.version === this.#tendedVersion) return;
    this.#tendedVersion = store.version;
    if (this.chance.is(0.8)) tendStatefulSets(this.registry);
    tendClaims(this.registry, this.volumes);
    updateBudgets(this.registry);
    if (this.chance.is(0.8)) collectGarbage(this.registry);
    else this.#tendedVersion = 0;
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
        exit: (run, code, why) => this.kubelet.exit(run, code, why),
      },
      group,
    );
  }

  #lag(): number {
    const { lagMs } = this.weather;
    if (lagMs === 0 || !this.chance.is(0.5)) return 0;
    this.counts.add("watch cache lagged");
    return this.chance.between(1, lagMs);
  }

  #listenerAt(ip: string) {
    const run = [...this.runs.values()].find((one) => one.ip === ip);
    return run && { agent: run.agent, answer: () => this.answer(run) };
  }

  #furnish(): void {
    for (const name of [OPERATOR_NAMESPACE, MAIN.namespace, TWIN.namespace])
      this.registry.create(namespaceKind, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
    for (const { namespace } of [MAIN, TWIN]) this.registry.create(kinds.secret, signerSecret(namespace));
    this.registry.store.subscribe(({ kind, before, after }) => {
      const metadata = (after ?? before)?.metadata;
      if (metadata === undefined || kind === kinds.lease.kind) return;
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
