import { annotations, labels } from "../../../src/model/annotations.ts";
import { type Kind, kinds } from "../../../src/model/kinds.ts";
import type { KubeObject } from "../../../src/model/kube-object.ts";
import { configSecretName } from "../../../src/model/names.ts";
import { kindOf } from "../kind-rules.ts";
import { Rehearsals } from "../node/rehearsals.ts";
import type { Universe } from "./universe.ts";
import { MAIN } from "./wanted.ts";

/** What the operator makes and watches, but for pods and claims. */
export const ownedKinds: readonly Kind<KubeObject>[] = [
  kinds.service,
  kinds.serviceAccount,
  kinds.networkPolicy,
  kinds.disruptionBudget,
  kinds.statefulSet,
];

/** People and programs that change what is not theirs. Each returns what it did, or nothing. */
const meddlers: readonly ((universe: Universe) => string | undefined)[] = [
  deleteOwned,
  deleteConfig,
  editTemplate,
  takeLabelsOff,
  takeRoleOff,
  takeIntentOff,
];

export function meddle(universe: Universe): boolean {
  const did = universe.chance.pick(meddlers)?.(universe);
  if (did === undefined) return false;
  universe.history.note(`somebody ${did}`);
  universe.counts.add(`third party ${did.replace(/ [^ ]*$/, "")}`);
  return true;
}

function ownedObjects({ registry }: Universe): readonly KubeObject[] {
  return ownedKinds
    .flatMap((kind) => registry.store.all(kind))
    .filter(({ metadata }) => metadata.namespace === MAIN.namespace);
}

function deleteOwned(universe: Universe): string | undefined {
  const object = universe.chance.pick(ownedObjects(universe));
  if (object === undefined) return undefined;
  universe.registry.delete(kindOf(object), object.metadata, { propagation: "Background" });
  return `deletes ${object.kind} ${object.metadata.name}`;
}

function deleteConfig({ registry }: Universe): string | undefined {
  const ref = { namespace: MAIN.namespace, name: configSecretName(MAIN.name) };
  if (registry.store.get(kinds.secret, ref) === undefined) return undefined;
  registry.delete(kinds.secret, ref);
  return `deletes Secret ${ref.name}`;
}

function editTemplate({ registry, nowMs }: Universe): string | undefined {
  if (registry.store.get(kinds.statefulSet, MAIN) === undefined) return undefined;
  const notes = { "kubectl.kubernetes.io/restartedAt": `${nowMs}` };
  registry.patch(kinds.statefulSet, MAIN, { spec: { template: { metadata: { annotations: notes } } } });
  return `edits the template of ${MAIN.name}`;
}

function takeLabelsOff(universe: Universe): string | undefined {
  // A rehearsal without its labels is nobody's any more, until its cluster goes.
  const pods = universe.registry.store.all(kinds.pod).filter((pod) => !Rehearsals.isOne(pod));
  const object = universe.chance.pick([...ownedObjects(universe), ...pods]);
  if (object === undefined) return undefined;
  const off = { [labels.managedBy]: null };
  universe.registry.patch(kindOf(object), object.metadata, { metadata: { labels: off } });
  return `takes the labels off ${object.kind} ${object.metadata.name}`;
}

function takeRoleOff(universe: Universe): string | undefined {
  const pod = universe.chance.pick(universe.registry.store.all(kinds.pod));
  if (pod?.metadata.labels?.[labels.role] === undefined) return undefined;
  universe.registry.patch(kinds.pod, pod.metadata, { metadata: { labels: { [labels.role]: null } } });
  return `takes the role off ${pod.metadata.name}`;
}

function takeIntentOff({ registry }: Universe): string | undefined {
  if (registry.store.get(kinds.statefulSet, MAIN) === undefined) return undefined;
  registry.patch(kinds.statefulSet, MAIN, { metadata: { annotations: { [annotations.intent]: null } } });
  return `takes the intent off ${MAIN.name}`;
}
