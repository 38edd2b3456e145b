import { MANAGED_BY } from "./annotations.ts";
import type { KubeObject, ManagedFields, ObjectMeta } from "./kube-object.ts";

/** Kinds that this operator writes as a whole, so that another writer's fields are of interest. */
const written = new Set([
  "StatefulSet",
  "Service",
  "ServiceAccount",
  "NetworkPolicy",
  "PodDisruptionBudget",
  "Secret",
]);

/**
 * The object without the bulk of its managed fields: only what other managers own on objects that this operator
 * writes is kept, which is nothing unless somebody edited them.
 */
export function strangersFields<T extends KubeObject>(object: T): T {
  const { managedFields, ...metadata } = object.metadata;
  if (managedFields === undefined) return object;
  const kept = written.has(object.kind) ? managedFields.filter(isStrangers) : [];
  const slim: ObjectMeta = kept.length === 0 ? metadata : { ...metadata, managedFields: kept };
  return { ...object, metadata: slim };
}

/** Controllers of Kubernetes own status, by its subresource. */
function isStrangers({ manager, subresource }: ManagedFields): boolean {
  return manager !== MANAGED_BY && subresource !== "status";
}
