import type { EvNodeCluster, Status } from "../api/evnodecluster.ts";
import type { KubeApi } from "../kube/api.ts";
import { isRetryable, KubeError } from "../kube/errors.ts";
import { kinds } from "../model/kinds.ts";
import { type KubeObject, keyOf } from "../model/kube-object.ts";
import type { World } from "../observe/world.ts";
import { type Notice, noticeOf, noticesOf } from "../plan/notices.ts";
import type { Snapshot } from "../plan/snapshot.ts";
import { canWait, sameMeaning, sameStatus, statusOf } from "../plan/status.ts";
import type { Plan } from "../plan/step.ts";
import type { Outcome } from "./act.ts";
import type { Events } from "./events.ts";
import type { Gathering } from "./gathering.ts";
import type { ProgressRation } from "./progress-ration.ts";

export interface ReportDependencies {
  readonly api: KubeApi;
  readonly world: World;
  readonly events: Events;
  readonly ration: ProgressRation;
  readonly gathering: Gathering;
  readonly mayWrite: () => boolean;
  /** Told every status, written or not, for metrics. */
  readonly onStatus?: (snapshot: Snapshot, status: Status) => void;
}

/** Tells what was seen and done: the status when it says something new, and events for what is news. */
export async function report(
  deps: ReportDependencies,
  snapshot: Snapshot,
  plan: Plan,
  outcome: Outcome,
): Promise<void> {
  const { cluster } = snapshot;
  const refusals = outcome.failures
    .filter(({ error }) => !isRetryable(error))
    .map(({ error }) => error.message);
  const status = statusOf(snapshot, plan, refusals);
  deps.onStatus?.(snapshot, status);
  // What was done is done once, whatever becomes of the status.
  for (const { action } of outcome.done) {
    const notice = noticeOf(action, snapshot);
    if (!notice) continue;
    await tell(deps, cluster, [notice]);
    // Whoever looks at a pod that was restarted has to find out why there.
    if (action.kind === "updatePod" || action.kind === "removePod")
      await tell(deps, action.member.pod?.object ?? cluster, [notice]);
  }
  const isGone = outcome.done.some(({ action }) => action.kind === "removeFinalizer");
  if (isGone || !isDue(deps, snapshot, status)) return;
  // News of a status that was not written are the next run's, which finds them again.
  if (await writeStatus(deps, cluster, status)) await tell(deps, cluster, noticesOf(cluster.status, status));
}

async function tell(
  { events, mayWrite }: ReportDependencies,
  about: KubeObject,
  notices: readonly Notice[],
): Promise<void> {
  for (const notice of notices) if (mayWrite()) await events.tell(about, [notice]);
}

function isDue({ ration, gathering }: ReportDependencies, snapshot: Snapshot, status: Status): boolean {
  const { cluster, nowMs } = snapshot;
  const key = keyOf(cluster.metadata);
  if (!sameMeaning(cluster.status, status)) {
    if (canWait(cluster, status, nowMs) && gathering.mayWait(key)) return false;
    gathering.end(key);
    ration.wrote(key);
    return true;
  }
  gathering.end(key);
  if (!sameStatus(cluster.status, status)) return ration.take(key);
  ration.skip(key);
  return false;
}

/** Whether it was written. */
async function writeStatus(
  { api, world, mayWrite }: ReportDependencies,
  cluster: EvNodeCluster,
  status: Status,
): Promise<boolean> {
  if (!mayWrite()) return false;
  const ref = { namespace: cluster.metadata.namespace ?? "", name: cluster.metadata.name };
  // An own write of this run, such as the finalizer, may have made a newer version.
  const current = (await world.watched(kinds.cluster, ref)) ?? cluster;
  try {
    world.wrote(kinds.cluster, await api.replaceStatus(kinds.cluster, { ...current, status }));
    return true;
  } catch (error) {
    world.forget(kinds.cluster, ref);
    if (!(error instanceof KubeError) || (error.kind !== "Conflict" && error.kind !== "NotFound"))
      throw error;
    // Somebody wrote it meanwhile, or it is gone. A watch that is mute would show it as it was, for minutes.
    await world.askAbout(kinds.cluster, current);
    return false;
  }
}
