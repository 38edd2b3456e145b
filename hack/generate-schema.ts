import { z } from "zod";

/** A node of the CRD's OpenAPI v3 schema. */
export interface SchemaNode {
  readonly description?: string;
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly (string | number)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode;
  readonly items?: SchemaNode;
  /** Of the status alone: in the spec it would change what is read of existing objects. */
  readonly default?: { readonly observedGeneration: number };
  readonly "x-kubernetes-int-or-string"?: true;
  readonly "x-kubernetes-preserve-unknown-fields"?: true;
  readonly "x-kubernetes-list-type"?: string;
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-validations"?: readonly Validation[];
}

export interface Validation {
  readonly rule: string;
  readonly message: string;
  readonly fieldPath?: string;
  readonly reason?: string;
}

type Raw = Readonly<Record<string, unknown>>;

/** Keywords in the order in which they are written. One that is missing here cannot be written at all. */
const keywords = [
  "description",
  "type",
  "format",
  "enum",
  "minimum",
  "maximum",
  "minLength",
  "maxLength",
  "pattern",
  "minItems",
  "maxItems",
  "maxProperties",
  "required",
  "properties",
  "additionalProperties",
  "items",
  "x-kubernetes-int-or-string",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-validations",
];

/** zod writes the largest exact integers as bounds; the API server has its own. */
const MEANINGLESS_BOUND = Number.MAX_SAFE_INTEGER;
const INT32 = { minimum: -(2 ** 31), maximum: 2 ** 31 - 1 };

/** The schema that the Kubernetes API server accepts for a zod schema; throws for what it would refuse. */
export function kubernetesSchema(schema: z.ZodType, path: string): SchemaNode {
  const raw = z.toJSONSchema(schema, { target: "openapi-3.0", io: "input", unrepresentable: "throw" });
  return convert(raw, path);
}

function convert(raw: Raw, path: string): SchemaNode {
  const node = { ...simplified(raw) };
  if (raw["properties"] !== undefined && node["properties"] !== undefined) {
    const properties = Object.entries(raw["properties"] as Record<string, Raw>);
    node["properties"] = Object.fromEntries(
      properties.map(([key, child]) => [key, convert(child, `${path}.${key}`)]),
    );
  }
  if (node["items"] !== undefined) node["items"] = convert(node["items"] as Raw, `${path}[]`);
  if (node["additionalProperties"] === false)
    throw new Error(`${path}: a strict object cannot be part of a CRD`);
  if (node["additionalProperties"] !== undefined) {
    node["additionalProperties"] = convert(node["additionalProperties"] as Raw, `${path}.*`);
  }
  check(node, path);
  return Object.fromEntries(keywords.filter((key) => key in node).map((key) => [key, node[key]]));
}

function simplified(raw: Raw): Record<string, unknown> {
  const node = Object.fromEntries(
    Object.entries(raw).filter(([key, value]) => !isMeaningless(raw, key, value)),
  );
  if (node["x-kubernetes-int-or-string"] === true) delete node["anyOf"];
  if (node["x-kubernetes-preserve-unknown-fields"] === true) delete node["additionalProperties"];
  return node;
}

function isMeaningless(raw: Raw, key: string, value: unknown): boolean {
  if (key !== "minimum" && key !== "maximum") return false;
  if (Math.abs(Number(value)) === MEANINGLESS_BOUND) return true;
  return raw["format"] === "int32" && value === INT32[key];
}

/** What the API server refuses, or what would make its cost estimate unbounded. */
function check(node: Raw, path: string): void {
  const fail = (problem: string) => {
    throw new Error(`${path}: ${problem}`);
  };
  for (const key of Object.keys(node)) {
    if (!keywords.includes(key)) fail(`the keyword ${key} cannot be part of a CRD`);
  }
  if (typeof node["description"] !== "string" && !path.endsWith("[]") && !path.endsWith(".*")) {
    fail("a description is missing");
  }
  if (node["type"] === undefined && node["x-kubernetes-int-or-string"] !== true) fail("the type is missing");
  const bounded =
    node["enum"] !== undefined || node["format"] === "date-time" || node["maxLength"] !== undefined;
  if (node["type"] === "string" && !bounded) fail("maxLength is missing");
  if (node["type"] === "array" && node["maxItems"] === undefined) fail("maxItems is missing");
  if (node["additionalProperties"] !== undefined && node["maxProperties"] === undefined) {
    fail("maxProperties is missing");
  }
  const rules = (node["x-kubernetes-validations"] ?? []) as readonly Validation[];
  const patterns = [
    ...rules.map(({ rule }) => rule),
    ...(typeof node["pattern"] === "string" ? [node["pattern"]] : []),
  ];
  if (patterns.some((pattern) => /\(\?(?:[=!]|<[=!])/.test(pattern))) fail("RE2 has no look-around");
}
