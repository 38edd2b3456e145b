import { describe, expect, test } from "vitest";
import { strangersFields } from "../../src/model/field-owners.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { driftOf } from "../../src/plan/drift.ts";

type Extra = Readonly<Record<string, unknown>>;

function service(spec: Extra, metadata: Extra = {}): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "seq", namespace: "rollup", ...metadata },
    spec,
  } as KubeObject;
}

const port = { name: "rpc", port: 7331, targetPort: 7331 };
const desired = { type: "ClusterIP", selector: { app: "seq", part: "node" }, ports: [port] };

describe("fields that both have", () => {
  test.each<[string, Extra, Extra, string | undefined]>([
    ["equal fields are equal", desired, desired, undefined],
    ["a changed value", desired, { ...desired, type: "NodePort" }, "spec.type"],
    ["a field that is gone", desired, { selector: desired.selector, ports: [port] }, "spec.type"],
    ["a key that is gone", desired, { ...desired, selector: { app: "seq" } }, "spec.selector.part"],
    ["an item less", desired, { ...desired, ports: [] }, "spec.ports"],
    ["an item more", desired, { ...desired, ports: [port, port] }, "spec.ports"],
    ["a change in an item", desired, { ...desired, ports: [{ ...port, port: 1 }] }, "spec.ports[0].port"],
    ["a list that became a value", desired, { ...desired, ports: "7331" }, "spec.ports"],
    ["a record that became a list", desired, { ...desired, selector: ["app"] }, "spec.selector"],
    ["a number that became a text", { weight: 1 }, { weight: "1" }, "spec.weight"],
    ["false is not absent", { enabled: false }, {}, "spec.enabled"],
    ["null is not a record", desired, { ...desired, selector: null }, "spec.selector"],
    ["an order that changed", { args: ["a", "b"] }, { args: ["b", "a"] }, "spec.args[0]"],
  ])("%s", (_, wanted, live, drift) => {
    expect(driftOf(service(wanted), service(live))).toBe(drift);
  });
});

describe("what the server makes of an object", () => {
  test.each<[string, Extra, Extra, string | undefined]>([
    [
      "fields that it fills in are its own",
      desired,
      {
        ...desired,
        clusterIP: "10.0.0.1",
        ipFamilies: ["IPv4"],
        ports: [{ ...port, protocol: "TCP", nodePort: 0 }],
      },
      undefined,
    ],
    ["an empty list comes back as none", { ...desired, tolerations: [] }, desired, undefined],
    ["a list that is not empty does not", { ...desired, tolerations: [{}] }, desired, "spec.tolerations"],
    ["an empty record that it kept", { ...desired, resources: {} }, { ...desired, resources: {} }, undefined],
    ["an empty record that it dropped", { ...desired, resources: {} }, desired, undefined],
    ["a field that is absent by being undefined", { ...desired, affinity: undefined }, desired, undefined],
    ["1000m is 1", { cpu: "1000m" }, { cpu: "1" }, undefined],
    ["1024Mi is 1Gi", { memory: "1024Mi" }, { memory: "1Gi" }, undefined],
    ["1G is not 1Gi", { memory: "1G" }, { memory: "1Gi" }, "spec.memory"],
    ["two texts that are no amounts", { image: "a:1" }, { image: "a:01" }, "spec.image"],
  ])("%s", (_, wanted, live, drift) => {
    expect(driftOf(service(wanted), service(live))).toBe(drift);
  });
});

describe("metadata", () => {
  const mine = {
    labels: { app: "seq" },
    annotations: { intent: "1" },
    ownerReferences: [{ kind: "EvNodeCluster", uid: "u" }],
  };
  const assigned = { uid: "x", resourceVersion: "9", generation: 4, creationTimestamp: "then" };

  test.each<[string, Extra, string | undefined]>([
    ["what the server assigns is its own", { ...mine, ...assigned }, undefined],
    [
      "labels and annotations of others stay",
      { ...mine, labels: { app: "seq", team: "x" }, annotations: { intent: "1", note: "y" } },
      undefined,
    ],
    ["a label that was taken off", { ...mine, labels: {} }, "metadata.labels.app"],
    ["all labels taken off", { ...mine, labels: undefined }, "metadata.labels"],
    [
      "an annotation that was changed",
      { ...mine, annotations: { intent: "2" } },
      "metadata.annotations.intent",
    ],
    ["an owner that was taken off", { ...mine, ownerReferences: undefined }, "metadata.ownerReferences"],
    [
      "another owner",
      { ...mine, ownerReferences: [{ kind: "EvNodeCluster", uid: "v" }] },
      "metadata.ownerReferences[0].uid",
    ],
  ])("%s", (_, live, drift) => {
    expect(driftOf(service(desired, mine), service(desired, live))).toBe(drift);
  });
});

describe("what other managers added", () => {
  const fields = (fieldsV1: Extra, manager: string | undefined = "kubectl", subresource?: string) => ({
    managedFields: [{ manager, operation: "Update", fieldsV1, ...(subresource && { subresource }) }],
  });
  const template = {
    template: {
      metadata: { annotations: { "evnode.dev/config-revision": "r1" } },
      spec: { containers: [{ name: "evnode", env: [{ name: "A", value: "1" }] }], finalizers: ["x"] },
    },
  };
  const containers = (env: Extra) => ({
    "f:spec": {
      "f:template": { "f:spec": { "f:containers": { 'k:{"name":"evnode"}': { "f:env": env } } } },
    },
  });

  test.each<[string, Extra, Extra, string | undefined]>([
    [
      "kubectl rollout restart adds an annotation to the template",
      template,
      {
        "f:spec": {
          "f:template": {
            "f:metadata": { "f:annotations": { ".": {}, "f:kubectl.kubernetes.io/restartedAt": {} } },
          },
        },
      },
      "spec.template.metadata.annotations.kubectl.kubernetes.io/restartedAt, added by kubectl",
    ],
    [
      "an environment variable",
      template,
      containers({ 'k:{"name":"B"}': { ".": {}, "f:name": {}, "f:value": {} } }),
      'spec.template.spec.containers[{"name":"evnode"}].env[{"name":"B"}], added by kubectl',
    ],
    [
      "a source for a variable that has a value",
      template,
      containers({ 'k:{"name":"A"}': { "f:valueFrom": {} } }),
      'spec.template.spec.containers[{"name":"evnode"}].env[{"name":"A"}].valueFrom, added by kubectl',
    ],
    [
      "a key of a selector, with which a Service finds no pod",
      desired,
      { "f:spec": { "f:selector": { "f:canary": {} } } },
      "spec.selector.canary, added by kubectl",
    ],
    [
      "an entry of a Secret",
      desired,
      { "f:data": { ".": {}, "f:extra.yaml": {} } },
      "data, added by kubectl",
    ],
    [
      "a value of a set",
      template,
      { "f:spec": { "f:template": { "f:spec": { "f:finalizers": { 'v:"y"': {} } } } } },
      'spec.template.spec.finalizers["y"], added by kubectl',
    ],
    [
      "a field that is wanted too is no addition, whoever set it last",
      template,
      containers({ 'k:{"name":"A"}': { ".": {}, "f:name": {}, "f:value": {} } }),
      undefined,
    ],
    [
      "a list key that the server filled in is the wanted item's",
      desired,
      { "f:spec": { "f:ports": { 'k:{"port":7331,"protocol":"TCP"}': { ".": {}, "f:port": {} } } } },
      undefined,
    ],
    [
      "another port is an addition",
      desired,
      { "f:spec": { "f:ports": { 'k:{"port":80,"protocol":"TCP"}': { ".": {} } } } },
      'spec.ports[{"port":80,"protocol":"TCP"}], added by kubectl',
    ],
    [
      "a value of the set that is wanted",
      template,
      { "f:spec": { "f:template": { "f:spec": { "f:finalizers": { 'v:"x"': {} } } } } },
      undefined,
    ],
    ["labels of others are welcome", desired, { "f:metadata": { "f:labels": { "f:team": {} } } }, undefined],
  ])("%s", (_, wanted, fieldsV1, drift) => {
    expect(driftOf(service(wanted), service(wanted, fields(fieldsV1)))).toBe(drift);
  });

  test("a manager without a name is somebody", () => {
    const live = service(desired, {
      managedFields: [{ fieldsV1: { "f:spec": { "f:externalName": {} } } }],
    });
    expect(driftOf(service(desired), live)).toBe("spec.externalName, added by somebody");
  });

  test.each<[string, Extra]>([
    ["what this operator owns", fields({ "f:spec": { "f:old": {} } }, "evnode-operator")],
    ["what a controller reports as status", fields({ "f:spec": { "f:old": {} } }, "k", "status")],
  ])("%s never reaches the comparison", (_, metadata) => {
    const live = strangersFields(service(desired, metadata));
    expect(live.metadata.managedFields).toBeUndefined();
    expect(driftOf(service(desired), live)).toBeUndefined();
  });
});
