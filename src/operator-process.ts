import { actAll } from "./act/act.ts";
import { Events } from "./act/events.ts";
import { Gathering } from "./act/gathering.ts";
import { ProgressRation } from "./act/progress-ration.ts";
import { report } from "./act/report.ts";
import type { Status } from "./api/evnodecluster.ts";
import type { Config } from "./config.ts";
import type { KubeApi } from "./kube/api.ts";
import type { Leadership } from "./kube/leadership.ts";
import { LeaderElection } from "./kube/lease.ts";
import { kinds } from "./model/kinds.ts";
import { keyOf } from "./model/kube-object.ts";
import type { AskAgent, AskBlock } from "./observe/agent-client.ts";
import { Agents } from "./observe/agents.ts";
import { followPod } from "./observe/follow-pod.ts";
import { observe } from "./observe/observe.ts";
import type { AskOldSequencer } from "./observe/old-sequencer-client.ts";
import { OldSequencers } from "./observe/old-sequencers.ts";
import { Partings } from "./observe/partings.ts";
import { World } from "./observe/world.ts";
import type { Snapshot } from "./plan/snapshot.ts";
import type { Plan } from "./plan/step.ts";
import { newReconcile } from "./reconcile.ts";
import type { Clock } from "./runtime/clock.ts";
import { Controller, type Finished } from "./runtime/controller.ts";
import { Queue } from "./runtime/queue.ts";
import type { Random } from "./runtime/random.ts";
import { logFinished, logOutcome, stuck } from "./telemetry/controller-log.ts";
import type { Logger } from "./telemetry/log.ts";
import { type Followed, LEASE_NAME, type OperatorMetrics } from "./telemetry/operator-metrics.ts";
import { Watches } from "./watches.ts";

/** One reconcile may take this long: a few API calls, each with a deadline of its own. */
const RECONCILE_DEADLINE_MS = 120_000;

/** Running reconciles get this long to end when the operator stops; Kubernetes kills it after 30 s. */
const STOP_GRACE_MS = 10_000;

export interface OperatorProcessDependencies {
  readonly config: Config;
  readonly log: Logger;
  readonly api: KubeApi;
  readonly ask: AskAgent;
  readonly askBlock: AskBlock;
  readonly askOldSequencer: AskOldSequencer;
  readonly clock: Clock;
  readonly random: Random;
  readonly plan: (snapshot: Snapshot) => Plan;
  readonly metrics: OperatorMetrics;
}

/**
 * All of the operator between its ports: the Kubernetes API, the agents, time and chance. What the operating system
 * gives, such as the environment and the health pages, is `operator.ts`; the simulator runs this in a world of its own.
 */
export class OperatorProcess {
  readonly #deps: OperatorProcessDependencies;
  readonly #queue: Queue;
  readonly #agents: Agents;
  readonly #oldSequencers: OldSequencers;
  readonly #partings: Partings;
  readonly #watches: Watches;
  readonly #controller: Controller;
  /** While it holds a leadership, this process may write. */
  #leadership: Leadership | undefined;

  constructor(deps: OperatorProcessDependencies) {
    this.#deps = deps;
    const { config, log, api, ask, clock, random, metrics } = deps;
    this.#queue = new Queue({ clock, observer: metrics.queue });
    this.#agents = new Agents(ask, clock, random, (key) => this.#queue.add(key));
    this.#oldSequencers = new OldSequencers(deps.askOldSequencer, clock, (key) => this.#queue.add(key));
    this.#partings = new Partings(deps.askBlock, clock, (key) => this.#queue.add(key));
    this.#watches = new Watches({
      api,
      clock,
      random,
      log,
      namespace: config.watchNamespace,
      onChange: (key) => this.#queue.add(key),
      onPod: (pod, isGone) => this.#leadership && followPod(this.#agents, pod, isGone),
      onWatchFailure: (kind) => metrics.watchFailed(kind),
    });
    this.#controller = this.#newController();
    metrics.follow(() => this.#figures());
  }

  /** For the liveness probe: what hangs. */
  stuck(): readonly string[] {
    return stuck(this.#controller);
  }

  get hasSynced(): boolean {
    return this.#watches.hasSynced;
  }

  /** What metrics read at a scrape. */
  #figures(): Followed {
    return {
      isLeading: this.#leadership !== undefined && !this.#leadership.signal.aborted,
      workers: this.#deps.config.workers,
      running: this.#controller.stats().running,
      depth: this.#queue.depth,
      unfinished: this.#queue.unfinished(),
      watches: this.#watches.health(),
    };
  }

  /** Runs until the signal aborts, or leadership is lost. Returns the exit code. */
  async run(signal: AbortSignal): Promise<number> {
    const stopWatching = new AbortController();
    const watching = this.#watches.run(stopWatching.signal);
    try {
      await Promise.race([this.#watches.synced(), aborted(signal)]);
      return await this.#lead(signal);
    } finally {
      stopWatching.abort(new Error("the operator stops"));
      await watching;
      await this.#agents.stop();
      await this.#oldSequencers.stop();
      await this.#partings.stop();
    }
  }

  /** Waits for leadership, works until the signal aborts or leadership is lost, and gives it back. */
  async #lead(signal: AbortSignal): Promise<number> {
    const { config, log, api, clock, random } = this.#deps;
    const election = new LeaderElection({
      api,
      lease: { namespace: config.namespace, name: LEASE_NAME },
      // A pod runs one process at a time, so one that was killed takes its own Lease up again at once.
      identity: config.identity,
      clock,
      random,
      onFailure: (error) => log.warn({ reason: error.message }, "the Lease was not written"),
    });
    const leadership = await election.acquire(signal);
    if (!leadership) return 0;

    log.info("this operator leads");
    this.#leadership = leadership;
    for (const pod of this.#watches.all(kinds.pod)) followPod(this.#agents, pod, false);
    this.#controller.start();
    await Promise.race([aborted(signal), aborted(leadership.signal)]);
    const isLost = !signal.aborted;
    const left = await this.#controller.stop(isLost ? 0 : STOP_GRACE_MS);
    if (left.length > 0) log.warn({ clusters: left }, "stopped in the middle of a reconcile");
    this.#leadership = undefined;
    await leadership.release();
    if (isLost) log.error({ reason: String(leadership.signal.reason) }, "leadership was lost");
    return isLost ? 1 : 0;
  }

  #newController(): Controller {
    const { config, log, api, clock, random, plan, metrics } = this.#deps;
    const world = new World(api, this.#watches.stores, clock);
    const settings = {
      agentImage: config.agentImage,
      clusterDomain: config.clusterDomain,
      operatorNamespace: config.namespace,
      watchNamespace: config.watchNamespace,
    };
    const mayWrite = (signal: AbortSignal) => () =>
      !signal.aborted && (this.#leadership?.stillLeading() ?? false);
    const ration = new ProgressRation(clock);
    const gathering = new Gathering(clock);
    const onLost = (why: string) => log.warn({ why }, "an event was lost");
    const events = new Events({ api, clock, random, instance: config.identity, onLost });
    const onStatus = (snapshot: Snapshot, status: Status) => {
      try {
        metrics.clusters.seen(snapshot, status);
      } catch (err) {
        // A reconcile must outlive a broken metric.
        log.error({ cluster: keyOf(snapshot.cluster.metadata), err }, "the metrics of a cluster failed");
      }
    };
    const seen = { agents: this.#agents, oldSequencers: this.#oldSequencers, partings: this.#partings };
    const told = { api, world, events, ration, gathering, onStatus };
    const reconcile = newReconcile({
      observe: (namespace, name, look) => observe({ world, ...seen, settings, clock }, namespace, name, look),
      plan,
      act: async (snapshot, plan, signal) => {
        const outcome = await actAll(
          { api, world, random, clock, mayWrite: mayWrite(signal) },
          snapshot,
          plan,
        );
        logOutcome(log, keyOf(snapshot.cluster.metadata), outcome);
        return outcome;
      },
      report: (snapshot, plan, outcome, signal) =>
        report({ ...told, mayWrite: mayWrite(signal) }, snapshot, plan, outcome),
      reportDueInMs: (key) => Math.min(ration.dueInMs(key), gathering.dueInMs(key)),
      forget: (key) => {
        ration.forget(key);
        gathering.end(key);
        events.forget(key);
        this.#oldSequencers.forget(key);
        this.#partings.forget(key);
        world.forgetCluster(key);
        metrics.clusters.forget(key);
      },
    });
    const onFinished = (key: string, how: Finished, tookMs: number) => {
      metrics.finished(how, tookMs);
      logFinished(log, key, how);
    };
    return new Controller({
      queue: this.#queue,
      reconcile,
      clock,
      workers: config.workers,
      deadlineMs: RECONCILE_DEADLINE_MS,
      onFinished,
    });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
