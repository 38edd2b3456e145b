import { isDeepStrictEqual } from "node:util";
import { kinds } from "../../src/model/kinds.ts";
import type { Pod, PodDisruptionBudget } from "../../src/model/objects.ts";
import { type BudgetStatus, DELETION_TIMEOUT_MS, withCondition } from "./disruption-budget.ts";
import { selectionOf } from "./label-selector.ts";
import { isReady } from "./pod-health.ts";
import type { Registry } from "./registry.ts";

/** One look at every budget, as the disruption controller of Kubernetes takes it after each change of a pod or a budget. */
export function updateBudgets(registry: Registry): void {
  for (const budget of registry.store.all(kinds.disruptionBudget)) {
    const status = statusOf(registry, budget);
    if (isDeepStrictEqual(status, budget.status)) continue;
    registry.replaceStatus(kinds.disruptionBudget, { ...budget, status });
  }
}

function statusOf(registry: Registry, budget: PodDisruptionBudget): BudgetStatus {
  const { metadata, spec, status: before } = budget;
  const { nowMs } = registry;
  const pods = podsOf(registry, budget);
  const wanted = wantedOf(spec, pods, () => scaleOf(registry, pods));
  if (wanted.kind === "unknown") {
    return withCondition({ ...before, disruptionsAllowed: 0 }, nowMs, wanted.why);
  }
  const { expectedPods, desiredHealthy } = wanted;
  const disruptedPods = stillAwaited(before?.disruptedPods ?? {}, pods, nowMs);
  const currentHealthy = pods.filter((pod) => isHealthy(pod, disruptedPods)).length;
  // A budget that sees no pods yet must not allow anything when the first ones come.
  const disruptionsAllowed = expectedPods > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0;
  const status = {
    conditions: before?.conditions ?? [],
    currentHealthy,
    desiredHealthy,
    disruptionsAllowed,
    expectedPods,
    observedGeneration: metadata.generation ?? 0,
    ...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods }),
  };
  return withCondition(status, nowMs);
}

function podsOf({ store }: Registry, { metadata, spec }: PodDisruptionBudget): readonly Pod[] {
  const selects = selectionOf(spec?.selector);
  return store
    .all(kinds.pod)
    .filter((pod) => pod.metadata.namespace === metadata.namespace && selects(pod.metadata.labels ?? {}));
}

/** How many pods the controllers of the selected pods want in all, or why that is not known. */
type Scale =
  | { readonly kind: "known"; readonly replicas: number }
  | { readonly kind: "unknown"; readonly why: string };

type Wanted =
  | { readonly kind: "known"; readonly expectedPods: number; readonly desiredHealthy: number }
  | (Scale & { readonly kind: "unknown" });

/** The controllers of the pods are asked only by a budget that depends on how many there should be. */
function wantedOf(spec: PodDisruptionBudget["spec"], pods: readonly Pod[], askScale: () => Scale): Wanted {
  const { maxUnavailable, minAvailable = 0 } = spec ?? {};
  if (maxUnavailable === undefined && typeof minAvailable === "number") {
    return { kind: "known", expectedPods: pods.length, desiredHealthy: minAvailable };
  }
  const scale = askScale();
  if (scale.kind === "unknown") return scale;
  const { replicas: expectedPods } = scale;
  const desiredHealthy =
    maxUnavailable === undefined
      ? amountOf(minAvailable, expectedPods)
      : Math.max(0, expectedPods - amountOf(maxUnavailable, expectedPods));
  return { kind: "known", expectedPods, desiredHealthy };
}

/** Pods without a controller do not count. */
function scaleOf({ store }: Registry, pods: readonly Pod[]): Scale {
  const replicas = new Map<string, number>();
  for (const pod of pods) {
    const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller === true);
    if (owner === undefined) continue;
    const set = store.get(kinds.statefulSet, { ...pod.metadata, name: owner.name });
    if (set === undefined || set.metadata.uid !== owner.uid || owner.kind !== set.kind) {
      return { kind: "unknown", why: `found no controllers for pod "${pod.metadata.name}"` };
    }
    replicas.set(owner.uid, set.spec?.replicas ?? 1);
  }
  return { kind: "known", replicas: [...replicas.values()].reduce((sum, count) => sum + count, 0) };
}

/** A number, or a percentage that is rounded up. */
function amountOf(value: number | string, whole: number): number {
  return typeof value === "number" ? value : Math.ceil((Number.parseInt(value, 10) * whole) / 100);
}

/** Pods whose eviction was granted and whose deletion has still to be seen. */
function stillAwaited(
  disruptedPods: Readonly<Record<string, string>>,
  pods: readonly Pod[],
  nowMs: number,
): Readonly<Record<string, string>> {
  const awaited = pods.flatMap(({ metadata: { name, deletionTimestamp } }): (readonly [string, string])[] => {
    const since = disruptedPods[name];
    if (since === undefined || deletionTimestamp !== undefined) return [];
    return Date.parse(since) + DELETION_TIMEOUT_MS < nowMs ? [] : [[name, since]];
  });
  return Object.fromEntries(awaited);
}

function isHealthy(pod: Pod, disruptedPods: Readonly<Record<string, string>>): boolean {
  const { name, deletionTimestamp } = pod.metadata;
  return deletionTimestamp === undefined && disruptedPods[name] === undefined && isReady(pod);
}
