import { annotations } from "../model/annotations.ts";
import { isRecord } from "../model/json.ts";
import { AGENT_CONTAINER, EVNODE_CONTAINER, type MemberPod } from "../model/member.ts";
import type { Pod, StatefulSet } from "../model/objects.ts";
import { remembered } from "../model/remembered.ts";

export type Template = NonNullable<StatefulSet["spec"]>["template"];

/** How a pod can become one of another template. */
export type Way =
  /** `parts` are what a container has to be restarted for; none when nothing of them changes. */
  | { readonly kind: "inPlace"; readonly parts: readonly Part[] }
  | { readonly kind: "replace"; readonly because: string };

/** The agent is restarted beside ev-node, which goes on; the others restart ev-node. */
export type Part = "agent" | "image" | "config" | "restart";

/**
 * Kubernetes lets labels, annotations and images change on a running pod; everything else needs a new one. What the pod
 * was made from is the template of its revision, in the server's own words, so the two are compared field by field. The
 * pod itself is no witness of its images: in many clusters somebody rewrites them on the way. Only where an update to
 * some other revision was begun on it, nobody knows what it has.
 */
export function wayOf(pod: MemberPod, from: Template | undefined, to: Template, revision: string): Way {
  if (from === undefined)
    return { kind: "replace", because: `its revision ${pod.revision ?? "?"} is not known` };
  const because = frameText(from) === frameText(to) ? undefined : firstDifference(frame(from), frame(to), "");
  if (because !== undefined) return { kind: "replace", because: `${because} changes` };
  const begun = pod.update?.revision === revision ? pod.update : undefined;
  const isUncertain = begun ? begun.over === true : pod.update !== undefined;
  const isOther = (name: string, image: string | undefined) =>
    imageIn(from, name) !== imageIn(to, name) || (isUncertain && image !== imageIn(to, name));
  const parts: Part[] = [];
  if (isOther(AGENT_CONTAINER, pod.agentImage) && begun?.agent === undefined) parts.push("agent");
  if (isOther(EVNODE_CONTAINER, pod.image)) parts.push("image");
  const config = configIn(to);
  // What was announced is not read before ev-node starts again.
  if (pod.configRevision !== config || (pod.update?.config ?? config) !== config) parts.push("config");
  if (pod.object.metadata.annotations?.[annotations.restart] !== noteIn(to, annotations.restart))
    parts.push("restart");
  return { kind: "inPlace", parts };
}

export const imageIn = ({ spec }: Template, container: string): string | undefined =>
  [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].find(({ name }) => name === container)
    ?.image;

export const configIn = (template: Template): string | undefined =>
  noteIn(template, annotations.configRevision);

const noteIn = ({ metadata }: Template, key: string): string | undefined => metadata?.annotations?.[key];

/** The template without what can change on a running pod. */
function frame({ metadata, spec }: Template): unknown {
  const { labels: _, annotations: _notes, ...rest } = metadata ?? {};
  const containers = spec?.containers.map((container) => withoutImage(container, EVNODE_CONTAINER));
  const initContainers = spec?.initContainers?.map((container) => withoutImage(container, AGENT_CONTAINER));
  return { metadata: rest, spec: { ...spec, containers, initContainers } };
}

/** As text, of templates that are looked at again and again. */
const frameText = remembered((template: Template) => JSON.stringify(frame(template)));

interface Named {
  readonly name: string;
  readonly image?: string | undefined;
}

function withoutImage(container: Named, name: string): object {
  const { image: _, ...rest } = container;
  return container.name === name ? rest : container;
}

/** Nothing and null are the same: servers of different versions write the one or the other. */
function firstDifference(a: unknown, b: unknown, path: string): string | undefined {
  if (JSON.stringify(a ?? null) === JSON.stringify(b ?? null)) return undefined;
  const isPair =
    (isRecord(a) && isRecord(b)) || (Array.isArray(a) && Array.isArray(b) && a.length === b.length);
  if (!isPair) return path;
  const [one, other] = [a, b] as [Record<string, unknown>, Record<string, unknown>];
  for (const key of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const found = firstDifference(one[key], other[key], path === "" ? key : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  // The same fields in another order.
  return undefined;
}

/** What a pod has to be given, besides its images, to be one of this template. */
export interface PodChanges {
  readonly image?: string;
  readonly agentImage?: string;
  readonly annotations: Readonly<Record<string, string | null>>;
  readonly labels?: Readonly<Record<string, string | null>>;
}

/** The pod with these changes, for a write of the whole. Null takes an entry away. */
export function changedPod({ object }: MemberPod, changes: PodChanges): Pod {
  const { image, agentImage, annotations: notes, labels: marks = {} } = changes;
  const { metadata, spec } = object;
  const { managedFields: _, ...kept } = metadata;
  const containers = withImage(spec?.containers ?? [], EVNODE_CONTAINER, image);
  const initContainers = withImage(spec?.initContainers ?? [], AGENT_CONTAINER, agentImage);
  return {
    ...object,
    metadata: {
      ...kept,
      labels: merged(metadata.labels, marks),
      annotations: merged(metadata.annotations, notes),
    },
    spec: { ...spec, containers, ...(initContainers.length === 0 ? {} : { initContainers }) },
  };
}

function withImage<T extends Named>(containers: readonly T[], name: string, image: string | undefined): T[] {
  return containers.map((one) => (one.name === name && image !== undefined ? { ...one, image } : one));
}

function merged(
  present: Readonly<Record<string, string>> = {},
  changes: Readonly<Record<string, string | null>>,
): Record<string, string> {
  const all = Object.entries({ ...present, ...changes });
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== null));
}

/** Labels and annotations of the template, and without those that only the old template had. */
export function metadataChanges(
  from: Template,
  to: Template,
): Required<Pick<PodChanges, "annotations" | "labels">> {
  return {
    annotations: replaced(from.metadata?.annotations, to.metadata?.annotations),
    labels: replaced(from.metadata?.labels, to.metadata?.labels),
  };
}

function replaced(
  from: Readonly<Record<string, string>> = {},
  to: Readonly<Record<string, string>> = {},
): Record<string, string | null> {
  const gone = Object.keys(from).filter((key) => to[key] === undefined);
  return { ...Object.fromEntries(gone.map((key) => [key, null])), ...to };
}
