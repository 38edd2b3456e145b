import type { KubeApi } from "../../../src/kube/api.ts";
import type { AskAgent, AskBlock } from "../../../src/observe/agent-client.ts";
import { OperatorProcess } from "../../../src/operator-process.ts";
import { makePlan } from "../../../src/plan/plan.ts";
import type { Snapshot } from "../../../src/plan/snapshot.ts";
import type { Plan } from "../../../src/plan/step.ts";
import type { Clock } from "../../../src/runtime/clock.ts";
import { newLogger } from "../../../src/telemetry/log.ts";
import { OperatorMetrics } from "../../../src/telemetry/operator-metrics.ts";
import type { VirtualClock } from "../../runtime/virtual-clock.ts";
import type { Chance } from "../chance.ts";
import type { Faults } from "../faults.ts";
import type { SimulatedClient } from "../simulated-client.ts";
import type { SimulatedServer } from "../simulated-server.ts";
import { Gate, gatedApi, gatedAsk, gatedClock } from "./gate.ts";

/** `membership`: the owner changes the number of members, too, and each seed is another course than a usual one. */
export const profiles = ["usual", "membership"] as const;
export type Profile = (typeof profiles)[number];

export const OPERATOR_NAMESPACE = "operators";

/** A part of the operator that is replaced by a broken one, to see whether it is noticed. */
export interface Variant {
  readonly name: string;
  /** When what is broken shows: while faults last, or only later. */
  readonly isSeen: "underFaults" | "inTheEnd";
  /** A seed shortly before the first that shows it, so that the tests need not run all from 1. */
  readonly firstSeed?: number;
  /** Of the seeds that show it. */
  readonly profile?: Profile;
  readonly plan?: (snapshot: Snapshot) => Plan;
  readonly api?: (api: KubeApi) => KubeApi;
  readonly clock?: (clock: Clock, gate: Gate) => Clock;
}

export interface SimulatedOperatorOptions {
  readonly name: string;
  readonly server: SimulatedServer;
  readonly clock: VirtualClock;
  readonly chance: Chance;
  readonly ask: AskAgent;
  readonly askBlock: AskBlock;
  readonly faults: Faults;
  readonly latencyMs: () => number;
  readonly variant: Variant;
  readonly note: (what: string) => void;
  /** A reconcile ended in an error that no world can be blamed for. */
  readonly onBug: (what: string) => void;
}

/** One pod of the operator: the real program, killed and started again under the same name. */
export class SimulatedOperator {
  readonly name: string;
  readonly #options: SimulatedOperatorOptions;
  readonly #client: SimulatedClient;
  #gate: Gate | undefined;
  #metrics: OperatorMetrics | undefined;
  #startAtMs = 0;

  constructor(options: SimulatedOperatorOptions) {
    const { name, server, latencyMs, faults } = options;
    this.name = name;
    this.#options = options;
    this.#client = server.client({ name, latencyMs, faults });
  }

  get client(): SimulatedClient {
    return this.#client;
  }

  /** What the process that runs now, or ran last, tells Prometheus. */
  get metrics(): OperatorMetrics | undefined {
    return this.#metrics;
  }

  get isRunning(): boolean {
    return this.#gate !== undefined;
  }

  /** Starts it when kubelet would. */
  tend(): void {
    if (this.#gate === undefined && this.#options.clock.monotonicMs() >= this.#startAtMs) this.#start();
  }

  kill(awayMs: number): void {
    if (this.#gate === undefined) return;
    this.#options.note(`${this.name} is killed`);
    this.#gate.kill();
    this.#ended(awayMs);
    this.#client.endWatches("closed");
  }

  /** The process stands still, as on a machine that is out of processors or asleep. */
  stop(forMs: number): void {
    const gate = this.#gate;
    if (gate === undefined) return;
    this.#options.note(`${this.name} stands still for ${forMs} ms`);
    gate.stop();
    this.#options.clock.after(forMs, () => {
      gate.stoodMs += forMs;
      gate.resume();
    });
  }

  #start(): void {
    const { clock, chance, ask, askBlock, variant, note, onBug } = this.#options;
    const gate = new Gate();
    const metrics = new OperatorMetrics("simulated");
    this.#gate = gate;
    this.#metrics = metrics;
    note(`${this.name} starts`);
    const api = gatedApi(this.#client, gate);
    const process = new OperatorProcess({
      config: {
        namespace: OPERATOR_NAMESPACE,
        identity: this.name,
        watchNamespace: undefined,
        agentImage: "example.org/operator:1",
        clusterDomain: "cluster.local",
        workers: 2,
        healthPort: 1,
        metricsPort: 0,
        metricsAccess: "kubernetes",
        metricsCertFolder: undefined,
        logLevel: "error",
      },
      log: loggerFor(gate, this.name, note, onBug),
      api: variant.api?.(api) ?? api,
      ask: gatedAsk(ask, gate),
      askBlock: gatedAsk(askBlock, gate),
      askOldSequencer: async () => ({ kind: "silent", why: "there is none" }),
      clock: (variant.clock ?? gatedClock)(clock, gate),
      random: chance.random,
      plan: variant.plan ?? makePlan,
      metrics,
    });
    const signal = new AbortController().signal;
    process.run(signal).then(
      (code) => this.#onEnd(gate, `${this.name} ends with ${code}`),
      (error: unknown) => onBug(`${this.name} fails: ${String(error)}`),
    );
  }

  #onEnd(gate: Gate, what: string): void {
    if (gate.isDead) return;
    this.#options.note(what);
    gate.kill();
    this.#ended(this.#options.chance.between(1_000, 5_000));
  }

  #ended(awayMs: number): void {
    this.#gate = undefined;
    this.#startAtMs = this.#options.clock.monotonicMs() + awayMs;
  }
}

/** Errors alone are logged, and an error is a fault of the program. */
function loggerFor(gate: Gate, name: string, note: (what: string) => void, onBug: (what: string) => void) {
  return newLogger("error", {
    write: (line: string) => {
      if (gate.isDead) return;
      const { msg, reason, err } = JSON.parse(line) as {
        msg?: string;
        reason?: string;
        err?: { stack?: string };
      };
      if (msg === "leadership was lost") note(`${name}: ${msg}: ${reason}`);
      else onBug(`${name}: ${msg}: ${err?.stack ?? reason ?? ""}`);
    },
  });
}
