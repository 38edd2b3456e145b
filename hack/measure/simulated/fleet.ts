import { kinds } from "../../../src/model/kinds.ts";
import { type Scope, whenSoMany } from "../follow-objects.ts";
import { FEW, inLanes } from "../lanes.ts";
import { manifestOf } from "../operated-cluster.ts";
import type { OperatorProcess } from "../operator-process.ts";
import type { Session } from "../session.ts";
import { startSimulatedNode } from "./node.ts";
import { bindClaims } from "./volumes.ts";

/** Many clusters whose members are simulated. */
export interface Fleet {
  readonly scope: Scope;
  readonly namespaceOf: (number: number) => string;
  /** Throws when something failed that all depends on. */
  readonly check: () => Promise<void>;
}

/** No node has this label, so that no kubelet takes the pods. */
const nowhere = { "evnode.dev/simulated": "true" };
/** At least, and for each cluster: the machine may be busy. */
const RUNNING_TIMEOUT_MS = 900_000;
const RUNNING_TIMEOUT_OF_ONE_MS = 10_000;
const CHECK_MS = 1_000;

/** Stands in for kubelets and storage from now on. */
export async function simulateMembers(
  session: Session,
  { scope, namespaceOf }: Omit<Fleet, "check">,
  operator: OperatorProcess,
): Promise<Fleet> {
  const binder = await bindClaims(session, scope);
  session.atEnd("binding of claims", async () => binder.stop());
  const node = await startSimulatedNode(session, scope);
  session.atEnd("simulated node", async () => node.stop());
  const check = async () => {
    const failure = node.failure() ?? binder.failure();
    if (failure !== undefined) throw new Error("the simulation failed", { cause: failure });
    await operator.check();
  };
  return { scope, namespaceOf, check };
}

/** Clusters `from` to `to`, a few at a time. */
export async function createAll(
  { api }: Session,
  { namespaceOf }: Pick<Fleet, "namespaceOf">,
  from: number,
  to: number,
): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, index) => from + index);
  await inLanes(FEW, numbers, async (number) => {
    const name = `chain-${number}`;
    const wish = { namespace: namespaceOf(number), name, replicas: 3, blockTime: "1s" } as const;
    await api.create(kinds.cluster, manifestOf({ ...wish, nodeSelector: nowhere }));
  });
}

/**
 * Answers how long it took until the status of every cluster says that it runs. By a watch: to list a thousand clusters
 * again and again is work that the API server lacks for what is measured.
 */
export async function allRunning(
  session: Session,
  { scope, check }: Fleet,
  count: number,
  startMs = performance.now(),
): Promise<number> {
  const timeoutMs = Math.max(RUNNING_TIMEOUT_MS, RUNNING_TIMEOUT_OF_ONE_MS * count);
  const { atMs, seen } = await whenSoMany(session, {
    kind: kinds.cluster,
    scope,
    count,
    holds: ({ status }) => status?.phase === "Running",
    check,
    everyMs: CHECK_MS,
    timeoutMs,
  });
  if (atMs === undefined) throw new Error(`${seen} of ${count} clusters run after ${timeoutMs} ms`);
  return atMs - startMs;
}
