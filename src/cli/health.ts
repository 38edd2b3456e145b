import type { Condition, EvNodeCluster } from "../api/evnodecluster.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";

export const conditionOf = ({ status }: EvNodeCluster, type: string): Condition | undefined =>
  status?.conditions?.find((condition) => condition.type === type);

/** Whether any operator has looked at the cluster: before that, the API server fills in a generation that is none. */
export const isKnown = ({ status }: EvNodeCluster): boolean => (status?.observedGeneration ?? -1) >= 0;

/** Whether the status is about the spec as it is now. */
export function isLookedAt({ metadata, status }: EvNodeCluster): boolean {
  return status?.observedGeneration !== undefined && status.observedGeneration === metadata.generation;
}

export type Health = "well" | "notWell" | "unknown";

/** By `Ready` of the spec as it is now. What nobody has looked at is unknown. */
export function healthOf(cluster: EvNodeCluster): Health {
  const ready = conditionOf(cluster, "Ready")?.status;
  if (ready === undefined || ready === "Unknown" || !isLookedAt(cluster)) return "unknown";
  return ready === "True" ? "well" : "notWell";
}

/** Of several clusters, the worst: one that is not well counts for more than one that nobody knows about. */
export function codeOf(clusters: readonly EvNodeCluster[]): ExitCode {
  const all = clusters.map(healthOf);
  if (all.includes("notWell")) return exitCodes.notWell;
  return all.includes("unknown") ? exitCodes.unknown : exitCodes.well;
}
