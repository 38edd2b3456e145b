import { isDeepStrictEqual } from "node:util";
import { annotations } from "../../../src/model/annotations.ts";
import { parseMembership } from "../../../src/model/identity.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { EVNODE_CONTAINER } from "../../../src/model/member.ts";
import { identitySecretName, MAX_MEMBERS } from "../../../src/model/names.ts";
import type { Pod, StatefulSet } from "../../../src/model/objects.ts";
import type { PodRun } from "../member/pod-run.ts";
import type { Registry } from "../registry.ts";

type Template = NonNullable<StatefulSet["spec"]>["template"];
type Entries = Readonly<Record<string, string>>;

export const podOfRun = ({ store }: Registry, { namespace, name, uid }: PodRun): Pod | undefined => {
  const pod = store.get(kinds.pod, { namespace, name });
  return pod?.metadata.uid === uid ? pod : undefined;
};

export const setOfRun = ({ store }: Registry, { namespace, cluster }: PodRun): StatefulSet | undefined =>
  store.get(kinds.statefulSet, { namespace, name: cluster });

/** How many members there are by the identity of a run's cluster; any number before that tells it. */
export function membersOf({ store }: Registry, { namespace, cluster }: PodRun): number {
  const identity = store.get(kinds.secret, { namespace, name: identitySecretName(cluster) });
  return parseMembership(identity?.metadata.annotations?.[annotations.membership])?.replicas ?? MAX_MEMBERS;
}

export const ordinalOf = ({ name }: PodRun): number => Number(/-(\d+)$/.exec(name)?.[1]);

export const nodeImage = (spec: Pod["spec"]): string | undefined =>
  spec?.containers.find(({ name }) => name === EVNODE_CONTAINER)?.image;

/** Whether a member truly runs what the set's template asks for: the process, and the pod around it. */
export function runsTarget(registry: Registry, run: PodRun): boolean {
  const pod = podOfRun(registry, run);
  const template = setOfRun(registry, run)?.spec?.template;
  if (pod === undefined || template === undefined || run.process === undefined) return false;
  const { image, config } = run.process;
  const notes = template.metadata?.annotations ?? {};
  if (image !== nodeImage(template.spec)) return false;
  return config.revision === notes[annotations.configRevision] && isShapedBy(pod, template);
}

/** The parts of a pod that its set, its node and the scheduler add. */
const added = new Set(["volumes", "nodeName", "hostname"]);

/** By pod and template as they are stored, which never change: asked at every step, and dear. */
const shaped = new WeakMap<Pod, WeakMap<Template, boolean>>();

function isShapedBy(pod: Pod, template: Template): boolean {
  const known = shaped.get(pod) ?? new WeakMap<Template, boolean>();
  shaped.set(pod, known);
  const isShaped = known.get(template) ?? compareShapes(pod, template);
  known.set(template, isShaped);
  return isShaped;
}

function compareShapes({ metadata, spec }: Pod, template: Template): boolean {
  const { labels = {}, annotations: notes = {} } = template.metadata ?? {};
  if (!hasAll(metadata.labels, labels) || !hasAll(metadata.annotations, notes)) return false;
  const [own, wanted] = [spec, template.spec].map((one) => (one ?? {}) as Readonly<Record<string, unknown>>);
  const fields = new Set([...Object.keys(own ?? {}), ...Object.keys(wanted ?? {})]);
  return [...fields].every((field) => added.has(field) || isDeepStrictEqual(own?.[field], wanted?.[field]));
}

const hasAll = (own: Entries = {}, wanted: Entries) =>
  Object.entries(wanted).every(([key, value]) => own[key] === value);
