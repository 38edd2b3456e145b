import { Deployment } from "kubernetes-models/apps/v1";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1";
import {
  ClusterRole,
  ClusterRoleBinding,
  Role,
  RoleBinding,
} from "kubernetes-models/rbac.authorization.k8s.io/v1";
import { ConfigMap, Service, ServiceAccount } from "kubernetes-models/v1";
import { describe, expect, it } from "vitest";
import {
  chartFolder,
  helm,
  oldestHelm,
  type Rendered,
  render,
  renderWith,
  runHelm,
  skipped,
} from "./chart.ts";

/** Each of these makes the templates take another branch. */
const switches = [
  "crds.install=false",
  "rbac.create=false",
  "rbac.userRoles=false",
  "serviceAccount.create=false",
  'serviceAccount.annotations={"a":"b"}',
  'image.digest="sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"',
  'imagePullSecrets=[{"name":"login"}]',
  'watchNamespace="chains"',
  "replicas=1",
  "podDisruptionBudget.enabled=false",
  "metrics.enabled=false",
  'metrics.access="loopback"',
  'metrics.access="anyone"',
  'metrics.tlsSecret="tls"',
  "metrics.serviceMonitor.enabled=true",
  'metrics.serviceMonitor.labels={"a":"b"}',
  "metrics.rules.enabled=true",
  'metrics.rules.labels={"a":"b"}',
  "metrics.dashboard.enabled=true",
  "networkPolicy.enabled=true",
  'networkPolicy.metricsFrom=[{"podSelector":{}}]',
  'networkPolicy.apiServer.to=[{"ipBlock":{"cidr":"10.0.0.1/32"}}]',
  "networkPolicy.dns=false",
  'networkPolicy.extraEgress=[{"ports":[{"port":3128}]}]',
  'extraEnv=[{"name":"A","value":"b"}]',
  'resources={"requests":null,"limits":null}',
  'podAnnotations={"a":"b"}',
  'podLabels={"a":"b"}',
  'nodeSelector={"a":"b"}',
  'tolerations=[{"key":"a","operator":"Exists"}]',
  'affinity={"nodeAffinity":{}}',
  'topologySpreadConstraints=[{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule"}]',
  'priorityClassName="high"',
] as const;

/** Everything that is off by default, and may be on together. */
const allOn = [
  "metrics.serviceMonitor.enabled=true",
  "metrics.rules.enabled=true",
  "metrics.dashboard.enabled=true",
  "networkPolicy.enabled=true",
];
/** What the chart refuses together with all of that, as it has to. */
const contradicts = ["metrics.enabled=false", 'metrics.access="loopback"', 'watchNamespace="chains"'];

const published: Readonly<Record<string, new (object: never) => { validate(): void }>> = {
  Deployment,
  Service,
  ServiceAccount,
  ConfigMap,
  ClusterRole,
  ClusterRoleBinding,
  Role,
  RoleBinding,
  NetworkPolicy,
  PodDisruptionBudget,
};
/** Kinds of others, whose shapes are published elsewhere. */
const foreign = ["CustomResourceDefinition", "ServiceMonitor", "PrometheusRule"];
const clusterWide = ["CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"];
const selector = {
  "app.kubernetes.io/name": "evnode-operator",
  "app.kubernetes.io/instance": "evnode-operator",
};

function problemsOf(objects: readonly Rendered[]): readonly string[] {
  const names = objects.map(nameOf);
  const twice = names
    .filter((name, index) => names.indexOf(name) !== index)
    .map((name) => `${name} is there twice`);
  return [...twice, ...objects.flatMap(shapeProblems), ...referenceProblems(objects)];
}

const nameOf = ({ kind, metadata: { namespace = "", name } }: Rendered) => `${kind} ${namespace}/${name}`;

function shapeProblems(object: Rendered): readonly string[] {
  const { kind, metadata } = object;
  const name = nameOf(object);
  const found = [
    (metadata.namespace === undefined) === clusterWide.includes(kind) ? "" : `${name} has the wrong scope`,
    kind === "CustomResourceDefinition" || isSelected(metadata.labels)
      ? ""
      : `${name} has no labels of the release`,
    shapeProblem(object),
  ];
  return found.filter((problem) => problem !== "");
}

const isSelected = (labels: Rendered["metadata"]["labels"]) =>
  Object.entries(selector).every(([key, value]) => labels?.[key] === value);

function shapeProblem(object: Rendered): string {
  const model = published[object.kind];
  if (model === undefined)
    return foreign.includes(object.kind) ? "" : `${nameOf(object)} is of no known kind`;
  try {
    new model(object as never).validate();
    return "";
  } catch (error) {
    return `${nameOf(object)}: ${String(error)}`;
  }
}

/** A binding leads to a role and an account that are there; `default` always is. */
function referenceProblems(objects: readonly Rendered[]): readonly string[] {
  const there = new Set(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).add(
    "ServiceAccount default",
  );
  const bindings = objects.filter(({ kind }) => kind.endsWith("Binding"));
  return bindings.flatMap((binding) => {
    const { roleRef, subjects } = binding as unknown as {
      readonly roleRef: { readonly kind: string; readonly name: string };
      readonly subjects: readonly { readonly kind: string; readonly name: string }[];
    };
    const missing = [roleRef, ...subjects].filter(({ kind, name }) => !there.has(`${kind} ${name}`));
    return missing.map(({ kind, name }) => `${nameOf(binding)} leads to ${kind} ${name}, which is not there`);
  });
}

describe.skipIf(helm === undefined)(`the chart's switches${skipped}`, () => {
  const plain = helm === undefined ? "" : JSON.stringify(render());

  it.each(switches)("%s alone gives objects of the published shapes", (value) => {
    const objects = render(value);
    expect(problemsOf(objects)).toEqual([]);
    const isPartOfAnother = /metrics\.\w+\.labels|networkPolicy\.(?!enabled)/.test(value);
    expect(JSON.stringify(objects) === plain).toBe(isPartOfAnother);
  });

  it.each(switches.filter((value) => !contradicts.includes(value)))(
    "%s does so with all others on",
    (value) => {
      expect(problemsOf(render(...allOn, value))).toEqual([]);
    },
  );

  it("would be found with a shape that is not published, or with what is not there", () => {
    const [binding] = render().filter(({ kind }) => kind === "ClusterRoleBinding");
    const policy = render("networkPolicy.enabled=true").find(({ kind }) => kind === "NetworkPolicy");
    const wrong = { ...policy, spec: { podSelector: "all" } } as unknown as Rendered;
    expect(problemsOf([binding, wrong].flatMap((object) => object ?? [])).join()).toMatch(
      /NetworkPolicy evnode-system\/evnode-operator: .*, which is not there/s,
    );
  });

  it("pass helm's own checks with all of them on", () => {
    const values = allOn.flatMap((value) => ["--set-json", value]);
    expect(runHelm("lint", "--strict", chartFolder, ...values)).toContain("0 chart(s) failed");
  });
});

const without = oldestHelm === undefined ? " (skipped: node hack/helm.ts fetches it)" : "";
describe.skipIf(helm === undefined || oldestHelm === undefined)(`the oldest helm${without}`, () => {
  it.each([[[]], [allOn], [['watchNamespace="chains"', "networkPolicy.enabled=true"]]])(
    "makes the same of the chart with %j",
    (values) => {
      expect(renderWith(oldestHelm, ...values)).toEqual(render(...values));
    },
  );

  it("refuses the same wrong values", () => {
    expect(() => renderWith(oldestHelm, "replica=2")).toThrow(/replica\W.* not allowed/);
  });
});
