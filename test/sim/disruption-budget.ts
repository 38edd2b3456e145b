import { kinds } from "../../src/model/kinds.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import type { PodDisruptionBudget } from "../../src/model/objects.ts";
import type { Cause } from "./refused.ts";
import { timestamp } from "./wire.ts";

export type BudgetStatus = NonNullable<PodDisruptionBudget["status"]>;
type Condition = NonNullable<BudgetStatus["conditions"]>[number];

/** A pod that an eviction was granted for and that is still there after this long counts again. */
export const DELETION_TIMEOUT_MS = 120_000;

/** The status with the condition that says whether the budget allows a disruption. */
export function withCondition(status: BudgetStatus, nowMs: number, failure?: string): BudgetStatus {
  const isAllowed = (status.disruptionsAllowed ?? 0) > 0;
  const verdict = isAllowed ? "SufficientPods" : "InsufficientPods";
  const wanted = {
    type: "DisruptionAllowed",
    status: isAllowed ? ("True" as const) : ("False" as const),
    reason: failure === undefined ? verdict : "SyncFailed",
    message: failure ?? "",
    observedGeneration: status.observedGeneration ?? 0,
  };
  const known = status.conditions?.find(({ type }) => type === wanted.type);
  const since = known?.status === wanted.status ? known.lastTransitionTime : timestamp(nowMs);
  const condition: Condition = { ...wanted, lastTransitionTime: since };
  const others = status.conditions?.filter(({ type }) => type !== wanted.type) ?? [];
  return { ...status, conditions: [...others, condition] };
}

/** The server takes any status of a budget, whoever writes it, whose counts are no less than nothing. */
export function negativeCounts(object: KubeObject): readonly Cause[] {
  if (object.kind !== kinds.disruptionBudget.kind) return [];
  const { status } = object as PodDisruptionBudget;
  const { disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods } = status ?? {};
  return Object.entries({ disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods })
    .filter(([, count = 0]) => count < 0)
    .map(([field, count]) => ({
      field: `status.${field}`,
      reason: "FieldValueInvalid",
      message: `Invalid value: ${count}: must be greater than or equal to 0`,
    }));
}
