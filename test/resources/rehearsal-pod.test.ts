import { expect, test } from "vitest";
import { stringify } from "yaml";
import type { CompleteSpec } from "../../src/api/complete-spec.ts";
import { parseCluster } from "../../src/api/parse.ts";
import { selectorLabels } from "../../src/model/names.ts";
import { rehearsalPod } from "../../src/resources/rehearsal-pod.ts";
import { cluster, evm, identity, UID } from "../builders.ts";

type Fields = NonNullable<NonNullable<Parameters<typeof cluster>[0]>["spec"]>;

function rehearsal(fields: Fields, node = "node-a", name = "seq") {
  const parsed = parseCluster(cluster({ spec: fields }), 1);
  if (parsed.kind === "invalid") throw new Error(parsed.problems.join("; "));
  const { clusterDomain, peerIds } = identity();
  const spec: CompleteSpec = parsed.spec;
  const intent = { version: 1, spec, agentImage: "example.org/operator:1", configRevision: "r1" } as const;
  const place = { name, namespace: "rollup", uid: UID, clusterDomain, operatorNamespace: "operators" };
  return rehearsalPod({ ...place, peerIds, intent }, node);
}

const HEADER = "# Written by test/resources/rehearsal-pod.test.ts.\n";
const pull = { imagePullSecrets: [{ name: "registry" }], imagePullPolicy: "Always" } as const;
const custom = { app: { kind: "custom", command: ["/usr/bin/chain", "--quiet"] } } as const;

test.each<[string, Fields]>([
  ["rehearsal", {}],
  ["rehearsal-of-a-custom-app", { ...custom, ...pull }],
  ["rehearsal-of-evm", evm],
])("the pod in which an image is tried: %s", async (file, fields) => {
  const text = stringify(rehearsal(fields), { lineWidth: 0, aliasDuplicateObjects: false });
  await expect(`${HEADER}${text}`).toMatchFileSnapshot(`golden/${file}.yaml`);
});

test("nothing that selects members selects it", () => {
  const marks = rehearsal({}).metadata.labels;
  const isSelected = Object.entries(selectorLabels("seq")).every(([key, value]) => marks?.[key] === value);
  expect(isSelected).toBe(false);
});

test("each node and each way to get and to start an image has a trial of its own, and the same one again", () => {
  const all = [
    rehearsal({}),
    rehearsal({}, "node-b"),
    rehearsal({ image: "example.org/testapp:2" }),
    rehearsal({ imagePullPolicy: "Always" }),
    rehearsal({ imagePullSecrets: [{ name: "registry" }] }),
    rehearsal(custom),
    rehearsal(evm),
    rehearsal({ ...evm, execution: { ...evm.execution, image: "example.org/ev-reth:2" } }),
    rehearsal({}, "node-a", "other"),
  ].map(({ metadata }) => metadata.name);
  expect(new Set(all).size).toBe(all.length);
  expect(rehearsal({}).metadata.name).toBe(all[0]);
  expect(rehearsal({ log: { level: "debug" } }).metadata.name).toBe(all[0]);
});
