/** One value inside a value, and where it is. */
export interface Leaf {
  readonly path: readonly (string | number)[];
  readonly value: unknown;
}

/** Everything inside that has nothing inside itself. */
export function leavesOf(value: unknown, path: Leaf["path"] = []): Leaf[] {
  if (value === undefined) return [];
  if (typeof value !== "object" || value === null) return [{ path, value }];
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? value.map((part, index) => [index, part])
    : Object.entries(value);
  return entries.flatMap(([key, part]) => leavesOf(part, [...path, key]));
}

/** The value with another one at this place. */
export function changed(value: unknown, [key, ...rest]: Leaf["path"], to: unknown): unknown {
  if (key === undefined) return to;
  if (Array.isArray(value)) return value.map((part, at) => (at === key ? changed(part, rest, to) : part));
  const fields = value as Record<string, unknown>;
  return { ...fields, [key]: changed(fields[key], rest, to) };
}
