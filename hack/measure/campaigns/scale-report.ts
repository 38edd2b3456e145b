import { versions } from "../../local-cluster/layout.ts";
import {
  type AuditedRequest,
  concernsClusters,
  countBy,
  describeRequest,
  requestCounts,
} from "../audit-log.ts";
import type { Report } from "../campaign.ts";
import { ratio } from "../statistics.ts";
import type { Table } from "../table.ts";
import { facts, isNeedless, type OperatorFindings, type ScaleFindings, shownFact } from "./scale-facts.ts";
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

const BESIDE_NOTE =
  "Nothing runs the members of RabbitMQ's operator, so that it looks at each cluster every ten seconds. Beside it, this operator made its objects, with the requests for them, in a run of its own in which nothing ran its members either; all else is of its clusters that run.";

export function scaleReport(
  found: readonly ScaleFindings[],
  durations: Durations,
  ...ended: readonly Ended[]
): Report {
  const largest = found.at(-1);
  return {
    tables: [
      factsTable(found),
      ...comparisons(found),
      ...(largest === undefined ? [] : [requestsTable(largest)]),
    ],
    notes: [
      `Memory was read ${durations.settleSeconds} s after all ran; quiet time is the ${durations.quietSeconds} s after that, and as long are the writes after the restart counted. The operator is a process of the machine, with a heap of at most ${found.map(({ heapMib }) => heapMib).join(", ")} MiB. Members, their agents and their volumes are simulated by one other process; etcd, the API server and the controllers are real. An aim is for the largest number of clusters.`,
      ...(found.some(({ beside }) => beside) ? [BESIDE_NOTE] : []),
    ],
    failures: [
      ...found.flatMap(failuresOf),
      ...ended.map(({ clusters, why }) => `${clusters} clusters were not measured to the end: ${why}`),
    ],
    values: found.map((one) => ({
      ...summarised(one),
      beside: one.beside && {
        theirs: summarised(one.beside.theirs),
        bare: { ...one.beside.bare, creation: requestCounts(one.beside.bare.creation) },
      },
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

/** One for each number of clusters with which both were measured. */
function comparisons(found: readonly ScaleFindings[]): readonly Table[] {
  return found.flatMap((ours) => {
    const { beside, clusters } = ours;
    if (beside === undefined) return [];
    const { childrenMs, processorMs, creation } = beside.bare;
    const own = { ...ours, childrenMs, processorMs, creation };
    const rows = facts.flatMap(({ what, unit, of, isCompared }) => {
      if (!isCompared) return [];
      const [mine, other] = [of(own), of(beside.theirs)];
      return [[what, shownFact(mine, unit), shownFact(other, unit), ratio(mine, other)]];
    });
    const title = `Beside RabbitMQ's operator ${versions.rabbitmqOperator}, ${clusters} clusters`;
    return [{ title, columns: ["", "this operator", "RabbitMQ's", "ratio"], rows }];
  });
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

function summarised<T extends OperatorFindings>(one: T) {
  const { creation, quiet, restart } = one;
  const requests = requestCounts(restart.requests);
  return {
    ...one,
    creation: requestCounts(creation),
    quiet: requestCounts(quiet),
    restart: { ...restart, requests },
  };
}
