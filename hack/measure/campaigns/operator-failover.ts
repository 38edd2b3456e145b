import { kinds } from "../../../src/model/kinds.ts";
import { say } from "../../local-cluster/progress.ts";
import { campaign } from "../campaign.ts";
import {
  type Going,
  type LeaseRecord,
  operatorsAreReady,
  provideReplicas,
  recordLease,
  takeAway,
  takenAtMs,
} from "../installed-operator.ts";
import { started } from "../joining.ts";
import { provideNamespace } from "../namespaces.ts";
import { manifestOf, type OperatedCluster, operatedCluster } from "../operated-cluster.ts";
import { requireLocal } from "../provide-cluster.ts";
import { type RoleChanges, recordRoles, roleTimeline } from "../role-timeline.ts";
import { serviceGap } from "../service-gap.ts";
import { pause, pollUntil, type Session } from "../session.ts";
import { duration } from "../table.ts";
import { type KillScene, killLeader } from "../takeover.ts";
import { type Absence, operatorFailoverReport, type Steering } from "./operator-failover-report.ts";

const START_TIMEOUT_MS = 180_000;
const FOLLOW_TIMEOUT_MS = 90_000;
/** Before anything goes, operator and cluster have been quiet for so long. */
const SETTLE_MS = 5_000;
/** A container that was killed once is not killed again: `lost` removes its pod. */
const order: readonly Going[] = ["killed", "lost", "stopped"];

export const operatorFailover = campaign({
  name: "operator-failover",
  about: "the active one of two operators killed, lost or stopped, and the leader's ev-node killed meanwhile",
  options: {
    runs: { full: 5, short: 1, about: "times that the active operator goes in each way" },
  },
  async run(session, { runs }) {
    requireLocal(session);
    const namespace = await provideNamespace(session, "takeover");
    const wish = { namespace, name: "chain", replicas: 3, blockTime: "200ms" } as const;
    await session.api.create(kinds.cluster, manifestOf(wish));
    const cluster = operatedCluster(wish);
    await provideReplicas(session, 2);
    await started(session, cluster, START_TIMEOUT_MS);
    const absences: Absence[] = [];
    for (let run = 1; run <= runs; run += 1) {
      for (const going of order) {
        const absence = await absenceOf(session, cluster, going);
        absences.push(absence);
        say(`run ${run} of ${runs}, ${going}: without an operator for ${duration(absence.withoutMs)}`);
      }
    }
    return operatorFailoverReport(absences);
  },
});

async function absenceOf(session: Session, cluster: OperatedCluster, going: Going): Promise<Absence> {
  await operatorsAreReady(session, 2);
  await pause(SETTLE_MS, session);
  const [roles, lease] = [await recordRoles(session, cluster), await recordLease(session)];
  try {
    const goneAtMs = await takeAway(session, going);
    const takeover = await killLeader(session, cluster, async (scene) =>
      steering(session, { roles: roles.changes, lease, goneAtMs }, scene),
    );
    const takenMs = takenAtMs(lease.changes, goneAtMs);
    const { seen, electedMs, gapMs, killedAtMs, allBackMs } = takeover;
    return {
      going,
      withoutMs: takenMs === undefined ? undefined : takenMs - goneAtMs,
      killedAfterMs: killedAtMs - goneAtMs,
      electedMs,
      gapMs,
      allBackMs,
      steering: seen,
    };
  } finally {
    await Promise.all([roles.stop(), lease.stop()]);
  }
}

interface Records {
  readonly roles: RoleChanges;
  readonly lease: LeaseRecord;
  readonly goneAtMs: number;
}

/** Looks on until the Lease is held again, and the Service leads to the new leader alone. */
async function steering(
  session: Session,
  { roles, lease, goneAtMs }: Records,
  { killedAtMs, newLeader }: KillScene,
): Promise<Steering | undefined> {
  const leader = (await newLeader)?.metadata.name;
  if (leader === undefined) return undefined;
  const timeline = () => roleTimeline(roles, leader, killedAtMs);
  const isOver = async () => {
    const { serviceMs, newLabelMs } = timeline();
    const isHeld = takenAtMs(lease.changes, goneAtMs) !== undefined;
    return (isHeld && serviceMs !== undefined && newLabelMs !== undefined) || undefined;
  };
  await pollUntil(isOver, { everyMs: 100, timeoutMs: FOLLOW_TIMEOUT_MS }, session);
  const { serviceMs, overlaps } = timeline();
  if (serviceMs === undefined) return { serviceMs, overlaps, toNobodyMs: undefined, toAnotherMs: undefined };
  const gap = serviceGap(roles.slices, leader, { fromMs: killedAtMs, untilMs: serviceMs });
  return { serviceMs: serviceMs - killedAtMs, overlaps, ...gap };
}
