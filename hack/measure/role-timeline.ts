import { labels } from "../../src/model/annotations.ts";
import type { Kind } from "../../src/model/kinds.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { leaderServiceName } from "../../src/model/names.ts";
import type { Pod } from "../../src/model/objects.ts";
import type { OperatedCluster } from "./operated-cluster.ts";
import { type Recorded, recordChanges } from "./recorded-watch.ts";
import type { Session } from "./session.ts";

/** What the operator did with labels and Service when the leader changed. Times as they arrived in the watches. */
export interface RoleTimeline {
  readonly oldLabelGoneMs: number | undefined;
  readonly newLabelMs: number | undefined;
  /** Moments at which two pods wore the leader's label. */
  readonly overlaps: number;
  /** The Service led to the new leader alone. */
  readonly serviceMs: number | undefined;
}

export interface EndpointSlice extends KubeObject {
  readonly endpoints?:
    | readonly {
        readonly targetRef?: { readonly name?: string };
        readonly conditions?: { readonly ready?: boolean };
      }[]
    | null;
}

const endpointSlices: Kind<EndpointSlice> = {
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  namespaced: true,
};

export interface RoleChanges {
  readonly pods: readonly Recorded<Pod>[];
  readonly slices: readonly Recorded<EndpointSlice>[];
}

export interface RoleRecord {
  readonly changes: RoleChanges;
  stop(): Promise<void>;
}

/** Watches the pods of a cluster and the endpoints of its leader Service. */
export async function recordRoles(session: Session, cluster: OperatedCluster): Promise<RoleRecord> {
  const { namespace, selector, name } = cluster;
  const pods = await recordChanges(session, kinds.pod, { namespace, labelSelector: selector });
  const slices = await recordChanges(session, endpointSlices, {
    namespace,
    labelSelector: `kubernetes.io/service-name=${leaderServiceName(name)}`,
  });
  return {
    changes: { pods: pods.changes, slices: slices.changes },
    async stop() {
      await Promise.all([pods.stop(), slices.stop()]);
    },
  };
}

export function roleTimeline(
  { pods, slices }: RoleChanges,
  newLeader: string,
  sinceMs: number,
): RoleTimeline {
  const wearers = new Set<string>();
  let oldLabelGoneMs: number | undefined;
  let newLabelMs: number | undefined;
  let overlaps = 0;
  for (const { type, object, atMs } of pods) {
    const { name, labels: worn } = object.metadata;
    const wore = wearers.has(name);
    const wears = type !== "DELETED" && worn?.[labels.role] === "leader";
    if (wears) wearers.add(name);
    else wearers.delete(name);
    if (atMs < sinceMs || wore === wears) continue;
    if (wearers.size > 1) overlaps += 1;
    if (!wears) oldLabelGoneMs ??= atMs;
    else if (name === newLeader) newLabelMs ??= atMs;
  }
  return { oldLabelGoneMs, newLabelMs, overlaps, serviceMs: serviceMs(slices, newLeader, sinceMs) };
}

/** From which moment on the slices of the Service named this pod and no other; undefined while they do not. */
function serviceMs(
  slices: readonly Recorded<EndpointSlice>[],
  pod: string,
  sinceMs: number,
): number | undefined {
  const named = new Map<string, readonly string[]>();
  let rightSinceMs: number | undefined;
  for (const { type, object, atMs } of slices) {
    const targets = (object.endpoints ?? []).map(({ targetRef }) => targetRef?.name ?? "");
    named.set(object.metadata.name, type === "DELETED" ? [] : targets);
    const all = new Set([...named.values()].flat());
    const isRight = all.size === 1 && all.has(pod);
    rightSinceMs = isRight ? (rightSinceMs ?? Math.max(atMs, sinceMs)) : undefined;
  }
  return rightSinceMs;
}
