import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { objectSchema } from "../../hack/generate-crd.ts";
import type { SchemaNode } from "../../hack/generate-schema.ts";
import { CURRENT_DEFAULTS_VERSION } from "../../src/api/defaults.ts";
import type { EvNodeCluster } from "../../src/api/evnodecluster.ts";
import { forbiddenChanges } from "../../src/api/immutable.ts";
import { type Parsed, parseCluster } from "../../src/api/parse.ts";
import { validate } from "../../src/api/validate.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { badManifests, refusedByOperator } from "./bad-manifests.ts";
import { goodMigration } from "./bad-migration-manifests.ts";
import { goodManifest, type Patch, patched } from "./manifest-patch.ts";
import { allowedUpdates, forbiddenUpdates } from "./updates.ts";

const root = join(import.meta.dirname, "../..");

const object = (patch: Patch) => patched(goodManifest, patch) as KubeObject;
const read = (manifest: KubeObject): Parsed => parseCluster(manifest, CURRENT_DEFAULTS_VERSION);

function accepted(patch: Patch): Extract<Parsed, { kind: "valid" }> {
  const parsed = read(object(patch));
  if (parsed.kind === "invalid") throw new Error(parsed.problems.join("\n"));
  return parsed;
}

const problemsOf = (patch: Patch): readonly string[] => {
  const parsed = read(object(patch));
  return parsed.kind === "invalid" ? parsed.problems : [];
};

function messagesOf(node: SchemaNode): readonly string[] {
  const children = [...Object.values(node.properties ?? {}), node.items, node.additionalProperties];
  return [
    ...(node["x-kubernetes-validations"] ?? []).map(({ message }) => message),
    ...children.flatMap((child) => (child === undefined ? [] : messagesOf(child))),
  ];
}

describe("an object that the API server refuses", () => {
  const ruleMessages = messagesOf(objectSchema());
  const seen = badManifests.filter(({ seenBy }) => seenBy !== "server");

  it.each(seen)("is refused by the operator too: $name", ({ patch, field }) => {
    const problems = problemsOf(patch).filter((problem) => problem.startsWith(`${field}: `));
    expect(problems).not.toEqual([]);
  });

  // A rule says the same on both sides; types and bounds have words of their own on each.
  const byRule = seen.filter(({ message }) => ruleMessages.some((text) => text.includes(message)));

  it.each(byRule)("is refused by the same sentence: $name", ({ patch, message }) => {
    expect(problemsOf(patch).join("\n")).toContain(message);
  });

  it("has a row for every rule", () => {
    const rows = badManifests.map(({ message }) => message);
    const untested = ruleMessages.filter(
      (text) => !text.includes(" cannot change: ") && !rows.some((row) => text.includes(row)),
    );
    expect(untested).toEqual([]);
  });
});

describe("a sequencer outside", () => {
  it("counts as running as long as its owner says nothing else", () => {
    expect(accepted(goodMigration).migration).toMatchObject({ oldSequencer: "Running", copies: "Refuse" });
    expect(accepted({}).migration).toBeUndefined();
  });

  it("is no part of what pods are made from", () => {
    const { migration: _, ...rest } = goodMigration["spec"] as Record<string, unknown>;
    expect(accepted(goodMigration).spec).toEqual(accepted({ spec: rest }).spec);
  });
});

describe("a change that the API server refuses", () => {
  it.each(forbiddenUpdates)("is refused by the operator too: $name", ({ before, after, field }) => {
    const changes = forbiddenChanges(accepted(before).spec, accepted(after).spec);
    expect(changes.map(({ path }) => path)).toEqual([field]);
    expect(changes[0]?.message).toContain(`${field} cannot change: `);
  });

  it.each(allowedUpdates)("is not: $name", ({ before, after }) => {
    expect(forbiddenChanges(accepted(before).spec, accepted(after).spec)).toEqual([]);
  });
});

describe("an object that only the operator refuses", () => {
  it.each(refusedByOperator)("passes the schema and is explained: $name", ({ patch, field, message }) => {
    const { cluster, spec } = accepted(patch);
    const problems = validate(cluster, spec, "cluster.local");
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${field}: `));
    expect(problems[0]).toContain(message);
  });

  it("is one whose members' host names are too long", () => {
    const { cluster, spec } = accepted({});
    const [problem] = validate(cluster, spec, `${"d".repeat(63)}.`.repeat(4).slice(0, -1));
    expect(problem).toMatch(/^metadata\.name: The members' host names, such as demo-6\.demo\.default\.svc\./);
  });
});

describe("the examples", () => {
  const files = readdirSync(join(root, "examples")).filter((file) => file.endsWith(".yaml"));
  const example = (file: string) =>
    parse(readFileSync(join(root, "examples", file), "utf8")) as EvNodeCluster;

  it.each(files)("%s is accepted", (file) => {
    const parsed = read(example(file));
    if (parsed.kind === "invalid") throw new Error(parsed.problems.join("\n"));
    expect(validate(parsed.cluster, parsed.spec, "cluster.local")).toEqual([]);
    // Whatever the schema does not know would be dropped here.
    expect(parsed.cluster.spec).toEqual(example(file).spec);
  });

  it("full.yaml shows every field but those that exclude another", () => {
    const { spec } = objectSchema().properties ?? {};
    const missing = missingFields(spec ?? {}, example("full.yaml").spec, "spec");
    expect(missing).toEqual([
      "spec.migration",
      "spec.execution",
      "spec.chain.genesis.secret",
      "spec.signer.awsKms",
      "spec.signer.gcpKms",
      "spec.raft.rttMax",
      "spec.raft.absenceCovered",
      "spec.suspend",
      "spec.pod.tolerations[].tolerationSeconds",
    ]);
  });

  it("evm.yaml shows every field of the execution client", () => {
    const { execution = {} } = objectSchema().properties?.["spec"]?.properties ?? {};
    expect(missingFields(execution, example("evm.yaml").spec.execution, "spec.execution")).toEqual([]);
  });
});

function missingFields(node: SchemaNode, value: unknown, path: string): readonly string[] {
  if (value === undefined) return [path];
  if (node.items !== undefined) return missingFields(node.items, (value as unknown[])[0], `${path}[]`);
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) =>
    missingFields(child, (value as Readonly<Record<string, unknown>>)[key], `${path}.${key}`),
  );
}
