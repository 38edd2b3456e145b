import type { Failure, Outcome } from "./act/act.ts";
import { isRetryable } from "./kube/errors.ts";
import type { Snapshot } from "./plan/snapshot.ts";
import type { Plan } from "./plan/step.ts";
import type { Reconcile, ReconcileResult } from "./runtime/controller.ts";

export interface ReconcileDependencies {
  readonly observe: (namespace: string, name: string) => Promise<Snapshot | undefined>;
  readonly plan: (snapshot: Snapshot) => Plan;
  readonly act: (snapshot: Snapshot, plan: Plan) => Promise<Outcome>;
  readonly report: (snapshot: Snapshot, plan: Plan, outcome: Outcome) => Promise<void>;
  /** When the height may be told again, if nothing else happens. */
  readonly progressDueInMs: (key: string) => number;
  readonly forget: (key: string) => void;
}

/** A quiet cluster is looked at this often, for what is not watched. */
const QUIET_RECHECK_MS = 60_000;

/** The soonest that a cluster is looked at again without being asked for at once. */
const SOONEST_RECHECK_MS = 1_000;

/** What the API refuses for good is tried again slowly: the world may have changed. */
const REFUSED_RECHECK_MS = 30_000;

/** The whole loop: look, decide, act, tell. Nothing is remembered from one run to the next. */
export function newReconcile(deps: ReconcileDependencies): Reconcile {
  const { observe, plan, act, report, progressDueInMs, forget } = deps;
  return async function reconcile(key): Promise<ReconcileResult> {
    const [namespace = "", name = ""] = key.split("/");
    const snapshot = await observe(namespace, name);
    if (!snapshot) {
      forget(key);
      return { kind: "done" };
    }
    const intent = plan(snapshot);
    const outcome = await act(snapshot, intent);
    await report(snapshot, intent, outcome);
    return resultOf(intent, outcome.failures, progressDueInMs(key));
  };
}

function resultOf(plan: Plan, failures: readonly Failure[], progressDueInMs: number): ReconcileResult {
  const retryable = failures.find(({ error }) => isRetryable(error));
  if (retryable) return { kind: "retry", error: retryable.error };
  if (failures.length > 0) return { kind: "done", recheckAfterMs: REFUSED_RECHECK_MS };
  const atLatestMs = Math.max(SOONEST_RECHECK_MS, Math.min(QUIET_RECHECK_MS, progressDueInMs));
  return { kind: "done", recheckAfterMs: Math.min(plan.recheckAfterMs ?? atLatestMs, atLatestMs) };
}
