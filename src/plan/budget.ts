import { parseTimestampMs } from "../evnode/timestamp.ts";
import type { Member } from "../model/member.ts";
import { disruptionBudgetName } from "../model/names.ts";
import type { PodDisruptionBudget } from "../model/objects.ts";
import type { Action } from "./actions.ts";
import { objectKey, type Snapshot } from "./snapshot.ts";

export type BudgetVerdict =
  /** The budget is the member's, or there is none. */
  | { readonly kind: "held" }
  | { readonly kind: "claim"; readonly action: Action }
  | { readonly kind: "wait"; readonly why: string };

/** An eviction is written here a moment before its pod is deleted; what stands longer was not followed by one. */
const LEFT_OVER_MS = 3_000;
/** The budget's controller forgets an entry after two minutes. */
const RENEW_MS = 60_000;

/**
 * A restart in place is no eviction, and the disruption budget hears of it only when the pod is no longer ready: in
 * between a drain could take a second member. So the member is written into the budget's status first, exactly as the
 * eviction of a pod is, with the version of the budget as precondition: from then on evictions are refused. `isBack`
 * tells of which members it is certain that they take part.
 */
export function budgetFor(
  victim: Member,
  snapshot: Snapshot,
  isBack: (name: string) => boolean,
): BudgetVerdict {
  const budget = budgetOf(snapshot);
  if (!budget) return { kind: "held" };
  const { status, metadata } = budget;
  if (!status || (status.observedGeneration ?? 0) < (metadata.generation ?? 0))
    return { kind: "wait", why: "the disruption budget has not been looked at by its controller yet" };
  const entries = ageOfEntries(budget, snapshot);
  const held = entries.get(victim.name);
  if (held !== undefined && held < RENEW_MS) return { kind: "held" };

  const others = [...entries.keys()].filter((name) => name !== victim.name);
  const taken = others.find((name) => !isLeftOver(name, entries, snapshot) || !isBack(name));
  if (taken !== undefined) return { kind: "wait", why: `the disruption budget was used for ${taken}` };
  // One that is not ready is away by the budget's own count, which keeps evictions of others out.
  const { currentHealthy = 0, desiredHealthy = 0 } = status;
  const isAway = others.length === 0 && victim.pod?.ready === false;
  if (isAway && currentHealthy >= desiredHealthy) return { kind: "held" };
  const isFree = held !== undefined || others.length > 0 || (status.disruptionsAllowed ?? 0) > 0;
  if (!isFree) {
    return { kind: "wait", why: noRoom(currentHealthy, desiredHealthy) };
  }
  const disruptedPods = { [victim.name]: new Date(snapshot.nowMs).toISOString().replace(/\.\d+/, "") };
  const allowed = Math.max(0, (status.disruptionsAllowed ?? 0) - 1);
  const claimed = { ...status, disruptedPods, disruptionsAllowed: allowed };
  return { kind: "claim", action: write(budget, claimed, `${victim.name} is to be restarted`) };
}

/** Why an eviction of this member would be refused now; asking all the same uses the budget up for nobody. */
export function refusalOf(victim: Member, snapshot: Snapshot): string | undefined {
  const status = budgetOf(snapshot)?.status;
  const { disruptionsAllowed = 0, currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  if (!status || disruptionsAllowed > 0) return undefined;
  if (victim.pod?.ready === false && currentHealthy >= desiredHealthy) return undefined;
  return noRoom(currentHealthy, desiredHealthy);
}

const noRoom = (healthy: number, needed: number) =>
  `the disruption budget allows no disruption: ${healthy} pods are healthy, ${needed} have to be`;

/** Gives back what nobody uses any more, so that nobody has to wait until it is forgotten. */
export function releaseBudget(snapshot: Snapshot): Action[] {
  const budget = budgetOf(snapshot);
  if (!budget?.status) return [];
  const entries = ageOfEntries(budget, snapshot);
  const left = [...entries.keys()].filter((name) => !isLeftOver(name, entries, snapshot));
  if (left.length === entries.size) return [];
  const kept = Object.entries(budget.status.disruptedPods ?? {}).filter(([name]) => left.includes(name));
  const status = { ...budget.status, disruptedPods: Object.fromEntries(kept) };
  return [write(budget, status, "every member is back")];
}

/** The pod is there, and not on its way out. */
function isLeftOver(name: string, ages: ReadonlyMap<string, number>, { members }: Snapshot): boolean {
  const pod = members.find((member) => member.name === name)?.pod;
  return pod !== undefined && !pod.terminating && (ages.get(name) ?? 0) >= LEFT_OVER_MS;
}

/** Nobody holds a claim, and there is room for one. */
export function isBudgetFree(snapshot: Snapshot): boolean {
  const status = budgetOf(snapshot)?.status;
  if (!status) return true;
  return Object.keys(status.disruptedPods ?? {}).length === 0 && (status.disruptionsAllowed ?? 0) > 0;
}

export const hasBudget = (snapshot: Snapshot) => budgetOf(snapshot) !== undefined;

function budgetOf({ objects, cluster }: Snapshot): PodDisruptionBudget | undefined {
  const key = objectKey("PodDisruptionBudget", disruptionBudgetName(cluster.metadata.name));
  return objects.get(key) as PodDisruptionBudget | undefined;
}

function ageOfEntries({ status }: PodDisruptionBudget, { nowMs }: Snapshot): ReadonlyMap<string, number> {
  return new Map(
    Object.entries(status?.disruptedPods ?? {}).map(([name, at]) => {
      return [name, nowMs - (parseTimestampMs(at) ?? 0)];
    }),
  );
}

function write(budget: PodDisruptionBudget, status: PodDisruptionBudget["status"], why: string): Action {
  const { managedFields: _, ...metadata } = budget.metadata;
  return { kind: "claimBudget", budget: { ...budget, metadata, ...(status && { status }) }, why };
}
