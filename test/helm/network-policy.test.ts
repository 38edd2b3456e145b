import { describe, expect, it } from "vitest";
import { AGENT_PORT } from "../../src/model/agent-protocol.ts";
import { labels } from "../../src/model/annotations.ts";
import { selectorLabels } from "../../src/model/names.ts";
import { at, helm, only, render, skipped } from "./chart.ts";

const on = "networkPolicy.enabled=true";
const policy = (...values: readonly string[]) => only(render(on, ...values), "NetworkPolicy");
const tcp = (...ports: readonly number[]) => ports.map((port) => ({ protocol: "TCP", port }));
const members = { podSelector: { matchLabels: { [labels.name]: selectorLabels("any")[labels.name] } } };

describe.skipIf(helm === undefined)(`the operator's NetworkPolicy${skipped}`, () => {
  it("is there on request alone, for the operator's pods", () => {
    expect(render().map(({ kind }) => kind)).not.toContain("NetworkPolicy");
    const deployment = only(render(on), "Deployment");
    expect(at(policy(), "spec.podSelector")).toEqual(at(deployment, "spec.selector"));
    expect(at(policy(), "spec.policyTypes")).toEqual(["Ingress", "Egress"]);
  });

  it("lets in probes and readers of metrics", () => {
    expect(at(policy(), "spec.ingress")).toEqual([{ ports: tcp(8081) }, { ports: tcp(8443) }]);
    const from = [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } } }];
    expect(at(policy(`networkPolicy.metricsFrom=${JSON.stringify(from)}`), "spec.ingress.1")).toEqual({
      ports: tcp(8443),
      from,
    });
  });

  it.each(["metrics.enabled=false", 'metrics.access="loopback"', 'watchNamespace="chains"'])(
    "lets in probes alone with %s",
    (value) => expect(at(policy(value), "spec.ingress")).toEqual([{ ports: tcp(8081) }]),
  );

  it("lets the operator ask the API server, a name server, and the agents of all members", () => {
    expect(at(policy(), "spec.egress")).toEqual([
      { ports: tcp(443, 6443) },
      { ports: tcp(AGENT_PORT), to: [{ namespaceSelector: {}, ...members }] },
      {
        ports: [
          { protocol: "UDP", port: 53 },
          { protocol: "TCP", port: 53 },
        ],
      },
    ]);
  });

  it("ends at the namespace that the operator looks after", () => {
    const namespaceSelector = { matchLabels: { "kubernetes.io/metadata.name": "chains" } };
    expect(at(policy('watchNamespace="chains"'), "spec.egress.1.to")).toEqual([
      { namespaceSelector, ...members },
    ]);
  });

  it("can name the API server, and leave names alone", () => {
    const to = [{ ipBlock: { cidr: "10.0.0.1/32" } }];
    const egress = at(
      policy(
        `networkPolicy.apiServer={"to":${JSON.stringify(to)},"ports":[7443]}`,
        "networkPolicy.dns=false",
        'networkPolicy.extraEgress=[{"ports":[{"port":3128}]}]',
      ),
      "spec.egress",
    );
    expect(egress).toEqual([{ ports: tcp(7443), to }, expect.anything(), { ports: [{ port: 3128 }] }]);
  });
});
