import { type Kind, kinds } from "../../src/model/kinds.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { type RecordedWatch, recordChanges } from "./recorded-watch.ts";
import type { Session } from "./session.ts";

/** Everything that belongs to a cluster in its namespace, the chain lock of an operator in that namespace included. */
export const clusterKinds: readonly Kind<KubeObject>[] = [
  kinds.cluster,
  kinds.statefulSet,
  kinds.pod,
  kinds.claim,
  kinds.secret,
  kinds.configMap,
  kinds.service,
  kinds.serviceAccount,
  kinds.disruptionBudget,
  kinds.networkPolicy,
];

export interface ObjectRecord {
  /** By the plural of the kind, as the audit log names it. */
  readonly watches: ReadonlyMap<string, RecordedWatch<KubeObject>>;
  stop(): Promise<void>;
}

export async function recordObjects(session: Session, namespace: string): Promise<ObjectRecord> {
  const watches = new Map<string, RecordedWatch<KubeObject>>();
  for (const kind of clusterKinds)
    watches.set(kind.plural, await recordChanges(session, kind, { namespace }));
  return {
    watches,
    async stop() {
      await Promise.all([...watches.values()].map(async (watch) => watch.stop()));
    },
  };
}
