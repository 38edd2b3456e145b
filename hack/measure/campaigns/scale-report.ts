import { type AuditedRequest, concernsClusters, countBy, describeRequest } from "../audit-log.ts";
import type { Report } from "../campaign.ts";
import type { Table } from "../table.ts";
import { facts, isNeedless, type ScaleFindings, shownFact } from "./scale-facts.ts";
import { scalePicture } from "./scale-picture.ts";

interface Durations {
  readonly settleSeconds: number;
  readonly quietSeconds: number;
}

/** A number of clusters that was not measured to the end. */
interface Ended {
  readonly clusters: number;
  readonly why: string;
}

export function scaleReport(
  found: readonly ScaleFindings[],
  durations: Durations,
  ...ended: readonly Ended[]
): Report {
  const largest = found.at(-1);
  return {
    tables: [factsTable(found), ...(largest === undefined ? [] : [requestsTable(largest)])],
    notes: [
      `Memory was read ${durations.settleSeconds} s after all ran; quiet time is the ${durations.quietSeconds} s after that, and as long are the writes after the restart counted. The operator is a process of the machine, with a heap of at most ${found.map(({ heapMib }) => heapMib).join(", ")} MiB. Members, their agents and their volumes are simulated by one other process; etcd, the API server and the controllers are real. An aim is for the largest number of clusters.`,
    ],
    failures: [
      ...found.flatMap(failuresOf),
      ...ended.map(({ clusters, why }) => `${clusters} clusters were not measured to the end: ${why}`),
    ],
    values: found.map((one) => ({
      ...one,
      creation: summary(one.creation),
      quiet: summary(one.quiet),
      restart: { ...one.restart, requests: summary(one.restart.requests) },
    })),
    picture: scalePicture(found, facts),
  };
}

function factsTable(found: readonly ScaleFindings[]): Table {
  const most = found.at(-1)?.clusters ?? 0;
  return {
    title: "One operator, by the number of clusters",
    columns: ["", ...found.map(({ clusters }) => String(clusters)), "aim"],
    rows: facts.map((fact) => [
      fact.what,
      ...found.map((one) => shownFact(fact.of(one), fact.unit)),
      fact.aim === undefined ? "" : `≤ ${shownFact(fact.aim(most), fact.unit)}`,
    ]),
  };
}

function requestsTable({ creation, clusters }: ScaleFindings): Table {
  const counts = countBy(creation.filter(concernsClusters), describeRequest);
  return {
    title: `What the operator asked for each of ${clusters} new clusters`,
    columns: ["", "in all", "for each cluster"],
    rows: counts.map(([what, count]) => [what, String(count), (count / clusters).toFixed(1)]),
  };
}

function failuresOf({ clusters, quiet, restart, changedMs }: ScaleFindings): readonly string[] {
  const at = `with ${clusters} clusters`;
  const writes = (requests: readonly AuditedRequest[], when: string) =>
    countBy(requests.filter(isNeedless), describeRequest).map(
      ([what, count]) => `${at} there were ${count} writes ${when}: ${what}`,
    );
  return [
    ...writes(quiet, "in the quiet time"),
    ...writes(restart.requests, "after the restart"),
    ...(restart.allReconciledMs === undefined
      ? [`${at} not every one was reconciled after the restart`]
      : []),
    ...(changedMs === undefined ? [`${at} the change did not come to every StatefulSet`] : []),
  ];
}

const summary = (requests: readonly AuditedRequest[]) =>
  Object.fromEntries(countBy(requests, describeRequest));
