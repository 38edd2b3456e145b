import { annotations, labels } from "../../src/model/annotations.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import type { Session } from "./session.ts";
import { clusterKinds } from "./written-objects.ts";

/** Every object of a namespace by kind and name, in a form that two lives of the same cluster have in common. */
export type EndState = ReadonlyMap<string, string>;

/** Keys and fields that the API server or chance decides anew each time. Any member may lead. */
const chance = new Set<string>([
  annotations.clusterUid,
  annotations.proposer,
  annotations.orderGivenAt,
  labels.revision,
  labels.role,
  "clusterIP",
  "clusterIPs",
  "uid",
  "volumeName",
  // Kubernetes writes these on a claim unless the volume is there before it gets to it.
  "volume.beta.kubernetes.io/storage-provisioner",
  "volume.kubernetes.io/storage-provisioner",
]);
/** Not of the cluster: the namespace's own, the data availability layer, and the operator's rights. */
const strangers =
  /^(?:ConfigMap\/kube-root-ca\.crt|ServiceAccount\/(?:default|evnode-operator)|\w+\/local-da.*)$/;

export async function readEndState({ api }: Session, namespace: string): Promise<EndState> {
  const lists = await Promise.all(
    clusterKinds.map(async (kind) => {
      const { items } = await api.list(kind, { namespace });
      return items;
    }),
  );
  return endStateOf(lists.flat());
}

export function endStateOf(objects: readonly KubeObject[]): EndState {
  const revisions = new Set(
    objects.flatMap(({ metadata }) => metadata.annotations?.[annotations.configRevision] ?? []),
  );
  const entries = objects
    .map((object) => [nameOf(object), textOf(object, revisions)] as const)
    .filter(([name]) => !strangers.test(name));
  return new Map(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Words for each object that only one of the two has, or that differs. */
export function differences(expected: EndState, actual: EndState): readonly string[] {
  const missing = [...expected.keys()]
    .filter((name) => !actual.has(name))
    .map((name) => `${name} is missing`);
  return [
    ...missing,
    ...[...actual].flatMap(([name, text]) => {
      const wanted = expected.get(name);
      if (wanted === undefined) return [`${name} is one too many`];
      return wanted === text ? [] : [`${name} differs: ${firstDifference(wanted, text)}`];
    }),
  ];
}

function firstDifference(expected: string, actual: string): string {
  const [wanted, found] = [expected.split("\n"), actual.split("\n")];
  const line = found.findIndex((text, index) => text !== wanted[index]);
  return `${found[line]?.trim() ?? "nothing"} instead of ${wanted[line]?.trim() ?? "nothing"}`;
}

/** A chain lock is named after the proposer, whose key is made anew for each life. */
function nameOf({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.name.replace(/^evnode-chain-[0-9a-f]+$/, "evnode-chain-*")}`;
}

/** Revisions of the config are digests of peer ids, and so of chance, too. */
function textOf(object: KubeObject, revisions: ReadonlySet<string>): string {
  const { labels, annotations = {}, finalizers, generation, ownerReferences = [] } = object.metadata;
  const { spec, data = {} } = object as { readonly spec?: unknown; readonly data?: object };
  const shown = {
    labels,
    // What other controllers note on a claim depends on when they saw it.
    annotations: Object.fromEntries(
      Object.entries(annotations).filter(([key]) => key.startsWith("evnode.dev/")),
    ),
    finalizers,
    generation,
    owners: ownerReferences.map(({ kind, name }) => `${kind}/${name}`),
    spec,
    data: Object.keys(data).sort(),
  };
  const text = JSON.stringify(withoutChance(shown), undefined, 1);
  return [...revisions].reduce((masked, revision) => masked.replaceAll(revision, "*"), text);
}

function withoutChance(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutChance);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => !chance.has(key));
  return Object.fromEntries(
    entries
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, inner]) => [key, withoutChance(inner)]),
  );
}
