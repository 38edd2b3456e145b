import * as z from "zod";

/**
 * A rule that is checked twice: by the API server, as CEL, when an object is written, and by the operator, with
 * `holds`, when it is read. Tests prove that the two agree.
 */
export interface Rule<T> {
  readonly cel: string;
  /** A full sentence for the person who wrote the manifest. */
  readonly message: string;
  readonly holds: (value: T) => boolean;
  /** The field that is to blame, below the one that carries the rule. The API server takes no path into metadata. */
  readonly at?: readonly string[];
}

/** A rule about a change of the field. Only the API server, which knows the old value, can check it. */
export interface TransitionRule {
  readonly cel: string;
  readonly message: string;
  readonly at: readonly string[];
}

interface FieldOptions<T> {
  readonly rules?: readonly Rule<T>[];
  readonly transitions?: readonly TransitionRule[];
  /** Further keywords of the CRD schema, such as `x-kubernetes-list-type` or `format`. */
  readonly keywords?: Readonly<Record<string, unknown>>;
}

/** Adds the user's description, the rules and the CRD keywords to a schema. */
export function field<S extends z.ZodType>(
  schema: S,
  description: string,
  { rules = [], transitions = [], keywords = {} }: FieldOptions<z.output<S>> = {},
): S {
  let checked = schema;
  for (const { holds, message, at = [] } of rules) {
    checked = checked.refine(holds, { message, path: [...at] });
  }
  const validations = [
    ...rules.map((rule) => validation(rule)),
    ...transitions.map((rule) => ({ ...validation(rule), reason: "FieldValueForbidden" })),
  ];
  return checked.meta({
    description,
    ...(validations.length === 0 ? {} : { "x-kubernetes-validations": validations }),
    ...keywords,
  });
}

function validation({ cel, message, at }: { cel: string; message: string; at?: readonly string[] }) {
  const fieldPath = at === undefined || at[0] === "metadata" ? {} : { fieldPath: `.${at.join(".")}` };
  return { rule: cel, message, ...fieldPath };
}

/** A CEL string literal. */
export function celString(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** The rule that a string matches a pattern that RE2 and JavaScript read alike. */
export function matches(pattern: string, message: string): Rule<string> {
  const expression = new RegExp(pattern);
  return { cel: `self.matches(${celString(pattern)})`, message, holds: (value) => expression.test(value) };
}

/**
 * CEL for the presence of a field and of all fields above it. Rules use it rather than optional selection: of an
 * optional value the API server assumes the greatest size when it estimates the cost, and refuses the schema.
 */
export function present(root: string, path: readonly string[]): string {
  return path.map((_, depth) => `has(${root}.${path.slice(0, depth + 1).join(".")})`).join(" && ");
}
