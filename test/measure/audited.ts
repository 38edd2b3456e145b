import type { AuditedRequest } from "../../hack/measure/audit-log.ts";

/** A finished request of the operator about a pod, but for what a test says. */
export function audited(over: Partial<AuditedRequest> = {}): AuditedRequest {
  return {
    user: "operator",
    verb: "patch",
    resource: "pods",
    subresource: undefined,
    namespace: "demo",
    name: "seq-0",
    code: 200,
    receivedMs: 0,
    finishedMs: 0,
    isDryRun: false,
    ...over,
  };
}
