import type { PodDisruptionBudget } from "../../src/model/objects.ts";
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
