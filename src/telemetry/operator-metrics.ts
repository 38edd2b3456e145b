import type { CallRecord } from "../kube/node-client.ts";
import type { Finished } from "../runtime/controller.ts";
import type { QueueObserver, Unfinished } from "../runtime/queue.ts";
import { ClusterMetrics } from "./cluster-metrics.ts";
import { MetricRegistry } from "./metric-registry.ts";

/** What is read at a scrape, all of it from memory. */
export interface Followed {
  readonly isLeading: boolean;
  readonly workers: number;
  readonly running: number;
  readonly depth: number;
  readonly unfinished: Unfinished;
  readonly watches: readonly WatchFigures[];
}

interface WatchFigures {
  readonly kind: string;
  readonly hasSynced: boolean;
  readonly silentMs: number;
}

export interface ProcessFigures {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly startedAtMs: number;
}

/** Name of the controller and of its queue, as dashboards for controllers have them: the resource in lower case. */
const controller = "evnodecluster";
const ofQueue = { controller, name: controller } as const;
export const LEASE_NAME = "evnode-operator";

/** All metrics of one operator. */
export class OperatorMetrics {
  readonly #registry = new MetricRegistry();
  readonly clusters = new ClusterMetrics(this.#registry);
  #followed: (() => Followed) | undefined;
  /** What was counted at the scrape before. */
  #cpuSeconds = 0;

  constructor(version: string) {
    this.#registry.set("evnode_operator_build_info", { version }, 1);
    this.#registry.set("leader_election_master_status", { name: LEASE_NAME }, 0);
    for (const result of ["error", "requeue_after", "success"])
      this.#registry.add("controller_runtime_reconcile_total", { controller, result }, 0);
    this.#registry.add("workqueue_adds_total", ofQueue, 0);
    this.#registry.add("workqueue_retries_total", ofQueue, 0);
    this.#registry.add("controller_runtime_reconcile_errors_total", { controller }, 0);
    this.#registry.add("controller_runtime_reconcile_panics_total", { controller }, 0);
  }

  readonly queue: QueueObserver = {
    added: () => this.#registry.add("workqueue_adds_total", ofQueue),
    handedOut: (waitedMs) =>
      this.#registry.observe("workqueue_queue_duration_seconds", ofQueue, waitedMs / 1_000),
    done: (workedMs) => this.#registry.observe("workqueue_work_duration_seconds", ofQueue, workedMs / 1_000),
    retried: () => this.#registry.add("workqueue_retries_total", ofQueue),
  };

  finished(how: Finished, tookMs: number): void {
    const result = resultOf(how);
    if (result === undefined) return;
    this.#registry.add("controller_runtime_reconcile_total", { controller, result });
    this.#registry.observe("controller_runtime_reconcile_time_seconds", { controller }, tookMs / 1_000);
    if (result === "error") this.#registry.add("controller_runtime_reconcile_errors_total", { controller });
    if (how.kind === "bug") this.#registry.add("controller_runtime_reconcile_panics_total", { controller });
  }

  called({ verb: said, kind, status, tookMs }: CallRecord): void {
    const verb = verbs.get(said) ?? said;
    const method = methods.get(verb) ?? "GET";
    const code = status === undefined ? "<error>" : String(status);
    this.#registry.add("rest_client_requests_total", { verb, method, kind, code });
    this.#registry.observe("rest_client_request_duration_seconds", { verb }, tookMs / 1_000);
    if (verb === "watch" && status === 200) this.#registry.add("evnode_watch_starts_total", { kind });
  }

  watchFailed(kind: string): void {
    this.#registry.add("evnode_watch_failures_total", { kind });
  }

  /** From now on these are part of every scrape. */
  follow(followed: () => Followed): void {
    this.#followed = followed;
  }

  /** All series in Prometheus' text format, as they are now. `pause` lets others work in between. */
  async text(process: ProcessFigures, pause: () => Promise<void>): Promise<string> {
    const registry = this.#registry;
    if (this.#followed) this.#read(this.#followed());
    registry.add("process_cpu_seconds_total", {}, Math.max(0, process.cpuSeconds - this.#cpuSeconds));
    this.#cpuSeconds = process.cpuSeconds;
    registry.set("process_resident_memory_bytes", {}, process.residentBytes);
    registry.set("process_start_time_seconds", {}, process.startedAtMs / 1_000);
    return registry.text(pause);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #read({ isLeading, workers, running, depth, unfinished, watches }: Followed): void {
    const registry = this.#registry;
    registry.set("leader_election_master_status", { name: LEASE_NAME }, Number(isLeading));
    registry.set("controller_runtime_max_concurrent_reconciles", { controller }, workers);
    registry.set("controller_runtime_active_workers", { controller }, running);
    registry.set("workqueue_depth", ofQueue, depth);
    registry.set("workqueue_unfinished_work_seconds", ofQueue, unfinished.totalMs / 1_000);
    registry.set("workqueue_longest_running_processor_seconds", ofQueue, unfinished.longestMs / 1_000);
    for (const { kind, hasSynced, silentMs } of watches) {
      registry.set("evnode_watch_synced", { kind }, Number(hasSynced));
      registry.set("evnode_watch_last_event_age_seconds", { kind }, silentMs / 1_000);
    }
  }
}

function resultOf(how: Finished): "error" | "requeue_after" | "success" | undefined {
  switch (how.kind) {
    case "done":
      return how.recheckAfterMs === undefined ? "success" : "requeue_after";
    case "retry":
    case "deadline":
    case "bug":
      return "error";
    case "stopped":
      return undefined;
  }
}

/** Verbs of error messages that are more than one word. */
const verbs = new Map([["update the status of", "update_status"]]);
const methods = new Map([
  ["create", "POST"],
  ["evict", "POST"],
  ["replace", "PUT"],
  ["update_status", "PUT"],
  ["patch", "PATCH"],
  ["delete", "DELETE"],
]);
