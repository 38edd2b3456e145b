import { defaultTiming } from "../../../src/evnode/raft-timing.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { say } from "../../local-cluster/progress.ts";
import { campaign } from "../campaign.ts";
import { interleaved } from "../interleave.ts";
import { started } from "../joining.ts";
import { provideNamespace } from "../namespaces.ts";
import { leaderAddress, manifestOf, type OperatedCluster, operatedCluster } from "../operated-cluster.ts";
import type { Members } from "../pods.ts";
import { type RoleChanges, recordRoles, roleTimeline } from "../role-timeline.ts";
import { pause, pollUntil, type Session } from "../session.ts";
import { duration } from "../table.ts";
import { type KillScene, killLeader, type Takeover } from "../takeover.ts";
import { firstArrival, hasArrived, type Sender, sendTransactions } from "../transactions.ts";
import { createYardstick, newYardstick } from "../yardstick-cluster.ts";
import { type Following, failoverReport, type OurKill } from "./failover-report.ts";

const REPLICAS = 3;
const BLOCK_TIME = "200ms";
const START_TIMEOUT_MS = 180_000;
const FOLLOW_TIMEOUT_MS = 30_000;
/** Before a leader is killed, its cluster has been quiet for so long. */
const SETTLE_MS = 5_000;

export const failover = campaign({
  name: "failover",
  about: "a leader's ev-node killed with SIGKILL: label, Service, transactions, and the gap in the chain",
  options: {
    runs: { full: 10, short: 2, about: "leaders killed in the operator's cluster" },
    "evnode-timing": { full: 0, short: 0, about: "1: our cluster, too, has ev-node's own Raft time-outs" },
    "yardstick-runs": { full: 10, short: 1, about: "leaders killed in the StatefulSet" },
  },
  async run(session, options) {
    const namespace = await provideNamespace(session, "failover");
    const [cluster, yardstick] = [
      await ours(session, namespace, options["evnode-timing"] === 1),
      await theirs(session, namespace),
    ];
    const mine: OurKill[] = [];
    const other: Takeover[] = [];
    const order = interleaved(options.runs, options["yardstick-runs"]);
    for (const [index, side] of order.entries()) {
      await pause(SETTLE_MS, session);
      const progress = `kill ${index + 1} of ${order.length}`;
      if (side === "ours") {
        const kill = await killOurs(session, cluster, index);
        mine.push(kill);
        say(`${progress}, operator: ${describe(kill)}`);
      } else {
        const kill = await killLeader(session, yardstick, async () => undefined);
        other.push(kill);
        say(`${progress}, StatefulSet: ${describe(kill)}`);
      }
    }
    return failoverReport(mine, other);
  },
});

async function ours(session: Session, namespace: string, asEvnode: boolean): Promise<OperatedCluster> {
  const common = { namespace, name: "chain", replicas: REPLICAS, blockTime: BLOCK_TIME } as const;
  const wish = asEvnode ? { ...common, raftTiming: defaultTiming } : common;
  await session.api.create(kinds.cluster, manifestOf(wish));
  return started(session, operatedCluster(wish), START_TIMEOUT_MS);
}

async function theirs(session: Session, namespace: string): Promise<Members> {
  const yardstick = await newYardstick(namespace, "yardstick", REPLICAS, BLOCK_TIME);
  await createYardstick(session, yardstick);
  return started(session, yardstick, START_TIMEOUT_MS);
}

async function killOurs(session: Session, cluster: OperatedCluster, index: number): Promise<OurKill> {
  const record = await recordRoles(session, cluster);
  const address = await leaderAddress(session, cluster);
  let sender: Sender | undefined;
  try {
    return await killLeader(session, cluster, async (scene) => {
      sender = sendTransactions(session, async () => address, `run-${index}`);
      return follow(session, record.changes, sender, scene);
    });
  } finally {
    await Promise.all([record.stop(), sender?.stop()]);
  }
}

/** Looks on until label and Service are where they belong, and until a transaction has arrived. */
async function follow(
  session: Session,
  changes: RoleChanges,
  sender: Sender,
  { killedAtMs, newLeader }: KillScene,
): Promise<Following> {
  const pod = await newLeader;
  const ip = pod?.status?.podIP;
  if (!pod || ip === undefined) return { roles: undefined, arrival: undefined, lostTransactions: 0 };
  const timeline = () => roleTimeline(changes, pod.metadata.name, killedAtMs);
  const isComplete = async () => {
    const { newLabelMs, serviceMs } = timeline();
    return (newLabelMs !== undefined && serviceMs !== undefined) || undefined;
  };
  const [arrival] = await Promise.all([
    firstArrival(session, sender, ip, FOLLOW_TIMEOUT_MS),
    pollUntil(isComplete, { everyMs: 100, timeoutMs: FOLLOW_TIMEOUT_MS }, session),
  ]);
  await sender.stop();
  await pause(SETTLE_MS, session);
  const accepted = sender.sent.filter(({ acceptedMs }) => acceptedMs !== undefined);
  const arrived = await Promise.all(accepted.map(async ({ key }) => hasArrived(ip, key)));
  const sinceKill = (atMs: number | undefined) => (atMs === undefined ? undefined : atMs - killedAtMs);
  const { overlaps, oldLabelGoneMs, newLabelMs, serviceMs } = timeline();
  return {
    roles: {
      overlaps,
      oldLabelGoneMs: sinceKill(oldLabelGoneMs),
      newLabelMs: sinceKill(newLabelMs),
      serviceMs: sinceKill(serviceMs),
    },
    arrival: arrival && {
      acceptedMs: arrival.acceptedMs - killedAtMs,
      arrivedMs: arrival.arrivedMs - killedAtMs,
    },
    lostTransactions: arrived.filter((hasCome) => !hasCome).length,
  };
}

function describe({ oldLeader, newLeader, electedMs, gapMs, allBackMs }: Takeover): string {
  const after = `elected after ${duration(electedMs)}, gap ${duration(gapMs)}, all back after ${duration(allBackMs)}`;
  return `${oldLeader} -> ${newLeader ?? "nobody"}, ${after}`;
}
