import {
  type AuditedRequest,
  concernsClusters,
  countBy,
  describeRequest,
  isWrite,
  requestCounts,
} from "../audit-log.ts";
import type { Report } from "../campaign.ts";
import type { Restart } from "../operator-restart.ts";
import { type ContainerMemory, type Memory, mebibytes } from "../process-memory.ts";
import { duration, type Table } from "../table.ts";

export interface MemoryFindings {
  readonly clusters: number;
  readonly settleSeconds: number;
  readonly quietSeconds: number;
  /** Of a real cluster, and of the installed operator that looks after it. */
  readonly agents: readonly ContainerMemory[];
  readonly installed: readonly ContainerMemory[];
  readonly readyAfterMs: number;
  readonly empty: Memory;
  readonly withOne: Memory;
  readonly withAll: Memory;
  readonly allRunningMs: number;
  /** What the operator used of the processor meanwhile. */
  readonly creationProcessorMs: number;
  /** Requests while all but the first cluster were created, while all calmed down, and in the quiet time after that. */
  readonly creation: readonly AuditedRequest[];
  readonly settling: readonly AuditedRequest[];
  readonly quiet: readonly AuditedRequest[];
  readonly restart: Restart;
}

export function memoryReport(found: MemoryFindings): Report {
  const { clusters, settleSeconds, quietSeconds, quiet, restart, allRunningMs } = found;
  const created = clusters - 1;
  const requests = [...found.creation, ...found.settling].filter(concernsClusters);
  const restartWrites = restart.requests.filter((request) => isWrite(request) && concernsClusters(request));
  return {
    tables: [
      memoryTable(found),
      {
        title: `Requests for each of ${created} clusters created at once, until ${settleSeconds} s after all ran`,
        columns: ["", "in all", "for each cluster"],
        rows: [["all", requests.length], ...countBy(requests, describeRequest)].map(([what, count]) => [
          String(what),
          String(count),
          perCluster(Number(count), created),
        ]),
      },
      {
        title: "Times",
        columns: ["", ""],
        rows: [
          [`${created} clusters created at once, until all are Running`, duration(allRunningMs)],
          ["processor time of the operator for that", duration(found.creationProcessorMs)],
          ["start of the program until it is ready, no cluster", duration(found.readyAfterMs)],
          [`restart with ${clusters} clusters until it is ready`, duration(restart.readyAfterMs)],
          ["restart until the first cluster is reconciled", duration(restart.firstReconcileMs)],
          ["restart until every cluster is reconciled", duration(restart.allReconciledMs)],
        ],
      },
      {
        title: "Writes, but for the Lease",
        columns: ["", "in all"],
        rows: [
          [
            `${quietSeconds} s of quiet with ${clusters} clusters`,
            String(quiet.filter(isClusterWrite).length),
          ],
          [`the ${quietSeconds} s after the restart`, String(restartWrites.length)],
        ],
      },
    ],
    notes: [
      `Memory was read ${settleSeconds} s after the last change. The operator with simulated members is a process of the machine with the heap limit that it has in a container.`,
    ],
    failures:
      restart.allReconciledMs === undefined ? ["not every cluster was reconciled after the restart"] : [],
    values: {
      ...found,
      creation: requestCounts(found.creation),
      settling: requestCounts(found.settling),
      quiet: requestCounts(quiet),
      restart: { ...restart, requests: requestCounts(restart.requests) },
    },
  };
}

const isClusterWrite = (request: AuditedRequest) => isWrite(request) && concernsClusters(request);
const perCluster = (count: number, clusters: number) =>
  clusters === 0 ? "-" : (count / clusters).toFixed(1);

function memoryTable({ clusters, empty, withOne, withAll, agents, installed }: MemoryFindings): Table {
  const row = (what: string, { residentBytes, anonymousBytes }: Memory, workingSetBytes?: number) => {
    return [what, mebibytes(residentBytes), mebibytes(anonymousBytes), mebibytes(workingSetBytes)];
  };
  const ofContainer = (what: string, memory: ContainerMemory) => row(what, memory, memory.workingSetBytes);
  return {
    title: "Memory",
    columns: ["", "resident", "of it its own", "against the limit"],
    rows: [
      row("operator, no cluster", empty),
      row("operator, 1 cluster of simulated members", withOne),
      row(`operator, ${clusters} clusters of simulated members`, withAll),
      ...installed.map((memory) => ofContainer("installed operator's container", memory)),
      ...agents.map((memory) => ofContainer(`agent of ${memory.pod}`, memory)),
    ],
  };
}
