import { type AuditedRequest, concernsClusters, isWrite } from "../audit-log.ts";
import type { Memory } from "../process-memory.ts";
import type { Restart } from "../simulated/fleet.ts";
import { duration } from "../table.ts";

export interface ScaleFindings {
  readonly clusters: number;
  /** What the operator's heap was limited to. */
  readonly heapMib: number;
  /** From the first create until the operator had created the last object of the last cluster. */
  readonly childrenMs: number;
  readonly runningMs: number;
  /** What the operator used of the processor until all were running. */
  readonly processorMs: number;
  /** Of the operator, from the first create until all was calm. */
  readonly creation: readonly AuditedRequest[];
  readonly memory: Memory;
  /** Of the operator, in the quiet time after that. */
  readonly quiet: readonly AuditedRequest[];
  readonly quietProcessorMs: number;
  readonly restart: Restart;
  /** From the first edit until the template of every StatefulSet was written. */
  readonly changedMs: number | undefined;
  readonly reconcileMs: Readonly<Record<"p50" | "p99", number | undefined>>;
}

/** The operator makes an object of a cluster. */
export const isChild = ({ verb, resource, code, subresource }: AuditedRequest) =>
  verb === "create" && subresource === undefined && code < 300 && !["events", "leases"].includes(resource);

/** What a row says of one number of clusters, as text and for the picture. */
export interface Fact {
  readonly what: string;
  readonly unit: "ms" | "MiB" | "";
  readonly of: (found: ScaleFindings) => number | undefined;
  /** What is aimed at, which may grow with the number of clusters. */
  readonly aim?: (clusters: number) => number;
}

const MIB = 2 ** 20;

export const facts: readonly Fact[] = [
  { what: "created at once, until all objects exist", unit: "ms", of: ({ childrenMs }) => childrenMs },
  { what: "until all are Running", unit: "ms", of: ({ runningMs }) => runningMs },
  { what: "processor time of the operator for that", unit: "ms", of: ({ processorMs }) => processorMs },
  {
    what: "requests for each new cluster",
    unit: "",
    of: ({ creation, clusters }) => creation.filter(concernsClusters).length / clusters,
    aim: () => 14,
  },
  {
    what: "memory when settled",
    unit: "MiB",
    of: ({ memory }) => memory.residentBytes / MIB,
    aim: (clusters) => 100 + 0.1 * clusters,
  },
  { what: "of it its own", unit: "MiB", of: ({ memory }) => memory.anonymousBytes / MIB },
  { what: "quiet time: requests", unit: "", of: ({ quiet }) => quiet.filter(concernsClusters).length },
  { what: "of them writes of progress", unit: "", of: ({ quiet }) => quiet.filter(isProgress).length },
  {
    what: "of them other writes",
    unit: "",
    of: ({ quiet }) => quiet.filter(isNeedless).length,
    aim: () => 0,
  },
  { what: "processor time of the operator meanwhile", unit: "ms", of: (found) => found.quietProcessorMs },
  {
    what: "restart, from the Lease until all are reconciled",
    unit: "ms",
    of: ({ restart: { allReconciledMs, leadsMs } }) =>
      allReconciledMs === undefined || leadsMs === undefined ? undefined : allReconciledMs - leadsMs,
    aim: () => 3_000,
  },
  {
    what: "writes after it, but for progress",
    unit: "",
    of: ({ restart }) => restart.requests.filter(isNeedless).length,
    aim: () => 0,
  },
  { what: "one field changed, until on all StatefulSets", unit: "ms", of: ({ changedMs }) => changedMs },
  { what: "a reconcile, median", unit: "ms", of: ({ reconcileMs }) => reconcileMs.p50 },
  { what: "a reconcile, 99 of 100 are faster", unit: "ms", of: ({ reconcileMs }) => reconcileMs.p99 },
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
