import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { conditionsPage } from "../../hack/generate-conditions.ts";
import { crdManifest, crdTemplate, objectSchema } from "../../hack/generate-crd.ts";
import { exitsPage } from "../../hack/generate-exits.ts";
import { reference } from "../../hack/generate-reference.ts";
import { kubernetesSchema } from "../../hack/generate-schema.ts";
import { settings } from "../../hack/generate-settings.ts";
import { conditionMeanings } from "../../src/api/conditions.ts";
import { clusterSchema } from "../../src/api/schema.ts";
import { goodManifest } from "./manifest-patch.ts";
import { sampleStatus } from "./sample-status.ts";

const root = join(import.meta.dirname, "../..");
const stored = (path: string) => readFileSync(join(root, path), "utf8");
const conditionSources = {
  runbook: stored("docs/runbook.md"),
  notices: stored("src/plan/notices.ts"),
};
const described = <S extends z.ZodType>(schema: S) =>
  schema.meta({ ...schema.meta(), description: "Something." });

describe("generated files", () => {
  it.each([
    ["crds/evnode.dev_evnodeclusters.yaml", crdManifest],
    ["helm/templates/crd.yaml", crdTemplate],
    ["docs/reference.md", reference],
    ["docs/conditions.md", () => conditionsPage(conditionSources)],
    ["docs/settings.md", settings],
    ["docs/exits.md", exitsPage],
  ])("%s is what the source says", (path, content) => {
    expect(stored(path)).toBe(content());
  });

  it("are the same in the chart, but for what keeps clusters when the chart goes", () => {
    const body = crdTemplate().split("\n").slice(2, -2).join("\n");
    const crd = parse(crdManifest()) as { metadata: object };
    const annotations = { "helm.sh/resource-policy": "keep" };
    expect(parse(body)).toEqual({ ...crd, metadata: { ...crd.metadata, annotations } });
    expect(body).not.toContain("{{");
  });

  it("hold no default in the spec, which would change what is read of existing clusters", () => {
    const { spec, status } = objectSchema().properties ?? {};
    expect(JSON.stringify(spec)).not.toContain('"default":');
    expect(JSON.stringify({ ...status, default: undefined })).not.toContain('"default":');
  });

  it("say of a cluster that nobody has looked at that it is not as it should be", () => {
    const { default: first, properties = {} } = objectSchema().properties?.["status"] ?? {};
    expect(first).toEqual({ observedGeneration: -1 });
    expect(properties["observedGeneration"]?.minimum).toBe(-1);
    expect(clusterSchema.safeParse({ ...goodManifest, status: first })).toMatchObject({ success: true });
  });

  it("document every reason, with its section of the runbook", () => {
    const text = conditionsPage(conditionSources);
    const reasons = conditionMeanings.flatMap(({ reasons: all }) => all);
    const missing = reasons.filter(
      ({ reason, status }) =>
        !new RegExp(`^\\| \\[${reason}\\]\\(runbook\\.md#[a-z-]+\\) \\| ${status} \\| `, "m").test(text),
    );
    expect(missing).toEqual([]);
  });

  it("document every Event, and none that is not told", () => {
    const { notices } = conditionSources;
    const more = `${notices}\nconst x = normal("NobodyKnows", "");`;
    expect(() => conditionsPage({ ...conditionSources, notices: more })).toThrow(
      "Events without a meaning here: NobodyKnows",
    );
    const less = notices.replaceAll('"MemberRebuilt"', "reason");
    expect(() => conditionsPage({ ...conditionSources, notices: less })).toThrow(
      "Events that nobody tells any more: MemberRebuilt",
    );
  });
});

describe("the status schema", () => {
  it("accepts a status with every field", () => {
    expect(clusterSchema.safeParse({ ...goodManifest, status: sampleStatus })).toMatchObject({
      success: true,
    });
  });
});

describe("kubernetesSchema", () => {
  it.each<[string, z.ZodType, string]>([
    ["a text without a limit", z.string(), "x: maxLength is missing"],
    ["a list without a limit", z.array(z.boolean()), "x: maxItems is missing"],
    ["a map without a limit", z.record(z.string(), z.boolean()), "x: maxProperties is missing"],
    [
      "a choice between types",
      z.union([z.boolean(), z.int32()]),
      "x: the keyword anyOf cannot be part of a CRD",
    ],
    ["a default", z.boolean().default(true), "x: the keyword default cannot be part of a CRD"],
    ["a strict object", z.strictObject({}), "x: a strict object cannot be part of a CRD"],
    [
      "a pattern that looks ahead",
      z
        .string()
        .max(9)
        .regex(/^(?!a)/),
      "x: RE2 has no look-around",
    ],
    ["a value of any type", z.unknown(), "x: the type is missing"],
  ])("refuses %s", (_, schema, message) => {
    expect(() => kubernetesSchema(described(schema), "x")).toThrow(message);
  });

  it("refuses a field that is not described", () => {
    expect(() => kubernetesSchema(described(z.object({ a: z.boolean() })), "x")).toThrow(
      "x.a: a description is missing",
    );
  });

  it("leaves out bounds that say nothing and keeps the others", () => {
    expect(kubernetesSchema(described(z.int().min(0)), "x")).toEqual({
      description: "Something.",
      type: "integer",
      minimum: 0,
    });
  });
});
