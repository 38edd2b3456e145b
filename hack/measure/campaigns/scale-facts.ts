import { type AuditedRequest, concernsClusters, isWrite } from "../audit-log.ts";
import type { Creation, Phases } from "../scale-phases.ts";
import { duration } from "../table.ts";

/** One operator with one number of clusters. */
export interface OperatorFindings extends Omit<Phases, "settledMs" | "metrics"> {
  readonly clusters: number;
  /** Only of this operator: nothing runs the members of another. */
  readonly runningMs?: number;
  readonly reconcileMs?: Readonly<Record<"p50" | "p99", number | undefined>>;
}

export interface ScaleFindings extends OperatorFindings {
  /** What the operator's heap was limited to. */
  readonly heapMib: number;
  readonly beside: Beside | undefined;
}

/** Another operator in the same run. */
export interface Beside {
  readonly theirs: OperatorFindings;
  /** This one where nothing runs the members, as nothing runs theirs. */
  readonly bare: Creation;
}

/** What a row says of one number of clusters, as text and for the picture. */
export interface Fact {
  readonly what: string;
  readonly unit: "ms" | "MiB" | "";
  readonly of: (found: OperatorFindings) => number | undefined;
  /** Means the same of another operator. */
  readonly isCompared?: true;
  /** What is aimed at, which may grow with the number of clusters. */
  readonly aim?: (clusters: number) => number;
}

const MIB = 2 ** 20;

export const facts: readonly Fact[] = [
  {
    what: "created at once, until all objects exist",
    unit: "ms",
    of: ({ childrenMs }) => childrenMs,
    isCompared: true,
  },
  { what: "until all are Running", unit: "ms", of: ({ runningMs }) => runningMs },
  {
    what: "processor time of the operator for that",
    unit: "ms",
    of: ({ processorMs }) => processorMs,
    isCompared: true,
  },
  {
    what: "requests for each new cluster",
    unit: "",
    of: ({ creation, clusters }) => creation.filter(concernsClusters).length / clusters,
    aim: () => 14,
    isCompared: true,
  },
  {
    what: "memory when settled",
    unit: "MiB",
    of: ({ memory }) => memory.residentBytes / MIB,
    aim: (clusters) => 100 + 0.1 * clusters,
    isCompared: true,
  },
  { what: "of it its own", unit: "MiB", of: ({ memory }) => memory.anonymousBytes / MIB, isCompared: true },
  { what: "quiet time: requests", unit: "", of: ({ quiet }) => quiet.filter(concernsClusters).length },
  { what: "of them writes of progress", unit: "", of: ({ quiet }) => quiet.filter(isProgress).length },
  {
    what: "of them other writes",
    unit: "",
    of: ({ quiet }) => quiet.filter(isNeedless).length,
    aim: () => 0,
    isCompared: true,
  },
  { what: "processor time of the operator meanwhile", unit: "ms", of: (found) => found.quietProcessorMs },
  {
    what: "restart, from the Lease until all are reconciled",
    unit: "ms",
    of: ({ restart: { allReconciledMs, leadsMs } }) =>
      allReconciledMs === undefined || leadsMs === undefined ? undefined : allReconciledMs - leadsMs,
    aim: () => 3_000,
    isCompared: true,
  },
  {
    what: "writes after it, but for progress",
    unit: "",
    of: ({ restart }) => restart.requests.filter(isNeedless).length,
    aim: () => 0,
    isCompared: true,
  },
  {
    what: "one field changed, until on all StatefulSets",
    unit: "ms",
    of: ({ changedMs }) => changedMs,
    isCompared: true,
  },
  { what: "a reconcile, median", unit: "ms", of: ({ reconcileMs }) => reconcileMs?.p50 },
  { what: "a reconcile, 99 of 100 are faster", unit: "ms", of: ({ reconcileMs }) => reconcileMs?.p99 },
];

export function shownFact(value: number | undefined, unit: Fact["unit"]): string {
  if (value === undefined) return "-";
  if (unit === "ms") return duration(value);
  const digits = Number.isInteger(value) || unit === "MiB" ? 0 : 1;
  return `${value.toFixed(digits)}${unit === "" ? "" : ` ${unit}`}`;
}

const isProgress = (request: AuditedRequest) =>
  isWrite(request) && request.resource === "evnodeclusters" && request.subresource === "status";
export const isNeedless = (request: AuditedRequest) =>
  isWrite(request) && concernsClusters(request) && !isProgress(request);
