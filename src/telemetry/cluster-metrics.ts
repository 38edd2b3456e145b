import type { Status } from "../api/evnodecluster.ts";
import { keyOf } from "../model/kube-object.ts";
import type { Snapshot } from "../plan/snapshot.ts";
import { newsOf, type Told, toldAfter } from "./cluster-news.ts";
import { clusterSeries, labelsOf } from "./cluster-series.ts";
import type { MetricRegistry } from "./metric-registry.ts";
import type { Series } from "./metric-table.ts";

type ClusterLabels = ReturnType<typeof labelsOf>;

interface Known {
  readonly labels: ClusterLabels;
  readonly series: ReadonlyMap<string, Series>;
  readonly told: Told;
}

/**
 * The series of every cluster, as of its last reconcile. What a reconcile no longer says is removed, and with a cluster
 * everything of it, so there are never more series than there are clusters and members.
 */
export class ClusterMetrics {
  readonly #registry: MetricRegistry;
  readonly #known = new Map<string, Known>();

  constructor(registry: MetricRegistry) {
    this.#registry = registry;
  }

  /** A reconcile has seen this, and says that. */
  seen(snapshot: Snapshot, status: Status): void {
    const key = keyOf(snapshot.cluster.metadata);
    const labels = labelsOf(snapshot);
    const before = this.#known.get(key);
    if (before === undefined) this.#begin(labels);
    const told = before?.told ?? snapshot.cluster.status;
    this.#count(labels, told, status);
    const series = new Map(clusterSeries(snapshot, status).map((one) => [idOf(one), one]));
    for (const [id, one] of before?.series ?? []) if (!series.has(id)) this.#registry.drop(one);
    for (const [id, one] of series) if (before?.series.get(id)?.value !== one.value) this.#registry.put(one);
    this.#known.set(key, { labels, series, told: toldAfter(told, status) });
  }

  /** The cluster is gone, and its series with it. */
  forget(key: string): void {
    const known = this.#known.get(key);
    if (known === undefined) return;
    this.#known.delete(key);
    for (const one of known.series.values()) this.#registry.drop(one);
    this.#end(known.labels);
  }

  /** Counters begin at 0: a first event that is the first value would be no increase. */
  #begin(labels: ClusterLabels): void {
    const registry = this.#registry;
    registry.add("evnode_cluster_leader_changes_total", labels, 0);
    registry.add("evnode_cluster_blocks_missed_total", labels, 0);
    for (const result of results) registry.add("evnode_cluster_rollouts_total", { ...labels, result }, 0);
    registry.begin("evnode_cluster_handover_gap_seconds", labels);
    registry.begin("evnode_cluster_rollout_duration_seconds", labels);
  }

  #end(labels: ClusterLabels): void {
    const registry = this.#registry;
    registry.end("evnode_cluster_leader_changes_total", labels);
    registry.end("evnode_cluster_blocks_missed_total", labels);
    for (const result of results) registry.end("evnode_cluster_rollouts_total", { ...labels, result });
    registry.end("evnode_cluster_handover_gap_seconds", labels);
    registry.end("evnode_cluster_rollout_duration_seconds", labels);
  }

  #count(labels: ClusterLabels, told: Told | undefined, status: Status): void {
    const registry = this.#registry;
    const { hasNewLeader, handover, rollout } = newsOf(told, status);
    if (hasNewLeader) registry.add("evnode_cluster_leader_changes_total", labels);
    if (handover?.gapMs !== undefined)
      registry.observe("evnode_cluster_handover_gap_seconds", labels, handover.gapMs / 1_000);
    registry.add("evnode_cluster_blocks_missed_total", labels, handover?.blocksMissed ?? 0);
    if (rollout?.result === undefined) return;
    registry.add("evnode_cluster_rollouts_total", { ...labels, result: rollout.result });
    const { startedAt = "", finishedAt = "" } = rollout;
    const tookMs = Date.parse(finishedAt) - Date.parse(startedAt);
    if (tookMs >= 0) registry.observe("evnode_cluster_rollout_duration_seconds", labels, tookMs / 1_000);
  }
}

const results = ["Completed", "Reverted"] as const;

const idOf = ({ name, labels }: Series) => `${name} ${Object.values(labels).join(" ")}`;
