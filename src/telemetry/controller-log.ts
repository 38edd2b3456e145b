import type { Outcome } from "../act/act.ts";
import type { Action } from "../plan/actions.ts";
import type { Controller, Finished } from "../runtime/controller.ts";
import type { Logger } from "./log.ts";

/** A reconcile that runs longer than this hangs: its own deadline is shorter. */
const STUCK_MS = 300_000;

/** One line for each write, with the decider that asked for it. */
export function logOutcome(log: Logger, cluster: string, { done, failures, bugs }: Outcome): void {
  for (const { by, action } of done) log.info({ cluster, by, ...subjectOf(action) }, action.kind);
  for (const { by, action, error } of failures) {
    log.warn({ cluster, by, ...subjectOf(action), refused: error.kind, reason: error.message }, action.kind);
  }
  for (const { by, action, error } of bugs)
    log.error({ cluster, by, ...subjectOf(action), err: error }, action.kind);
}

/** What was written, by name; never its content. */
function subjectOf(action: Action): Record<string, unknown> {
  if ("object" in action) {
    const why = "why" in action ? { why: action.why } : {};
    return { object: `${action.object.kind}/${action.object.metadata.name}`, ...why };
  }
  if (action.kind === "order") return { member: action.member.name, order: action.order.id };
  if (action.kind === "labelPod")
    return { member: action.member.name, labels: action.labels, why: action.why };
  if (action.kind === "endApproval") return { member: action.member, because: action.because };
  if (action.kind === "markClaim") return { claim: action.member.claimName, epoch: action.epoch };
  return {};
}

export function logFinished(log: Logger, cluster: string, how: Finished): void {
  switch (how.kind) {
    case "retry":
      log.info({ cluster, reason: message(how.error), delayMs: how.delayMs }, "reconcile is tried again");
      return;
    case "bug":
      log.error({ cluster, err: how.error, delayMs: how.delayMs }, "reconcile failed unexpectedly");
      return;
    case "deadline":
      log.error({ cluster, delayMs: how.delayMs }, "reconcile took too long");
      return;
    case "done":
    case "stopped":
      return;
  }
}

/** For the liveness probe: a reconcile that never ends. */
export function stuck(controller: Controller): string[] {
  const { oldestRunningMs, oldestRunningKey } = controller.stats();
  if (oldestRunningMs < STUCK_MS) return [];
  return [`the reconcile of ${oldestRunningKey} has run for ${Math.round(oldestRunningMs / 1000)} s`];
}

const message = (error: unknown) => (error instanceof Error ? error.message : String(error));
