import { expect } from "vitest";
import { only, type Rendered } from "./chart.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** `group/resource` of each rule of a role, to its verbs. */
export function grants(role: Rendered): Readonly<Record<string, string>> {
  const rules = role["rules"] as readonly Rule[];
  const pairs = rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.map((resource) => [`${group}/${resource}`, verbs.join(" ")] as const),
    ),
  );
  expect(new Set(pairs.map(([resource]) => resource)).size).toBe(pairs.length);
  return Object.fromEntries(pairs);
}

export function named(objects: readonly Rendered[], kind: string, name: string): Rendered {
  return only(
    objects.filter(({ metadata }) => metadata.name === name),
    kind,
  );
}
