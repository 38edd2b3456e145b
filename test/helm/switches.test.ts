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
import { z } from "zod";
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
const managed = z.looseObject({
  "app.kubernetes.io/name": z.literal("evnode-operator"),
  "app.kubernetes.io/instance": z.literal("evnode-operator"),
});

function check(objects: readonly Rendered[]): void {
  const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`);
  expect(new Set(names).size).toBe(names.length);
  for (const object of objects) {
    const { kind, metadata } = object;
    const model = published[kind];
    if (model !== undefined) new model(object as never).validate();
    else expect(foreign).toContain(kind);
    expect(metadata.namespace === undefined).toBe(clusterWide.includes(kind));
    if (kind !== "CustomResourceDefinition") managed.parse(metadata.labels);
  }
  // What nothing refers to was left behind, and what is referred to has to be there.
  const accounts = objects
    .filter(({ kind }) => kind === "ServiceAccount")
    .map(({ metadata }) => metadata.name);
  const roles = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  for (const { roleRef, subjects } of objects.filter(({ kind }) => kind.endsWith("Binding"))) {
    const { kind, name } = roleRef as { readonly kind: string; readonly name: string };
    expect(roles).toContain(`${kind} ${name}`);
    const [subject] = subjects as readonly { readonly name: string }[];
    expect([...accounts, "default"]).toContain(subject?.name);
  }
}

describe.skipIf(helm === undefined)(`the chart's switches${skipped}`, () => {
  const plain = helm === undefined ? "" : JSON.stringify(render());

  it.each(switches)("%s alone gives objects of the published shapes", (value) => {
    const objects = render(value);
    check(objects);
    const isPartOfAnother = /metrics\.\w+\.labels|networkPolicy\.(?!enabled)/.test(value);
    expect(JSON.stringify(objects) === plain).toBe(isPartOfAnother);
  });

  it.each(switches.filter((value) => !contradicts.includes(value)))(
    "%s does so with all others on",
    (value) => {
      check(render(...allOn, value));
    },
  );

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
