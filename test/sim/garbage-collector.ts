import type { KubeObject, ObjectMeta, OwnerReference } from "../../src/model/kube-object.ts";
import { FOREGROUND, ORPHAN, type Propagation } from "./deletion.ts";
import { kindNamed, kindOf } from "./kind-rules.ts";
import type { Registry } from "./registry.ts";

/**
 * One look at every object, as the garbage collector of Kubernetes takes it after each change: dependents go when
 * their last owner is gone, and deleted owners are released. What one look does may give the next one more to do.
 */
export function collectGarbage(registry: Registry): void {
  for (const object of registry.store.everything()) {
    // What this same look already changed is seen as it is now.
    const now = registry.store.get(kindOf(object), object.metadata);
    if (now !== undefined) tend(registry, now);
  }
}

function tend(registry: Registry, object: KubeObject): void {
  const { deletionTimestamp, finalizers = [] } = object.metadata;
  if (deletionTimestamp === undefined) {
    collectUnowned(registry, object);
    return;
  }
  if (finalizers.includes(ORPHAN)) orphanDependents(registry, object);
  const blocking = () => dependentsOf(registry, object).filter((dependent) => blocks(dependent, object));
  if (finalizers.includes(FOREGROUND) && blocking().length === 0) release(registry, object, FOREGROUND);
}

function orphanDependents(registry: Registry, owner: KubeObject): void {
  for (const dependent of dependentsOf(registry, owner)) {
    keepOwners(registry, dependent, ({ uid }) => uid !== owner.metadata.uid);
  }
  release(registry, owner, ORPHAN);
}

/** Deletes an object whose owners are gone or going with everything they own; others lose only those references. */
function collectUnowned(registry: Registry, object: KubeObject): void {
  const owners = (object.metadata.ownerReferences ?? []).map((reference) => ({
    reference,
    state: stateOf(registry, object, reference),
  }));
  const isLost = owners.some(({ state }) => state !== "exists");
  if (!isLost) return;
  const remaining = owners.filter(({ state }) => state === "exists").map(({ reference }) => reference.uid);
  if (remaining.length > 0) {
    keepOwners(registry, object, ({ uid }) => remaining.includes(uid));
    return;
  }
  const isWaitedFor = owners.some(({ state }) => state === "waits");
  const waits = isWaitedFor && dependentsOf(registry, object).length > 0;
  const propagation = waits ? "Foreground" : propagationOf(object.metadata);
  registry.delete(kindOf(object), object.metadata, { propagation });
}

/** Whether an owner exists, is gone, or waits in its own deletion for what it owns. */
function stateOf(
  { store }: Registry,
  { metadata: { namespace } }: KubeObject,
  reference: OwnerReference,
): "exists" | "waits" | "gone" {
  const kind = kindNamed(reference.kind);
  // Of a kind that is not served nothing can be known, so nothing is done.
  if (kind === undefined) return "exists";
  const inNamespace = kind.namespaced && namespace !== undefined ? { namespace } : {};
  const owner = store.get(kind, { name: reference.name, ...inNamespace });
  if (owner?.metadata.uid !== reference.uid) return "gone";
  const { deletionTimestamp, finalizers = [] } = owner.metadata;
  return deletionTimestamp !== undefined && finalizers.includes(FOREGROUND) ? "waits" : "exists";
}

function propagationOf({ finalizers = [] }: ObjectMeta): Propagation {
  if (finalizers.includes(ORPHAN)) return "Orphan";
  return finalizers.includes(FOREGROUND) ? "Foreground" : "Background";
}

function dependentsOf({ store }: Registry, { metadata: { uid } }: KubeObject): readonly KubeObject[] {
  return store
    .everything()
    .filter(({ metadata }) => metadata.ownerReferences?.some((reference) => reference.uid === uid));
}

function blocks({ metadata }: KubeObject, owner: KubeObject): boolean {
  const reference = metadata.ownerReferences?.find(({ uid }) => uid === owner.metadata.uid);
  return reference?.blockOwnerDeletion === true;
}

function keepOwners(
  registry: Registry,
  dependent: KubeObject,
  isKept: (reference: OwnerReference) => boolean,
): void {
  const ownerReferences = (dependent.metadata.ownerReferences ?? []).filter(isKept);
  registry.patch(kindOf(dependent), dependent.metadata, { metadata: { ownerReferences } });
}

function release(registry: Registry, owner: KubeObject, finalizer: string): void {
  const finalizers = (owner.metadata.finalizers ?? []).filter((one) => one !== finalizer);
  registry.patch(kindOf(owner), owner.metadata, { metadata: { finalizers } });
}
