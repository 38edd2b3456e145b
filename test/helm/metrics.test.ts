import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { at, helm, only, type Rendered, render, skipped } from "./chart.ts";

const monitored = [
  "metrics.serviceMonitor.enabled=true",
  "metrics.rules.enabled=true",
  "metrics.dashboard.enabled=true",
];
const endpoint = "spec.endpoints.0";

describe.skipIf(helm === undefined)(`metrics of the chart${skipped}`, () => {
  const kinds = (objects: readonly Rendered[]) => objects.map(({ kind }) => kind);

  it("are served by a Service whose pods and port there are", () => {
    const objects = render();
    const service = only(objects, "Service");
    const deployment = only(objects, "Deployment");
    expect(at(deployment, "spec.template.metadata.labels")).toMatchObject(
      at(service, "spec.selector") as object,
    );
    expect(at(deployment, "spec.template.spec.containers.0.ports")).toContainEqual({
      name: at(service, "spec.ports.0.targetPort"),
      containerPort: at(service, "spec.ports.0.port"),
    });
  });

  it.each([["metrics.enabled=false"], ['metrics.access="loopback"'], ['watchNamespace="chains"']])(
    "have no Service and no port of the pod with %s",
    (value) => {
      const objects = render(value);
      expect(kinds(objects)).not.toContain("Service");
      expect(at(only(objects, "Deployment"), "spec.template.spec.containers.0.ports")).toHaveLength(1);
    },
  );

  it("need nothing of the Prometheus operator unless it is asked for", () => {
    for (const kind of ["ServiceMonitor", "PrometheusRule", "ConfigMap"]) {
      expect(kinds(render())).not.toContain(kind);
      expect(kinds(render(...monitored))).toContain(kind);
    }
  });

  it("are scraped with a token, by the labels of the Service", () => {
    const objects = render(...monitored, 'metrics.serviceMonitor.labels={"release":"prometheus"}');
    const monitor = only(objects, "ServiceMonitor");
    expect(monitor.metadata.labels).toMatchObject({ release: "prometheus" });
    expect(only(objects, "Service").metadata.labels).toMatchObject(
      at(monitor, "spec.selector.matchLabels") as object,
    );
    expect(at(monitor, endpoint)).toEqual({
      port: "metrics",
      path: "/metrics",
      interval: "30s",
      honorLabels: true,
      scheme: "https",
      bearerTokenFile: "/var/run/secrets/kubernetes.io/serviceaccount/token",
      tlsConfig: { insecureSkipVerify: true },
    });
  });

  it("are verified when there is a certificate to verify them by", () => {
    const monitor = only(render(...monitored, 'metrics.tlsSecret="tls"'), "ServiceMonitor");
    expect(at(monitor, `${endpoint}.tlsConfig`)).toEqual({
      serverName: "evnode-operator-metrics.evnode-system.svc",
      ca: { secret: { name: "tls", key: "ca.crt" } },
    });
  });

  it("are scraped without one where anyone may read them", () => {
    const monitor = only(render(...monitored, 'metrics.access="anyone"'), "ServiceMonitor");
    expect(Object.keys(at(monitor, endpoint) as object)).toEqual(["port", "path", "interval", "honorLabels"]);
  });

  it("have rules that lead to the runbook, wherever that is", () => {
    const urls = (...values: readonly string[]) => {
      const { groups } = only(render(...monitored, ...values), "PrometheusRule")["spec"] as {
        readonly groups: readonly { readonly rules: readonly { readonly annotations: object }[] }[];
      };
      return groups.flatMap(({ rules }) => rules.map(({ annotations }) => at(annotations, "runbook_url")));
    };
    const moved = urls('metrics.rules.runbook="https://wiki.example/evnode"');
    expect(moved.length).toBeGreaterThan(10);
    expect(moved).toContain("https://wiki.example/evnode#evnodequorumlost");
    expect(moved.filter((url) => String(url).startsWith("https://wiki.example/evnode#"))).toEqual(moved);
    expect(urls()).toContain("docs/runbook.md#evnodequorumlost");
  });

  it("have a dashboard that arrives whole", () => {
    const data = only(render(...monitored), "ConfigMap")["data"] as Readonly<Record<string, string>>;
    expect(parse(data["evnode-operator.json"] ?? "")).toMatchObject({ uid: "evnode-operator" });
  });

  it.each([
    [["metrics.serviceMonitor.enabled=true", "metrics.enabled=false"], "metrics.serviceMonitor needs a port"],
    [
      ["metrics.serviceMonitor.enabled=true", 'watchNamespace="chains"'],
      "metrics.serviceMonitor needs a port",
    ],
    [['metrics.tlsSecret="tls"', 'metrics.access="anyone"'], "metrics.tlsSecret is for https"],
  ])("refuse %s", (values, refusal) => {
    expect(() => render(...values)).toThrow(refusal);
  });
});
