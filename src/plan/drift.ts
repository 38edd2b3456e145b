import { isRecord } from "../model/json.ts";
import type { KubeObject } from "../model/kube-object.ts";
import { parseQuantity } from "../model/quantity.ts";

/**
 * Where a live object differs from the desired one, or undefined. Fields that only the live object has are the
 * server's defaults or somebody's additions; additions are told from defaults by who owns them.
 */
export function driftOf(desired: KubeObject, live: KubeObject): string | undefined {
  for (const [field, value] of Object.entries(desired)) {
    const found =
      field === "metadata" ? metadataDifference(desired, live) : difference(value, read(live, field), field);
    if (found) return found;
  }
  return additionOf(desired, live);
}

function metadataDifference({ metadata }: KubeObject, live: KubeObject): string | undefined {
  const { labels, annotations, ownerReferences } = metadata;
  return difference({ labels, annotations, ownerReferences }, live.metadata, "metadata");
}

function difference(desired: unknown, live: unknown, path: string): string | undefined {
  if (desired === undefined) return undefined;
  if (Array.isArray(desired)) return listDifference(desired, live, path);
  if (isRecord(desired)) return recordDifference(desired, live, path);
  return desired === live || sameQuantity(desired, live) ? undefined : path;
}

function listDifference(desired: readonly unknown[], live: unknown, path: string): string | undefined {
  // The server drops empty lists.
  if (desired.length === 0 && live === undefined) return undefined;
  if (!Array.isArray(live) || live.length !== desired.length) return path;
  for (const [index, item] of desired.entries()) {
    const found = difference(item, live[index], `${path}[${index}]`);
    if (found) return found;
  }
  return undefined;
}

function recordDifference(desired: Record<string, unknown>, live: unknown, path: string): string | undefined {
  if (live === undefined && Object.values(desired).every((value) => value === undefined)) return undefined;
  if (!isRecord(live)) return path;
  for (const [field, value] of Object.entries(desired)) {
    const found = difference(value, live[field], `${path}.${field}`);
    if (found) return found;
  }
  return undefined;
}

/** The server writes quantities in its own way: "1000m" comes back as "1". */
function sameQuantity(desired: unknown, live: unknown): boolean {
  if (typeof desired !== "string" || typeof live !== "string") return false;
  const amount = parseQuantity(desired);
  return amount !== undefined && amount === parseQuantity(live);
}

/** A field under `spec` or `data` that another field manager added to what is desired. */
function additionOf(desired: KubeObject, live: KubeObject): string | undefined {
  for (const { manager = "somebody", fieldsV1 } of live.metadata.managedFields ?? []) {
    for (const root of ["spec", "data"] as const) {
      const added = firstAddition(read(fieldsV1, `f:${root}`), read(desired, root), root);
      if (added) return `${added}, added by ${manager}`;
    }
  }
  return undefined;
}

/** Walks a set of owned fields (the API's FieldsV1 form) and returns the first that `desired` lacks. */
function firstAddition(owned: unknown, desired: unknown, path: string): string | undefined {
  if (!isRecord(owned)) return undefined;
  if (desired === undefined) return path;
  for (const [key, below] of Object.entries(owned)) {
    if (key === ".") continue;
    const found = firstAddition(
      below,
      descend(desired, key),
      `${path}${key.startsWith("f:") ? `.${key.slice(2)}` : `[${key.slice(2)}]`}`,
    );
    if (found) return found;
  }
  return undefined;
}

function descend(desired: unknown, key: string): unknown {
  const name = key.slice(2);
  if (key.startsWith("f:")) return read(desired, name);
  if (!Array.isArray(desired)) return undefined;
  if (key.startsWith("k:")) {
    const wanted = Object.entries(JSON.parse(name) as Record<string, unknown>);
    return desired.find((item) =>
      wanted.every(([field, value]) => read(item, field) === value || isDefaultKey(item, field)),
    );
  }
  // A value of a set; anything else is a form that this project does not use.
  return desired.find((item) => JSON.stringify(item) === name);
}

/** List keys such as a port's protocol are defaulted by the server and absent from what is desired. */
function isDefaultKey(item: unknown, field: string): boolean {
  return isRecord(item) && item[field] === undefined;
}

function read(value: unknown, field: string): unknown {
  return isRecord(value) ? value[field] : undefined;
}
