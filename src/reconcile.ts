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
  readonly forget: (key: string) => void;
}

/** A quiet cluster is looked at this often, for its height and for what is not watched. */
const QUIET_RECHECK_MS = 60_000;

/** What the API refuses for good is tried again slowly: the world may have changed. */
const REFUSED_RECHECK_MS = 30_000;

/** The whole loop: look, decide, act, tell. Nothing is remembered from one run to the next. */
export function newReconcile({ observe, plan, act, report, forget }: ReconcileDependencies): Reconcile {
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
    return resultOf(intent, outcome.failures);
  };
}

function resultOf(
  { recheckAfterMs = QUIET_RECHECK_MS }: Plan,
  failures: readonly Failure[],
): ReconcileResult {
  const retryable = failures.find(({ error }) => isRetryable(error));
  if (retryable) return { kind: "retry", error: retryable.error };
  const boundMs = failures.length > 0 ? REFUSED_RECHECK_MS : QUIET_RECHECK_MS;
  return {
    kind: "done",
    recheckAfterMs: Math.max(recheckAfterMs === 0 ? 0 : 100, Math.min(recheckAfterMs, boundMs)),
  };
}
