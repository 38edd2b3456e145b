import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isMap, isScalar, type Pair, parseDocument } from "yaml";
import { z } from "zod";
import { GENERATED } from "./generate-crd.ts";
import { code, table } from "./generate-reference.ts";

const chart = join(import.meta.dirname, "../helm");

/** As much of a JSON schema as values.schema.json says about one value. */
const schemaNode = z.looseObject({
  type: z.string().optional(),
  enum: z.array(z.string()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  $ref: z.string().optional(),
});
type SchemaNode = z.infer<typeof schemaNode>;

const refs: Readonly<Record<string, string>> = {
  "#/definitions/strings": "map of texts",
  "#/definitions/objects": "list of objects",
};

const typeWords: Readonly<Record<string, string>> = {
  string: "text",
  array: "list",
  boolean: "true or false",
};

interface Value {
  readonly path: string;
  readonly type: string;
  readonly byDefault: string;
  readonly meaning: string;
}

/** Every value of the chart: its comments from values.yaml, and what values.schema.json takes. */
export function valuesPage(): string {
  const document = parseDocument(readFileSync(join(chart, "values.yaml"), "utf8"));
  const schema = schemaNode.parse(JSON.parse(readFileSync(join(chart, "values.schema.json"), "utf8")));
  const values = valuesBelow(document.contents, schema, "");
  return [
    `<!-- ${GENERATED.replace("src/api", "helm/values.yaml and helm/values.schema.json")} -->`,
    "# Values of the chart",
    "Every value of the [chart](../helm/values.yaml), with its default. Helm refuses names and types that are not here. How to give them is told in [install](install.md).",
    table(
      ["Value", "Takes", "Default", "Means"],
      values.map(({ path, type, byDefault, meaning }) => [code(path), type, code(byDefault), meaning]),
    ),
  ]
    .join("\n\n")
    .concat("\n");
}

/** A map that the schema knows no names of is a value of its own; another one is a section. */
function valuesBelow(node: unknown, schema: SchemaNode, above: string): readonly Value[] {
  if (!isMap(node)) throw new Error(`helm/values.yaml has no map at ${above || "its root"}`);
  // The comment above the first entry of a map is the map's own in the parser's eyes.
  const firstComment = node.commentBefore ?? undefined;
  return node.items.flatMap((pair, index) => {
    const name = nameOf(pair);
    const path = above === "" ? name : `${above}.${name}`;
    const comment = commentOf(pair) ?? (index === 0 ? firstComment : undefined);
    const section = textOf(comment);
    const below = schemaNode.parse(schema.properties?.[name]);
    if (below.properties === undefined || !isMap(pair.value) || path === "resources") {
      const byDefault = JSON.stringify((pair.value as { toJSON(): unknown }).toJSON());
      return [{ path, type: takes(below), byDefault, meaning: section }];
    }
    const [first, ...rest] = valuesBelow(pair.value, below, path);
    // What is said of a section is said with its first value.
    return first === undefined ? [] : [{ ...first, meaning: joined(section, first.meaning) }, ...rest];
  });
}

const joined = (...texts: readonly string[]) => texts.filter((text) => text !== "").join(" ");

function nameOf({ key }: Pair): string {
  if (isScalar(key) && typeof key.value === "string") return key.value;
  throw new Error("helm/values.yaml has a key that is no text");
}

function commentOf({ key }: Pair): string | undefined {
  return isScalar(key) ? (key.commentBefore ?? undefined) : undefined;
}

/** The lines of the last paragraph: what stands above an empty line is about something else. */
function textOf(comment: string | undefined): string {
  const paragraph = (comment ?? "").split(/\n\s*\n/).at(-1) ?? "";
  return paragraph
    .split("\n")
    .map((line) => line.trim())
    .join(" ")
    .replaceAll(/[<>]/g, (bracket) => (bracket === "<" ? "&lt;" : "&gt;"))
    .replaceAll("|", "\\|")
    .trim();
}

function takes({ type, enum: words, minimum, maximum, $ref }: SchemaNode): string {
  if (words !== undefined) return words.map((word) => (word === "" ? "nothing" : code(word))).join(", ");
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  if ($ref !== undefined) return refs[$ref] ?? $ref;
  return typeWords[type ?? ""] ?? type ?? "";
}
