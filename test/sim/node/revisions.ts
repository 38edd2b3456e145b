import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { labels } from "../../../src/model/annotations.ts";
import { kinds } from "../../../src/model/kinds.ts";
import type { ControllerRevision, Pod, StatefulSet } from "../../../src/model/objects.ts";
import type { Registry } from "../registry.ts";

const DEFAULT_HISTORY_LIMIT = 10;

/**
 * The revision of a set's template: made when there is none that holds it, and numbered as the newest when an earlier
 * one does. All of them are told by the selector of the set, as its controller finds them.
 */
export function currentRevision(registry: Registry, set: StatefulSet): ControllerRevision {
  const known = revisionsOf(registry, set);
  const newest = known.at(-1);
  const data = dataOf(set);
  const same = known.findLast((revision) => isDeepStrictEqual(revision.data, data));
  const next = (newest?.revision ?? 0) + 1;
  if (same === undefined) return made(registry, set, { data, number: next, collisions: 0 });
  if (same === newest) return same;
  return registry.patch(kinds.controllerRevision, same.metadata, { revision: next });
}

/** The oldest that no pod and not the set itself is of go, when there are more of them than are to be kept. */
export function forgetRevisions(registry: Registry, set: StatefulSet, pods: readonly Pod[]): void {
  const { currentRevision: current, updateRevision } = set.status ?? {};
  const live = new Set([current, updateRevision, ...pods.map(revisionOf)]);
  const old = revisionsOf(registry, set).filter(({ metadata }) => !live.has(metadata.name));
  const tooMany = Math.max(0, old.length - (set.spec?.revisionHistoryLimit ?? DEFAULT_HISTORY_LIMIT));
  for (const { metadata } of old.slice(0, tooMany)) registry.delete(kinds.controllerRevision, metadata);
}

/** The revision that a pod says it is of. */
export const revisionOf = ({ metadata }: Pod): string | undefined => metadata.labels?.[labels.revision];

/** From the oldest to the newest. One that nobody owns becomes the set's. */
function revisionsOf(registry: Registry, set: StatefulSet): readonly ControllerRevision[] {
  const { namespace, uid } = set.metadata;
  const wanted = Object.entries(set.spec?.selector.matchLabels ?? {});
  return registry.store
    .all(kinds.controllerRevision)
    .filter(({ metadata }) => metadata.namespace === namespace)
    .filter(({ metadata }) => wanted.every(([key, value]) => metadata.labels?.[key] === value))
    .flatMap((revision) => {
      const controller = revision.metadata.ownerReferences?.find((owner) => owner.controller === true);
      if (controller === undefined) return [adopted(registry, set, revision)];
      return controller.uid === uid ? [revision] : [];
    })
    .sort((one, other) => one.revision - other.revision);
}

function adopted(registry: Registry, set: StatefulSet, { metadata }: ControllerRevision): ControllerRevision {
  const ownerReferences = [...(metadata.ownerReferences ?? []), ownerOf(set)];
  return registry.patch(kinds.controllerRevision, metadata, { metadata: { ownerReferences } });
}

/** As a patch that would put the template back, which is what it was made for. */
const dataOf = ({ spec }: StatefulSet): object => ({
  spec: { template: { ...spec?.template, $patch: "replace" } },
});

interface Wanted {
  readonly data: object;
  readonly number: number;
  readonly collisions: number;
}

/** What has the name already, such as one of a set that was deleted, is taken if it holds the same, whoever owns it. */
function made(registry: Registry, set: StatefulSet, wanted: Wanted): ControllerRevision {
  const revision = newRevision(set, wanted);
  const existing = registry.store.get(kinds.controllerRevision, revision.metadata);
  if (existing === undefined) return registry.create(kinds.controllerRevision, revision);
  if (isDeepStrictEqual(existing.data, wanted.data)) return existing;
  return made(registry, set, { ...wanted, collisions: wanted.collisions + 1 });
}

function newRevision(set: StatefulSet, { data, number: revision, collisions }: Wanted): ControllerRevision {
  const hash = createHash("sha256")
    .update(JSON.stringify(collisions === 0 ? data : [data, collisions]))
    .digest("hex")
    .slice(0, 10);
  const { namespace = "", name, annotations } = set.metadata;
  return {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      namespace,
      name: `${name}-${hash}`,
      labels: { ...set.spec?.template.metadata?.labels, "controller.kubernetes.io/hash": hash },
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: [ownerOf(set)],
    },
    data,
    revision,
  };
}

function ownerOf({ metadata: { name, uid = "" } }: StatefulSet) {
  const owner = { apiVersion: "apps/v1", kind: "StatefulSet", name, uid };
  return { ...owner, controller: true, blockOwnerDeletion: true };
}
