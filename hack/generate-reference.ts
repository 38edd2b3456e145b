import { defaultsV1 } from "../src/api/defaults.ts";
import { immutableFields } from "../src/api/immutable.ts";
import { resource } from "../src/api/resource.ts";
import { GENERATED, objectSchema } from "./generate-crd.ts";
import type { SchemaNode } from "./generate-schema.ts";

interface Row {
  readonly path: string;
  readonly node: SchemaNode;
  readonly required: boolean;
}

/** Fields and defaults, for people who write manifests. */
export function reference(): string {
  const { properties = {} } = objectSchema();
  const { spec = {}, status = {} } = properties;
  return [
    `<!-- ${GENERATED} -->`,
    "# Reference",
    `\`${resource.kind}\`, short name \`${resource.shortNames.join("`, `")}\`, of \`${resource.group}/${resource.version}\`.`,
    "## Spec",
    "A field without a default may be left out unless it is required. Defaults are the operator's, not part of the stored object; a cluster keeps those it was created with.",
    ...sections(spec, "spec"),
    "## What cannot change",
    table(
      ["Field", "Why"],
      immutableFields.map(({ path, why }) => [code(`spec.${path.join(".")}`), capital(why)]),
    ),
    "## Status",
    fieldTable(rowsOf(status, "status", Number.POSITIVE_INFINITY), false),
    "## Conditions",
    "Every condition and reason, and every Event, is on the page of [conditions](conditions.md).",
  ]
    .join("\n\n")
    .concat("\n");
}

/** One table for the plain fields of the spec, then one for each section. */
function sections(node: SchemaNode, path: string): readonly string[] {
  const children = rowsOf(node, path, 1);
  const plain = children.filter((row) => !isSection(row.node));
  return [
    fieldTable(plain, true),
    ...rulesOf(node),
    ...children
      .filter((row) => isSection(row.node))
      .flatMap((row) => [
        `### ${row.path}`,
        `${row.node.description ?? ""}${row.required ? " Required." : ""}`,
        fieldTable(rowsOf(row.node, row.path, Number.POSITIVE_INFINITY), true),
        ...rulesOf(row.node),
      ]),
  ];
}

function isSection(node: SchemaNode): boolean {
  return node.type === "object" && node.properties !== undefined;
}

/** The fields below a node, each before its own fields, down to `depth` levels. */
function rowsOf(node: SchemaNode, path: string, depth: number): readonly Row[] {
  if (depth === 0) return [];
  const { properties, required = [] } = node.items ?? node;
  return Object.entries(properties ?? {}).flatMap(([key, child]) => {
    const childPath = `${path}${node.items === undefined ? "" : "[]"}.${key}`;
    return [
      { path: childPath, node: child, required: required.includes(key) },
      ...rowsOf(child, childPath, depth - 1),
    ];
  });
}

function fieldTable(rows: readonly Row[], withDefaults: boolean): string {
  return table(
    ["Field", "Type", ...(withDefaults ? ["Default"] : []), "Meaning"],
    rows.map(({ path, node, required }) => [
      code(path),
      typeOf(node),
      ...(withDefaults ? [required ? "required" : defaultOf(path)] : []),
      [node.description ?? "", ...ruleMessages(isSection(node) ? node : withoutSection(node))].join(" "),
    ]),
  );
}

function withoutSection(node: SchemaNode): SchemaNode {
  return node.items === undefined || isSection(node.items) ? node : { ...node, ...pick(node, node.items) };
}

/** The rules of a list and of its plain items are told together. */
function pick(node: SchemaNode, items: SchemaNode): SchemaNode {
  return {
    "x-kubernetes-validations": [
      ...(node["x-kubernetes-validations"] ?? []),
      ...(items["x-kubernetes-validations"] ?? []),
    ],
  };
}

/** Rules about changes have a chapter of their own. */
function ruleMessages(node: SchemaNode): readonly string[] {
  const rules = node["x-kubernetes-validations"] ?? [];
  return rules.filter(({ rule }) => !rule.includes("oldSelf")).map(({ message }) => message);
}

function rulesOf(node: SchemaNode): readonly string[] {
  const messages = ruleMessages(node);
  return messages.length === 0 ? [] : [messages.map((message) => `- ${message}`).join("\n")];
}

function typeOf(node: SchemaNode): string {
  if (node["x-kubernetes-int-or-string"] === true) return "quantity";
  if (node.enum !== undefined) return node.enum.map((value) => code(String(value))).join(", ");
  if (node.items !== undefined) return `list of ${typeOf(node.items)}${bound(node.maxItems)}`;
  if (node.additionalProperties !== undefined) return `map of ${typeOf(node.additionalProperties)}`;
  if (node.type === "integer" && node.minimum !== undefined && node.maximum !== undefined) {
    return `integer, ${node.minimum} to ${node.maximum}`;
  }
  if (node.type === "number") return `number, ${node.minimum} to ${node.maximum}`;
  return node.type ?? "any";
}

function bound(max: number | undefined): string {
  return max === undefined ? "" : `, at most ${max}`;
}

function defaultOf(path: string): string {
  const value = path
    .split(".")
    .slice(1)
    .reduce<unknown>((node, key) => (isRecord(node) ? node[key] : undefined), defaultsV1);
  if (!isRecord(value)) return shown(value);
  const parts = Object.entries(value);
  return parts.some(([, part]) => isRecord(part))
    ? ""
    : parts.map(([key, part]) => `${key} ${shown(part)}`).join(", ");
}

/** Defaults are plain values or, for a section, records of them. */
function shown(value: unknown): string {
  return value === undefined ? "" : code(typeof value === "string" ? value : JSON.stringify(value));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

export const code = (text: string) => `\`${text}\``;
/** A sentence from a clause; the name ev-node keeps its small letter. */
export const capital = (text: string) =>
  text.startsWith("ev-node") ? text : `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
