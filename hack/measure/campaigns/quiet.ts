import { kinds } from "../../../src/model/kinds.ts";
import { operatorNamespace } from "../../demo/install.ts";
import { say } from "../../local-cluster/progress.ts";
import { type AuditedRequest, AuditReader, countBy, describeRequest, isWrite } from "../audit-log.ts";
import { campaign, type Report } from "../campaign.ts";
import { started } from "../joining.ts";
import { provideNamespace } from "../namespaces.ts";
import { manifestOf, operatedCluster } from "../operated-cluster.ts";
import { operatorUser, requireLocal } from "../provide-cluster.ts";
import { pause, type Session } from "../session.ts";

const START_TIMEOUT_MS = 180_000;

/** What an operator asks of the API server while nothing happens. */
export const quiet = campaign({
  name: "quiet",
  about: "API requests of the operator while nothing happens, from the audit log",
  options: {
    minutes: { full: 10, short: 2, about: "how long nothing happens" },
    "settle-seconds": {
      full: 60,
      short: 20,
      about: "before that: after a start there is still something to tell",
    },
    clusters: { full: 2, short: 1, about: "clusters of 3 members that run meanwhile" },
  },
  async run(session, { minutes, clusters, "settle-seconds": settleSeconds }) {
    const user = await operatorUser(session.kubectl);
    const namespace = await provideNamespace(session, "quiet");
    for (let number = 0; number < clusters; number += 1) await startCluster(session, namespace, number);
    say(`${clusters} clusters run; waiting until everything is told`);
    await pause(settleSeconds * 1_000, session);
    const reader = await AuditReader.fromNow(requireLocal(session).auditLog);
    await pause(minutes * 60_000, session);
    const requests = await reader.next((request) => request.user === user);
    return quietReport(requests, { namespace, minutes, clusters });
  },
});

async function startCluster(session: Session, namespace: string, number: number): Promise<void> {
  const wish = { namespace, name: `chain-${number}`, replicas: 3, blockTime: "1s" } as const;
  await session.api.create(kinds.cluster, manifestOf(wish));
  await started(session, operatedCluster(wish), START_TIMEOUT_MS);
}

interface QuietTime {
  readonly namespace: string;
  readonly minutes: number;
  readonly clusters: number;
}

/** Other clusters may be busy at the same time, so only what concerns ours is counted, and the Lease. */
export function quietReport(
  all: readonly AuditedRequest[],
  { namespace, minutes, clusters }: QuietTime,
): Report {
  const requests = all.filter((request) => request.namespace === namespace || isLease(request));
  const writes = requests.filter(isWrite);
  const statusWrites = writes.filter(isStatus);
  const others = writes.filter((request) => !isLease(request) && !isStatus(request));
  const row = ([what, count]: readonly [string, number]) => [
    what,
    String(count),
    (count / minutes).toFixed(1),
  ];
  const perCluster = countBy(statusWrites, ({ name = "?" }) => name);
  const tooMany = perCluster.filter(([, count]) => count > minutes);
  return {
    tables: [
      {
        title: `Requests of the operator in ${minutes} quiet minutes with ${clusters} clusters`,
        columns: ["", "in all", "a minute"],
        rows: countBy(requests, describeRequest).map(row),
      },
      {
        title: "Of them writes",
        columns: ["", "in all", "a minute"],
        rows: countBy(writes, describeRequest).map(row),
      },
    ],
    notes: [
      `Not counted: ${all.length - requests.length} requests about other namespaces, and watches that are under way.`,
    ],
    failures: [
      ...countBy(others, describeRequest).map(
        ([what, count]) => `${count} writes beyond Lease and status: ${what}`,
      ),
      ...tooMany.map(([name, count]) => `${count} writes of the status of ${name} in ${minutes} minutes`),
    ],
    values: { requests: countBy(requests, describeRequest), statusWrites: perCluster },
  };
}

const isLease = ({ resource, namespace }: AuditedRequest) =>
  resource === "leases" && namespace === operatorNamespace;
const isStatus = ({ resource, subresource }: AuditedRequest) =>
  resource === "evnodeclusters" && subresource === "status";
