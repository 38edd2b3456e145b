import type { EvNodeCluster, Status } from "../api/evnodecluster.ts";
import type { KubeApi } from "../kube/api.ts";
import { isRetryable, toKubeError } from "../kube/errors.ts";
import { kinds } from "../model/kinds.ts";
import { keyOf } from "../model/kube-object.ts";
import type { World } from "../observe/world.ts";
import { noticeOf, noticesOf } from "../plan/notices.ts";
import type { Snapshot } from "../plan/snapshot.ts";
import { sameMeaning, sameStatus, statusOf } from "../plan/status.ts";
import type { Plan } from "../plan/step.ts";
import type { Outcome } from "./act.ts";
import type { Events } from "./events.ts";
import type { ProgressRation } from "./progress-ration.ts";

export interface ReportDependencies {
  readonly api: KubeApi;
  readonly world: World;
  readonly events: Events;
  readonly ration: ProgressRation;
  readonly mayWrite: () => boolean;
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
  const before = cluster.status;
  const acts = outcome.done.flatMap(({ action }) => noticeOf(action, snapshot) ?? []);
  const isGone = outcome.done.some(({ action }) => action.kind === "removeFinalizer");
  if (deps.mayWrite())
    await deps.events.tell(cluster, [...acts, ...(isGone ? [] : noticesOf(before, status))]);
  if (isGone) return;
  const key = keyOf(cluster.metadata);
  if (sameStatus(before, status)) return deps.ration.skip(key);
  if (!sameMeaning(before, status)) deps.ration.wrote(key);
  else if (!deps.ration.take(key)) return;
  await writeStatus(deps, cluster, status);
}

async function writeStatus(
  { api, world, mayWrite }: ReportDependencies,
  cluster: EvNodeCluster,
  status: Status,
): Promise<void> {
  if (!mayWrite()) return;
  const ref = { namespace: cluster.metadata.namespace ?? "", name: cluster.metadata.name };
  // An own write of this run, such as the finalizer, may have made a newer version.
  const current = (await world.watched(kinds.cluster, ref)) ?? cluster;
  try {
    world.wrote(kinds.cluster, await api.replaceStatus(kinds.cluster, { ...current, status }));
  } catch (thrown) {
    const error = toKubeError(thrown);
    world.forget(kinds.cluster, ref);
    // Somebody wrote the object meanwhile; its event brings the next run. One that is gone needs no status.
    if (error.kind !== "Conflict" && error.kind !== "NotFound") throw error;
  }
}
