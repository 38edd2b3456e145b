import { type AuditedRequest, type AuditReader, isWrite } from "./audit-log.ts";
import type { OperatorProcess } from "./operator-process.ts";
import { pause, pollUntil, type Session } from "./session.ts";

const RECONCILED_TIMEOUT_MS = 600_000;

/** Times are from the start of the program. */
export interface Restart {
  readonly readyAfterMs: number;
  /** The Lease was its own. */
  readonly leadsMs: number | undefined;
  readonly firstReconcileMs: number | undefined;
  readonly allReconciledMs: number | undefined;
  readonly requests: readonly AuditedRequest[];
}

interface Restarted {
  readonly operator: OperatorProcess;
  readonly reader: AuditReader;
  readonly clusters: number;
  /** How the name ends of a Secret that each reconcile of a cluster reads from the server. */
  readonly secretSuffix: string;
  /** How long its requests are counted once all clusters were reconciled. */
  readonly afterMs: number;
}

/** The first time that a cluster's Secret is read is its first reconcile. */
export async function measureRestart(
  session: Session,
  { operator, reader, clusters, secretSuffix, afterMs }: Restarted,
): Promise<Restart> {
  await operator.stop();
  await reader.next(() => false);
  const { spawnedAtMs, readyAfterMs } = await operator.start();
  const requests: AuditedRequest[] = [];
  const firstReads = new Map<string, number>();
  const isDone = async () => {
    const further = await reader.next(({ user }) => user === operator.user);
    requests.push(...further);
    for (const { verb, resource, name = "", receivedMs } of further) {
      const isRead = verb === "get" && resource === "secrets" && name.endsWith(secretSuffix);
      if (isRead && !firstReads.has(name)) firstReads.set(name, receivedMs);
    }
    return firstReads.size === clusters || undefined;
  };
  await pollUntil(isDone, { everyMs: 250, timeoutMs: RECONCILED_TIMEOUT_MS }, session);
  const times = [...firstReads.values()].map((atMs) => atMs - spawnedAtMs);
  await pause(afterMs, session);
  requests.push(...(await reader.next(({ user }) => user === operator.user)));
  const taken = requests.find(
    (request) => request.resource === "leases" && isWrite(request) && request.code < 300,
  );
  return {
    readyAfterMs,
    leadsMs: taken && taken.finishedMs - spawnedAtMs,
    firstReconcileMs: times.length === 0 ? undefined : Math.min(...times),
    allReconciledMs: times.length < clusters ? undefined : Math.max(...times),
    requests,
  };
}
