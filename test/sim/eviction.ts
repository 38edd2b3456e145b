import type { EvictOptions } from "../../src/kube/api.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { ObjectRef } from "../../src/model/kube-object.ts";
import type { Pod, PodDisruptionBudget } from "../../src/model/objects.ts";
import { type BudgetStatus, withCondition } from "./disruption-budget.ts";
import { selectionOf } from "./label-selector.ts";
import { isReady } from "./pod-health.ts";
import { Refused } from "./refused.ts";
import type { Registry } from "./registry.ts";
import { timestamp } from "./wire.ts";

/**
 * What a POST to a pod's eviction does. The order is the API server's own: the budget is asked, and used up, before
 * the preconditions are looked at.
 */
export function evict(registry: Registry, ref: ObjectRef, options: EvictOptions): void {
  const pod = registry.require(kinds.pod, ref);
  if (!isOutsideBudget(pod)) {
    const budget = budgetOf(registry, pod);
    if (budget !== undefined && !isFreeOfCharge(pod, budget)) useUp(registry, pod, budget);
  }
  markAndDelete(registry, pod, options);
}

/** A pod that never ran, has ended or is on its way out is no disruption. */
function isOutsideBudget({ metadata, status }: Pod): boolean {
  if (metadata.deletionTimestamp !== undefined) return true;
  return ["Pending", "Succeeded", "Failed"].includes(status?.phase ?? "");
}

function budgetOf({ store }: Registry, { metadata }: Pod): PodDisruptionBudget | undefined {
  const budgets = store
    .all(kinds.disruptionBudget)
    .filter((budget) => budget.metadata.namespace === metadata.namespace)
    .filter((budget) => selectionOf(budget.spec?.selector)(metadata.labels ?? {}));
  if (budgets.length > 1) {
    const message =
      "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
    throw new Refused(500, undefined, message);
  }
  return budgets[0];
}

/** A pod that is not ready may go as long as enough others are, or always, if the policy says so. */
function isFreeOfCharge(pod: Pod, { spec, status }: PodDisruptionBudget): boolean {
  if (isReady(pod)) return false;
  if (spec?.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

/** The budget is less by one at once: its controller may not have seen anything yet when the next eviction comes. */
function useUp(registry: Registry, pod: Pod, budget: PodDisruptionBudget): void {
  const { status, metadata } = budget;
  if (status === undefined || (status.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
    throw refusedByBudget("is still being processed by the server.", budget, 10);
  }
  const { disruptionsAllowed: allowed = 0 } = status;
  if (allowed === 0) throw refusedByBudget(shortage(status), budget, 0);
  const disruptionsAllowed = allowed - 1;
  const disruptedPods = { ...status.disruptedPods, [pod.metadata.name]: timestamp(registry.nowMs) };
  const left = { ...status, disruptionsAllowed, disruptedPods };
  const next = disruptionsAllowed > 0 ? left : withCondition(left, registry.nowMs);
  registry.replaceStatus(kinds.disruptionBudget, { ...budget, status: next });
}

function shortage({ conditions = [], currentHealthy = 0, desiredHealthy = 0 }: BudgetStatus): string {
  const failure = conditions.find(({ reason }) => reason === "SyncFailed");
  if (failure !== undefined)
    return `does not allow evicting pods currently because it failed sync: ${failure.message}`;
  if (currentHealthy <= desiredHealthy)
    return `needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  return "does not allow evicting pods currently";
}

function refusedByBudget(why: string, { metadata }: PodDisruptionBudget, retryAfterSeconds: number): Refused {
  const message = "Cannot evict pod as it would violate the pod's disruption budget.";
  const causes = [{ reason: "DisruptionBudget", message: `The disruption budget ${metadata.name} ${why}` }];
  return new Refused(429, "TooManyRequests", message, { retryAfterSeconds, causes });
}

/** The condition tells others, such as a Job, why the pod went. */
function markAndDelete(registry: Registry, pod: Pod, options: EvictOptions): void {
  const { preconditions, gracePeriodSeconds } = options;
  registry.requireMatch(kinds.pod, pod, preconditions);
  const isTarget = ({ type }: { readonly type: string }) => type === "DisruptionTarget";
  const conditions = pod.status?.conditions ?? [];
  const isMarked = conditions.some((condition) => isTarget(condition) && condition.status === "True");
  if (!isMarked) {
    const others = conditions.filter((condition) => !isTarget(condition));
    const status = { ...pod.status, conditions: [...others, disruptionTarget(registry.nowMs)] };
    registry.replaceStatus(kinds.pod, { ...pod, status });
  }
  const grace = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds };
  registry.delete(kinds.pod, pod.metadata, { preconditions: { uid: preconditions.uid }, ...grace });
}

function disruptionTarget(nowMs: number) {
  return {
    type: "DisruptionTarget",
    status: "True" as const,
    reason: "EvictionByEvictionAPI",
    message: "Eviction API: evicting",
    lastTransitionTime: timestamp(nowMs),
  };
}
