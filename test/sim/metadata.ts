import type { ObjectMeta } from "../../src/model/kube-object.ts";
import type { Cause } from "./refused.ts";
import { timestamp } from "./wire.ts";
import { without } from "./without.ts";

/** With the field that the operator does not look at, and the server does. */
export interface StoredMeta extends ObjectMeta {
  readonly deletionGracePeriodSeconds?: number;
}

/** Given by the server alone, or of no meaning in the store. */
const serverSide = [
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "managedFields",
] as const;

export function newMetadata(
  wanted: StoredMeta,
  given: { readonly uid: string; readonly nowMs: number; readonly hasGeneration: boolean },
): StoredMeta {
  const { uid, nowMs, hasGeneration } = given;
  return {
    ...asked(wanted),
    uid,
    creationTimestamp: timestamp(nowMs),
    ...(hasGeneration ? { generation: 1 } : {}),
  };
}

/** The metadata after a write: what nobody may change is as it was. `metadataProblems` tells who tried. */
export function updatedMetadata(current: StoredMeta, wanted: StoredMeta): StoredMeta {
  const kept = serverSide.flatMap((name) =>
    current[name] === undefined ? [] : [[name, current[name]] as const],
  );
  return { ...asked(wanted), ...Object.fromEntries(kept) };
}

/** Everything about the wanted metadata that a write may not change. */
export function metadataProblems(current: StoredMeta, wanted: StoredMeta): readonly Cause[] {
  const { name, namespace, uid = current.uid, deletionTimestamp = current.deletionTimestamp } = wanted;
  const immutable = Object.entries({ name, namespace, uid, deletionTimestamp })
    .filter(([field, value]) => value !== current[field as keyof StoredMeta])
    .map(([field, value]) => changed(`metadata.${field}`, value));
  return current.deletionTimestamp === undefined
    ? immutable
    : [...immutable, ...newFinalizers(current, wanted)];
}

function changed(field: string, value: string | undefined): Cause {
  return { field, reason: "FieldValueInvalid", message: `Invalid value: "${value}": field is immutable` };
}

function newFinalizers({ finalizers: before = [] }: StoredMeta, wanted: StoredMeta): readonly Cause[] {
  const added = (wanted.finalizers ?? []).filter((finalizer) => !before.includes(finalizer));
  if (added.length === 0) return [];
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${added.join(", ")}`;
  return [{ field: "metadata.finalizers", reason: "FieldValueForbidden", message }];
}

/** What a client may decide. Empty lists and maps are not stored. */
function asked(wanted: StoredMeta): ObjectMeta {
  const own = Object.entries(without(wanted, serverSide)).filter(([, value]) => !isEmpty(value));
  return Object.fromEntries(own) as unknown as ObjectMeta;
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
