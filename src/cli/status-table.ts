import type { EvNodeCluster } from "../api/evnodecluster.ts";
import { ageOf } from "./age.ts";
import { conditionOf, healthOf } from "./health.ts";
import type { Paint } from "./paint.ts";
import { renderTable } from "./table.ts";

export interface TableOptions {
  readonly nowMs: number;
  readonly paint: Paint;
  readonly isWide: boolean;
  readonly hasNamespaces: boolean;
}

/** All clusters, a line for each. */
export function statusTable(clusters: readonly EvNodeCluster[], options: TableOptions): readonly string[] {
  const { isWide, hasNamespaces, paint } = options;
  const header = [
    ...(hasNamespaces ? ["NAMESPACE"] : []),
    "NAME",
    "READY",
    "MEMBERS",
    "LEADER",
    "HEIGHT",
    "QUORUM",
    "PHASE",
    "UPDATED",
    "AGE",
    ...(isWide ? ["CHAIN", "IMAGE"] : []),
    "REASON",
  ];
  return renderTable([header.map(paint.dim), ...clusters.map((cluster) => rowOf(cluster, options))]);
}

function rowOf(cluster: EvNodeCluster, options: TableOptions): readonly string[] {
  const { isWide, hasNamespaces, nowMs, paint } = options;
  const { metadata, status = {}, spec } = cluster;
  const ready = conditionOf(cluster, "Ready");
  const colour = { well: paint.good, notWell: paint.bad, unknown: paint.warn }[healthOf(cluster)];
  return [
    ...(hasNamespaces ? [metadata.namespace ?? ""] : []),
    metadata.name,
    colour(ready?.status ?? "Unknown"),
    status.readyMembers ?? "-",
    status.leader ?? "-",
    status.height === undefined ? "-" : String(status.height),
    status.quorum ?? "-",
    status.phase ?? "-",
    status.updatedMembers ?? "-",
    ageOf(metadata.creationTimestamp, nowMs),
    ...(isWide ? [status.chainId ?? spec.chain.id, status.image ?? "-"] : []),
    ready?.reason ?? "-",
  ];
}
