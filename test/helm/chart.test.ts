import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { CURRENT_DEFAULTS_VERSION } from "../../src/api/defaults.ts";
import { parseCluster } from "../../src/api/parse.ts";
import { identitySecretName } from "../../src/model/names.ts";
import { at, chartFolder, helm, only, release, render, runHelm, skipped } from "./chart.ts";

const root = join(chartFolder, "..");
const pod = "spec.template.spec";
const container = `${pod}.containers.0`;

describe.skipIf(helm === undefined)(`the chart${skipped}`, () => {
  it("passes helm's own checks", () => {
    expect(runHelm("lint", "--strict", chartFolder)).toContain("1 chart(s) linted, 0 chart(s) failed");
  });

  it("has the version of the program that it installs", () => {
    const chart: unknown = parse(readFileSync(join(chartFolder, "Chart.yaml"), "utf8"));
    const program: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(at(chart, "appVersion")).toBe(at(program, "version"));
    expect(at(chart, "version")).toBe(at(program, "version"));
  });

  it("contains what its default values say and nothing else", () => {
    const names = render().map(({ kind, metadata }) => [kind, metadata.namespace, metadata.name]);
    expect(new Set(names)).toEqual(
      new Set([
        ["ClusterRole", undefined, "evnode-operator"],
        ["ClusterRoleBinding", undefined, "evnode-operator"],
        ["ClusterRole", undefined, "evnode-operator-metrics-reader"],
        ["ClusterRole", undefined, "evnode-operator-metrics-reviews"],
        ["ClusterRoleBinding", undefined, "evnode-operator-metrics-reviews"],
        ["Service", "evnode-system", "evnode-operator-metrics"],
        ["CustomResourceDefinition", undefined, "evnodeclusters.evnode.dev"],
        ["Deployment", "evnode-system", "evnode-operator"],
        ["Role", "evnode-system", "evnode-operator-own"],
        ["RoleBinding", "evnode-system", "evnode-operator-own"],
        ["ServiceAccount", "evnode-system", "evnode-operator"],
        ["PodDisruptionBudget", "evnode-system", "evnode-operator"],
        ["ClusterRole", undefined, "evnode-operator-view"],
        ["ClusterRole", undefined, "evnode-operator-edit"],
        ["ClusterRole", undefined, "evnode-operator-plugin"],
        ["ClusterRole", undefined, "evnode-operator-plugin-identity"],
      ]),
    );
  });

  it("installs the generated CRD, and keeps it when it is uninstalled", () => {
    const crd = only(render(), "CustomResourceDefinition");
    const generated: unknown = parse(readFileSync(join(root, "crds/evnode.dev_evnodeclusters.yaml"), "utf8"));
    expect(crd["spec"]).toEqual(at(generated, "spec"));
    expect(crd.metadata.annotations).toMatchObject({ "helm.sh/resource-policy": "keep" });
  });

  it("runs the operator under the restricted Pod Security level", () => {
    const deployment = only(render(), "Deployment");
    expect(at(deployment, `${pod}.securityContext`)).toEqual({
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 65532,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(at(deployment, `${container}.securityContext`)).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
  });

  it("tells the operator where it is and what it looks after", () => {
    const deployment = only(render(), "Deployment");
    expect(at(deployment, `${container}.args`)).toEqual(["run"]);
    expect(at(deployment, `${container}.env`)).toEqual([
      { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "POD_NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
      { name: "WATCH_NAMESPACE", value: "" },
      { name: "AGENT_IMAGE", value: "evnode.dev/evnode-operator:0.1.0" },
      { name: "CLUSTER_DOMAIN", value: "cluster.local" },
      { name: "LOG_LEVEL", value: "info" },
      { name: "WORKERS", value: "4" },
      { name: "HEALTH_PORT", value: "8081" },
      { name: "METRICS_PORT", value: "8443" },
      { name: "METRICS_ACCESS", value: "kubernetes" },
    ]);
    expect(at(deployment, `${container}.livenessProbe.httpGet`)).toEqual({ path: "/livez", port: "health" });
    expect(at(deployment, `${container}.readinessProbe.httpGet`)).toEqual({
      path: "/readyz",
      port: "health",
    });
    expect(at(deployment, `${container}.ports`)).toEqual([
      { name: "health", containerPort: 8081 },
      { name: "metrics", containerPort: 8443 },
    ]);
  });

  it("selects its own pods only", () => {
    const deployment = only(render(), "Deployment");
    const selector = at(deployment, "spec.selector.matchLabels");
    expect(selector).toEqual({
      "app.kubernetes.io/name": "evnode-operator",
      "app.kubernetes.io/instance": release.name,
    });
    expect(at(deployment, "spec.template.metadata.labels")).toMatchObject(selector as object);
  });

  it("ends with a manifest that the operator accepts", () => {
    const notes = runHelm("install", release.name, chartFolder, "-n", release.namespace, "--dry-run=client");
    const manifest = /<<YAML\n([^]*?)\n *YAML\n/.exec(notes)?.[1];
    const cluster = parse(manifest ?? "");
    expect(parseCluster(cluster, CURRENT_DEFAULTS_VERSION)).toMatchObject({ kind: "valid" });
    expect(notes).toContain(`get secret ${identitySecretName("sequencer")} -o yaml`);
  });
});
