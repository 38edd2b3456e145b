import type { RaftTimeouts } from "../../src/api/complete-spec.ts";
import type { Status } from "../../src/api/evnodecluster.ts";
import { labels } from "../../src/model/annotations.ts";
import type { Kind } from "../../src/model/kinds.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { KubeObject, ObjectRef } from "../../src/model/kube-object.ts";
import { identitySecretName, leaderServiceName } from "../../src/model/names.ts";
import type { EvNodeClusterObject } from "../../src/model/objects.ts";
import { inDurations } from "../../src/resources/timing.ts";
import { testnodeImages } from "../local-cluster/image-names.ts";
import { type Members, podsOf } from "./pods.ts";
import { pollUntil, type Session } from "./session.ts";

export interface OperatedCluster extends Members {
  readonly name: string;
}

export interface ClusterWish {
  readonly namespace: string;
  readonly name: string;
  readonly replicas: 1 | 3 | 5 | 7;
  readonly blockTime: string;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** Instead of the operator's default time-outs. */
  readonly raftTiming?: RaftTimeouts;
  /** Instead of `Auto`. */
  readonly mode?: "Plan";
  /** Further fields of the spec. */
  readonly more?: Partial<EvNodeClusterObject["spec"]>;
}

const REMOVE_TIMEOUT_MS = 120_000;

export function operatedCluster({ namespace, name, replicas }: ClusterWish): OperatedCluster {
  return { namespace, name, count: replicas, selector: `${labels.cluster}=${name}` };
}

export function manifestOf({
  namespace,
  name,
  replicas,
  blockTime,
  nodeSelector,
  raftTiming,
  mode,
  more = {},
}: ClusterWish): EvNodeClusterObject {
  return {
    apiVersion: kinds.cluster.apiVersion,
    kind: kinds.cluster.kind,
    metadata: { namespace, name },
    spec: {
      replicas,
      image: testnodeImages[0],
      chain: { id: `${namespace}-${name}`, blockTime },
      da: { address: `http://local-da.${namespace}:7980` },
      storage: { size: "1Gi" },
      ...(raftTiming === undefined ? {} : { raft: { timing: inDurations(raftTiming) } }),
      ...(nodeSelector === undefined ? {} : { pod: { nodeSelector } }),
      ...(mode === undefined ? {} : { rollout: { mode } }),
      ...more,
    },
  };
}

export async function statusOf({ api }: Session, { namespace, name }: OperatedCluster): Promise<Status> {
  return (await api.get(kinds.cluster, { namespace, name }))?.status ?? {};
}

/** Where whoever leads takes transactions. */
export async function leaderAddress({ api }: Session, { namespace, name }: OperatedCluster): Promise<string> {
  const service = await api.get(kinds.service, { namespace, name: leaderServiceName(name) });
  const ip = service?.spec?.clusterIP;
  if (ip === undefined) throw new Error(`the leader's Service of ${name} has no address`);
  return ip;
}

/** Deletes the cluster and what it leaves behind on purpose. */
export async function removeCluster(session: Session, cluster: OperatedCluster): Promise<void> {
  const { api } = session;
  const { namespace, name, selector } = cluster;
  await deleteCluster(session, cluster);
  const { items: claims } = await api.list(kinds.claim, { namespace, labelSelector: selector });
  for (const { metadata } of claims) await remove(session, kinds.claim, { namespace, name: metadata.name });
  await remove(session, kinds.secret, { namespace, name: identitySecretName(name) });
}

/** Deletes the cluster, and waits until it and its pods are gone. */
export async function deleteCluster(session: Session, cluster: OperatedCluster): Promise<void> {
  const { api } = session;
  const { namespace, name } = cluster;
  await remove(session, kinds.cluster, { namespace, name });
  const left = async () => {
    const present = await api.get(kinds.cluster, { namespace, name });
    return present === undefined && (await podsOf(session, cluster)).length === 0 ? "gone" : undefined;
  };
  const gone = await pollUntil(left, { everyMs: 250, timeoutMs: REMOVE_TIMEOUT_MS }, session);
  if (!gone) throw new Error(`cluster ${name} is not gone ${REMOVE_TIMEOUT_MS / 1_000} s after its deletion`);
}

/** Deletes whatever has this name now. */
export async function remove<T extends KubeObject>(
  { api }: Pick<Session, "api">,
  kind: Kind<T>,
  ref: ObjectRef,
): Promise<void> {
  const found = await api.get(kind, ref);
  if (!found) return;
  const preconditions = { uid: found.metadata.uid ?? "" };
  await api.delete(kind, ref, { preconditions, propagation: "Background" });
}
