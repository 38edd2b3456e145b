import type { Failure, Outcome } from "./act/act.ts";
import { isRetryable, KubeError } from "./kube/errors.ts";
import type { Look } from "./observe/look.ts";
import type { Snapshot } from "./plan/snapshot.ts";
import type { Plan } from "./plan/step.ts";
import type { Reconcile, ReconcileResult } from "./runtime/controller.ts";

export interface ReconcileDependencies {
  readonly observe: (namespace: string, name: string, look: Look) => Promise<Snapshot | undefined>;
  readonly plan: (snapshot: Snapshot) => Plan;
  /** Writes nothing any more once the signal aborted; so does `report`. */
  readonly act: (snapshot: Snapshot, plan: Plan, signal: AbortSignal) => Promise<Outcome>;
  readonly report: (snapshot: Snapshot, plan: Plan, outcome: Outcome, signal: AbortSignal) => Promise<void>;
  /** When what was not told yet, such as the height, is to be told, if nothing else happens. */
  readonly reportDueInMs: (key: string) => number;
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
  return async function reconcile(key, signal): Promise<ReconcileResult> {
    try {
      return await run(deps, key, signal);
    } catch (error) {
      // A read that failed, or a status that was not written, is the world's fault and no bug.
      if (error instanceof KubeError && isRetryable(error)) return { kind: "retry", error };
      throw error;
    }
  };
}

/** Ends between two steps once the signal aborted: another operator may lead by then. */
async function run(
  { observe, plan, act, report, reportDueInMs, forget }: ReconcileDependencies,
  key: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const [namespace = "", name = ""] = key.split("/");
  signal.throwIfAborted();
  let snapshot = await observe(namespace, name, { isCertain: false });
  signal.throwIfAborted();
  let intent = snapshot && plan(snapshot);
  if (intent?.needsCertainty) {
    // What takes a member away, or marks a volume as its own, rests on nothing that was remembered.
    snapshot = await observe(namespace, name, { isCertain: true });
    signal.throwIfAborted();
    intent = snapshot && plan(snapshot);
  }
  if (!snapshot || !intent) {
    forget(key);
    return { kind: "done" };
  }
  const outcome = await act(snapshot, intent, signal);
  signal.throwIfAborted();
  await report(snapshot, intent, outcome, signal);
  signal.throwIfAborted();
  const [bug] = outcome.bugs;
  if (bug) throw bug.error;
  return resultOf(intent, outcome.failures, reportDueInMs(key));
}

function resultOf(plan: Plan, failures: readonly Failure[], reportDueInMs: number): ReconcileResult {
  // Somebody else takes a member away: that is waited for, not fought about.
  if (failures.length > 0 && failures.every(({ error }) => error.kind === "DisruptionBudget"))
    return { kind: "done", recheckAfterMs: SOONEST_RECHECK_MS };
  const retryable = failures.find(({ error }) => isRetryable(error));
  if (retryable) return { kind: "retry", error: retryable.error };
  if (failures.length > 0) return { kind: "done", recheckAfterMs: REFUSED_RECHECK_MS };
  const atLatestMs = Math.max(SOONEST_RECHECK_MS, Math.min(QUIET_RECHECK_MS, reportDueInMs));
  return { kind: "done", recheckAfterMs: Math.min(plan.recheckAfterMs ?? atLatestMs, atLatestMs) };
}
