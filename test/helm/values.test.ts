import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { at, chartFolder, helm, only, render, skipped } from "./chart.ts";

const pod = "spec.template.spec";
const container = `${pod}.containers.0`;
const digest = `sha256:${"a".repeat(64)}`;

interface Case {
  readonly value: string;
  readonly kind?: string;
  readonly path: string;
  readonly expected: unknown;
}

/** One row for each value that changes the output. */
const cases: readonly Case[] = [
  { value: 'image.repository="r.example/op"', path: `${container}.image`, expected: "r.example/op:0.1.0" },
  { value: 'image.tag="2.0.0"', path: `${container}.image`, expected: "evnode.dev/evnode-operator:2.0.0" },
  {
    value: 'image.tag="2.0.0"',
    path: `${container}.env.3.value`,
    expected: "evnode.dev/evnode-operator:2.0.0",
  },
  {
    value: `image.digest="${digest}"`,
    path: `${container}.image`,
    expected: `evnode.dev/evnode-operator:0.1.0@${digest}`,
  },
  { value: 'image.pullPolicy="Never"', path: `${container}.imagePullPolicy`, expected: "Never" },
  {
    value: 'imagePullSecrets=[{"name":"login"}]',
    path: `${pod}.imagePullSecrets`,
    expected: [{ name: "login" }],
  },
  { value: "replicas=3", path: "spec.replicas", expected: 3 },
  { value: "replicas=0", path: "spec.replicas", expected: 0 },
  { value: 'watchNamespace="chains"', path: `${container}.env.2.value`, expected: "chains" },
  { value: 'clusterDomain="k8s.example"', path: `${container}.env.4.value`, expected: "k8s.example" },
  { value: 'log.level="debug"', path: `${container}.env.5.value`, expected: "debug" },
  { value: "workers=9", path: `${container}.env.6.value`, expected: "9" },
  { value: "metrics.port=9443", path: `${container}.env.8.value`, expected: "9443" },
  { value: "metrics.enabled=false", path: `${container}.env.8.value`, expected: "0" },
  { value: 'metrics.access="loopback"', path: `${container}.env.9.value`, expected: "loopback" },
  { value: 'watchNamespace="chains"', path: `${container}.env.9.value`, expected: "loopback" },
  {
    value: 'metrics.tlsSecret="metrics-tls"',
    path: `${pod}.volumes`,
    expected: [{ name: "metrics-tls", secret: { secretName: "metrics-tls" } }],
  },
  {
    value: 'extraEnv=[{"name":"A","value":"b"}]',
    path: `${container}.env.10`,
    expected: { name: "A", value: "b" },
  },
  {
    value: 'resources={"limits":{"memory":"1Gi"}}',
    path: `${container}.resources.limits.memory`,
    expected: "1Gi",
  },
  { value: 'podAnnotations={"a":"b"}', path: "spec.template.metadata.annotations.a", expected: "b" },
  { value: 'podLabels={"a":"b"}', path: "spec.template.metadata.labels.a", expected: "b" },
  { value: 'nodeSelector={"a":"b"}', path: `${pod}.nodeSelector`, expected: { a: "b" } },
  { value: 'tolerations=[{"key":"a"}]', path: `${pod}.tolerations`, expected: [{ key: "a" }] },
  { value: 'affinity={"podAntiAffinity":{}}', path: `${pod}.affinity`, expected: { podAntiAffinity: {} } },
  {
    value: 'topologySpreadConstraints=[{"maxSkew":1}]',
    path: `${pod}.topologySpreadConstraints`,
    expected: [{ maxSkew: 1 }],
  },
  { value: "replicas=1", path: `${pod}.topologySpreadConstraints`, expected: undefined },
  { value: 'priorityClassName="high"', path: `${pod}.priorityClassName`, expected: "high" },
  { value: 'serviceAccount.name="mine"', path: `${pod}.serviceAccountName`, expected: "mine" },
  { value: 'serviceAccount.name="mine"', kind: "ServiceAccount", path: "metadata.name", expected: "mine" },
  {
    value: 'serviceAccount.annotations={"a":"b"}',
    kind: "ServiceAccount",
    path: "metadata.annotations",
    expected: { a: "b" },
  },
];

describe.skipIf(helm === undefined)(`the chart's values${skipped}`, () => {
  const unchanged = helm === undefined ? [] : render();

  it.each(cases)("$value shows at $path", ({ value, kind = "Deployment", path, expected }) => {
    expect(at(only(unchanged, kind), path)).not.toEqual(expected);
    expect(at(only(render(value), kind), path)).toEqual(expected);
  });

  it("crds.install=false leaves the CRD to others", () => {
    const kinds = (value: string) => render(value).map(({ kind }) => kind);
    expect(kinds("crds.install=false")).not.toContain("CustomResourceDefinition");
    expect(kinds("crds.install=true")).toContain("CustomResourceDefinition");
  });

  it("are all described by the schema, with the same type", () => {
    const values: unknown = parse(readFileSync(join(chartFolder, "values.yaml"), "utf8"));
    const schema: unknown = JSON.parse(readFileSync(join(chartFolder, "values.schema.json"), "utf8"));
    const described = Object.keys(at(schema, "properties") as object).filter((name) => name !== "global");
    expect(described.sort()).toEqual(Object.keys(values as object).sort());
  });

  it.each([
    { value: "replica=2", refusal: "additional properties 'replica' not allowed" },
    { value: 'image.tags="1"', refusal: "additional properties 'tags' not allowed" },
    { value: 'image.digest="sha256:abc"', refusal: "does not match pattern" },
    { value: 'image.repository=""', refusal: "minLength: got 0, want 1" },
    { value: "replicas=6", refusal: "maximum: got 6, want 5" },
    { value: "workers=0", refusal: "minimum: got 0, want 1" },
    { value: 'log.level="loud"', refusal: "value must be one of" },
    { value: 'watchNamespace="Not_A_Namespace"', refusal: "does not match pattern" },
    { value: 'clusterDomain=""', refusal: "does not match pattern" },
    { value: "metrics.port=8081", refusal: "'not' failed" },
    { value: "metrics.port=80", refusal: "minimum: got 80, want 1,024" },
    { value: 'metrics.access="all"', refusal: "value must be one of" },
    { value: 'metrics.serviceMonitor.interval="often"', refusal: "does not match pattern" },
    { value: "networkPolicy.apiServer.ports=[]", refusal: "minItems: got 0, want 1" },
    { value: "networkPolicy.apiServer.ports=[70000]", refusal: "maximum: got 70,000, want 65,535" },
    { value: 'resources.memory="1Gi"', refusal: "additional properties 'memory' not allowed" },
    { value: 'extraEnv=[{"value":"b"}]', refusal: "missing property 'name'" },
    { value: 'extraEnv=[{"name":"A-B"}]', refusal: "does not match pattern" },
    { value: 'imagePullSecrets=["login"]', refusal: "got string, want object" },
    { value: 'nodeSelector={"a":1}', refusal: "got number, want string" },
  ])("$value is refused", ({ value, refusal }) => {
    expect(() => render(value)).toThrow(refusal);
  });

  it("are all refused with the wrong type", () => {
    const schema = JSON.parse(readFileSync(join(chartFolder, "values.schema.json"), "utf8")) as SchemaNode;
    const all = leaves(schema);
    expect(all.length).toBeGreaterThan(40);
    const wrong = all.map(({ path, type }) => `${path.join(".")}=${type === "boolean" ? '"yes"' : "true"}`);
    const refusal = refusalOf(...wrong);
    const accepted = all.filter(({ path }) => !refusal.includes(`at '/${path.join("/")}':`));
    expect(accepted.map(({ path }) => path.join("."))).toEqual([]);
  });
});

interface SchemaNode {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
}

/** Every value that has no values of its own below it. */
function leaves(
  { properties = {} }: SchemaNode,
  above: readonly string[] = [],
): readonly { readonly path: readonly string[]; readonly type: string | undefined }[] {
  return Object.entries(properties).flatMap(([name, node]) => {
    const path = [...above, name];
    const below = leaves(node, path);
    return below.length > 0 ? below : [{ path, type: node.type }];
  });
}

function refusalOf(...values: readonly string[]): string {
  try {
    render(...values);
  } catch (error) {
    return String(error);
  }
  return "";
}
