import { isStored } from "./versioned-store.ts";

/**
 * A value as it arrives: what came from it before or changes in it later is not shared, and undefined is absent. Parts
 * that the server handed out itself are as they have to be, and nobody can change them.
 */
export function wired<T>(value: T): T {
  return copied(value) as T;
}

function copied(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (isStored(value)) return value;
  if (Array.isArray(value)) return value.map((part) => copied(part) ?? null);
  const fields: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(value)) if (part !== undefined) fields[name] = copied(part);
  return fields;
}

/** RFC 3339 with seconds, as Kubernetes writes its time stamps. */
export function timestamp(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, "Z");
}
