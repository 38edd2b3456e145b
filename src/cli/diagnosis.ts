import type { EvNodeCluster } from "../api/evnodecluster.ts";
import { diagnosisOf } from "../evnode/failures.ts";
import { annotations } from "../model/annotations.ts";
import type { KubeObject } from "../model/kube-object.ts";
import type {
  Event,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  Service,
  StatefulSet,
} from "../model/objects.ts";
import { picked } from "./picked.ts";
import { redacted } from "./redacted.ts";
import { type Why, whyOf } from "./why.ts";

/** What could be read of one kind: a person may not be allowed to read all of them. */
export type Found<T> =
  | { readonly kind: "read"; readonly items: readonly T[] }
  | { readonly kind: "unread"; readonly why: string };

/** What a diagnosis is made from. There is no Secret in it. */
export interface Evidence {
  readonly cluster: EvNodeCluster;
  readonly pods: Found<Pod>;
  readonly statefulSets: Found<StatefulSet>;
  readonly claims: Found<PersistentVolumeClaim>;
  readonly services: Found<Service>;
  readonly budgets: Found<PodDisruptionBudget>;
  readonly events: Found<Event>;
  readonly kubernetes: string;
  readonly plugin: string;
  readonly nowMs: number;
}

/** All that others need to help, without secrets. Only what is named here goes into it. */
export interface Diagnosis {
  readonly at: string;
  readonly versions: { readonly plugin: string; readonly kubernetes: string };
  readonly why: Why;
  readonly cluster: unknown;
  readonly members: Listed<object>;
  readonly statefulSet: Listed<object>;
  readonly claims: Listed<object>;
  readonly services: Listed<object>;
  readonly disruptionBudget: Listed<object>;
  /** The newest last. */
  readonly events: Listed<ToldEvent>;
}

/** Or why there are none. */
type Listed<T> = readonly T[] | { readonly unread: string };

export interface ToldEvent {
  readonly at: string;
  readonly about: string;
  readonly type: string;
  readonly reason: string;
  readonly note: string;
  readonly count: number;
}

export function diagnosisFrom(evidence: Evidence): Diagnosis {
  const { cluster, pods, statefulSets, claims, services, budgets, events, kubernetes, plugin, nowMs } =
    evidence;
  return redacted({
    at: new Date(nowMs).toISOString(),
    versions: { plugin, kubernetes },
    why: whyOf(cluster),
    cluster: clusterFacts(cluster),
    members: listed(pods, podFacts),
    statefulSet: listed(statefulSets, setFacts),
    claims: listed(claims, claimFacts),
    services: listed(services, serviceFacts),
    disruptionBudget: listed(budgets, ({ metadata, spec, status }) => ({
      name: metadata.name,
      spec,
      status,
    })),
    events: listedEvents(events, cluster),
  });
}

function listed<T, R extends object>(found: Found<T>, factsOf: (item: T) => R): Listed<R> {
  return found.kind === "read" ? found.items.map(factsOf) : { unread: found.why };
}

/** What kubectl keeps of an applied manifest says the same as the spec. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

function clusterFacts({ apiVersion, kind, metadata, spec, status }: EvNodeCluster) {
  const notes = Object.fromEntries(
    Object.entries(metadata.annotations ?? {}).filter(([key]) => key !== LAST_APPLIED),
  );
  const kept = picked(
    metadata,
    "name",
    "namespace",
    "uid",
    "generation",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "finalizers",
  );
  return { apiVersion, kind, metadata: { ...kept, annotations: notes }, spec, status };
}

/** No environment of a container: nobody knows what is in it. */
function podFacts({ metadata, spec, status }: Pod) {
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return {
    name: metadata.name,
    uid: metadata.uid,
    createdAt: metadata.creationTimestamp,
    deletedAt: metadata.deletionTimestamp,
    labels: metadata.labels,
    annotations: ownNotes(metadata),
    node: spec?.nodeName,
    ip: status?.podIP,
    phase: status?.phase,
    conditions: status?.conditions?.map((one) => picked(one, "type", "status", "reason", "message")),
    containers: containers.map((one) => ({
      ...picked(one, "name", "image", "imageID", "ready", "restartCount", "state", "lastState"),
      ...exitDiagnosis(one.lastState?.terminated ?? one.state?.terminated),
    })),
  };
}

interface Terminated {
  readonly exitCode: number;
  readonly message?: string | undefined;
}

function exitDiagnosis(ended: Terminated | undefined) {
  if (ended === undefined) return {};
  const lines = (ended.message ?? "").trim().split("\n");
  const failure = diagnosisOf({ code: ended.exitCode, lastLine: lines.at(-1) ?? "" });
  if (failure === undefined) return {};
  const { reason, meaning, danger, next } = failure;
  return { diagnosis: { reason, meaning, danger, next } };
}

/** Annotations of this operator; other programs may write anything into theirs. */
function ownNotes({ annotations: notes = {} }: KubeObject["metadata"]): Readonly<Record<string, string>> {
  const own = new Set<string>(Object.values(annotations));
  return Object.fromEntries(Object.entries(notes).filter(([key]) => own.has(key)));
}

function setFacts({ metadata, spec, status }: StatefulSet) {
  const kept = picked(metadata, "name", "generation");
  return { ...kept, annotations: ownNotes(metadata), replicas: spec?.replicas, status };
}

function claimFacts({ metadata, spec, status }: PersistentVolumeClaim) {
  return {
    ...picked(metadata, "name", "uid", "creationTimestamp", "deletionTimestamp"),
    annotations: ownNotes(metadata),
    volume: spec?.volumeName,
    storageClass: spec?.storageClassName,
    request: spec?.resources?.requests,
    status,
  };
}

function serviceFacts({ metadata, spec }: Service) {
  return { name: metadata.name, selector: spec?.selector, ports: spec?.ports };
}

function listedEvents(found: Found<Event>, { metadata }: EvNodeCluster): Listed<ToldEvent> {
  if (found.kind === "unread") return { unread: found.why };
  const ours = new RegExp(`^(data-|execution-)?${metadata.name}(-\\d+|-leader|-rpc)?$`);
  return found.items
    .filter(({ regarding }) => ours.test(regarding?.name ?? ""))
    .map(toldEvent)
    .toSorted((one, other) => (one.at < other.at ? -1 : 1));
}

function toldEvent(event: Event): ToldEvent {
  const { regarding, type = "", reason = "", note = "", series, eventTime } = event;
  const times = [
    series?.lastObservedTime,
    event.deprecatedLastTimestamp,
    eventTime,
    event.metadata.creationTimestamp,
  ];
  const at = times.find((time) => typeof time === "string") ?? "";
  const count = series?.count ?? event.deprecatedCount ?? 1;
  return { at, about: `${regarding?.kind ?? "?"}/${regarding?.name ?? "?"}`, type, reason, note, count };
}
