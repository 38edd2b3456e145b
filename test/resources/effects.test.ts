import { describe, expect, test } from "vitest";
import { objectSchema } from "../../hack/generate-crd.ts";
import type { SchemaNode } from "../../hack/generate-schema.ts";
import { evnodeKeys } from "../../src/api/evnode-keys.ts";
import type { Spec } from "../../src/api/evnodecluster.ts";
import { isOwnedFlag } from "../../src/api/schema/owned-flags.ts";
import { memberConfigSchema } from "../../src/evnode/config-schema.ts";
import { patched } from "../api/manifest-patch.ts";
import { spec } from "../builders.ts";
import { leavesOf } from "../leaves.ts";
import { type Effect, effectCases } from "./effect-cases.ts";
import { effectsOf } from "./effects.ts";

/** Fields that hold a value, a list of values or free entries; those of a list's items each for themselves. */
function fieldsOf(node: SchemaNode, path = ""): readonly string[] {
  const { properties } = node.items ?? node;
  if (properties === undefined) return [path];
  const here = node.items === undefined ? path : `${path}[]`;
  return Object.entries(properties).flatMap(([key, child]) =>
    fieldsOf(child, here === "" ? key : `${here}.${key}`),
  );
}

const fields = fieldsOf(objectSchema().properties?.["spec"] ?? {});
const sides = ({ from = {}, to }: Effect) => {
  const before = patched(spec, from);
  return [before, patched(before, to)] as [Spec, Spec];
};

/** Where two specs differ. */
function differences(before: Spec, after: Spec): readonly string[] {
  const texts = (of: Spec) => new Set(leavesOf(of).map(({ path, value }) => JSON.stringify([path, value])));
  const [was, is] = [texts(before), texts(after)];
  const changed = [...was].filter((leaf) => !is.has(leaf)).concat([...is].filter((leaf) => !was.has(leaf)));
  return changed.map((leaf) => (JSON.parse(leaf) as [(string | number)[], unknown])[0].join("."));
}

describe("a field of the spec", () => {
  test("has a row in the table", () => {
    expect(effectCases.map(({ field }) => field).sort()).toEqual([...fields].sort());
  });

  test("has effect by what is rendered, or by what is done", () => {
    const without = effectCases.filter(({ changes = [], behaves }) => changes.length === 0 && !behaves);
    expect(without).toEqual([]);
  });

  test.each(effectCases)("that is changed is $field, and nothing else", (effect) => {
    const allowed = [effect.field, ...(effect.together ?? [])].map((field) => field.replaceAll("[]", ".0"));
    const isAllowed = (path: string) => allowed.some((field) => `${path}.`.startsWith(`${field}.`));
    const changed = differences(...sides(effect));
    expect(changed).not.toEqual([]);
    expect(changed.filter((path) => !isAllowed(path))).toEqual([]);
  });

  test.each(effectCases.filter(({ changes }) => changes !== undefined))("has effect: $field", (effect) => {
    expect(effectsOf(...sides(effect))).toEqual([...(effect.changes ?? [])].sort());
  });

  test.each(effectCases.flatMap(({ behaves, ...effect }) => (behaves ? [{ ...effect, behaves }] : [])))(
    "changes what the operator does: $field",
    async ({ behaves, ...effect }) => {
      const [before, after] = sides(effect);
      expect(await behaves(after)).not.toEqual(await behaves(before));
    },
  );
});

interface SchemaLike {
  readonly unwrap?: () => SchemaLike;
  readonly options?: readonly SchemaLike[];
  readonly shape?: Readonly<Record<string, SchemaLike>>;
}

/** The keys that a schema knows, in each of its forms. */
function keysIn(schema: object, path: readonly string[] = []): readonly string[] {
  const { unwrap, options, shape } = schema as SchemaLike;
  if (shape) return Object.entries(shape).flatMap(([key, inner]) => keysIn(inner, [...path, key]));
  const forms = options?.filter((form) => form.shape) ?? [];
  if (forms.length > 0) return forms.flatMap((form) => keysIn(form, path));
  return unwrap && path.length < 2 ? keysIn(unwrap.call(schema), path) : [path.join(".")];
}

describe("the table of ev-node's keys", () => {
  const keysOf = ({ changes = [] }: Effect) =>
    changes.flatMap((change) => /^evnode[.]yaml (.+)$/.exec(change)?.[1] ?? []);

  test.each(effectCases)("tells what $field sets", (effect) => {
    const told = Object.entries(evnodeKeys).flatMap(([key, origin]) =>
      origin.from === "Spec" && origin.fields.includes(effect.field) ? [key] : [],
    );
    expect(told.sort()).toEqual([...keysOf(effect)].sort());
  });

  test("names fields alone that there are", () => {
    const told = Object.values(evnodeKeys).flatMap((origin) => (origin.from === "Spec" ? origin.fields : []));
    expect(told.filter((field) => !fields.includes(field))).toEqual([]);
  });

  const written = [...new Set(keysIn(memberConfigSchema))];

  test("has every key that is written", () => {
    expect(written.length).toBeGreaterThan(50);
    expect(written.filter((key) => !(key in evnodeKeys))).toEqual([]);
  });

  test("and refuses none of them", () => {
    const wrong = written.filter((key) => ["Refused", "Flag"].includes(evnodeKeys[key]?.from ?? ""));
    expect(wrong).toEqual([]);
  });

  test("the flags of what the operator sets or refuses are refused", () => {
    const closed = Object.entries(evnodeKeys).filter(
      ([, { from }]) => from === "Operator" || from === "Refused",
    );
    expect(closed.map(([key]) => key).filter((key) => !isOwnedFlag(`--evnode.${key}=x`))).toEqual([]);
  });
});
