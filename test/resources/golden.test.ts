import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import type { Spec } from "../../src/api/evnodecluster.ts";
import { annotations } from "../../src/model/annotations.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import type { Secret, StatefulSet } from "../../src/model/objects.ts";
import type { Intent } from "../../src/resources/blueprint.ts";
import { surroundings, switchedOff, workload } from "../../src/resources/desired.ts";
import { evm, spec } from "../builders.ts";
import { rendered } from "./rendered.ts";

/**
 * Everything that is made for a cluster, as files that are read when they change. A pod template that changes for an
 * old spec would restart every cluster at its next roll-out. Written anew with `npx vitest run --project unit -u`.
 */

const example = (name: string) =>
  parse(readFileSync(new URL(`../../examples/${name}.yaml`, import.meta.url), "utf8")) as { spec: Spec };

interface Golden {
  readonly file: string;
  readonly spec: Spec;
  readonly daAuthToken?: string;
}

const goldens: readonly Golden[] = [
  { file: "minimal", spec },
  { file: "five-members", spec: { ...spec, replicas: 5 } },
  // What is about Raft is accepted, and without effect.
  { file: "one-member", spec: { ...spec, replicas: 1, raft: { rttMax: "40ms", trailingLogs: 30_000 } } },
  { file: "every-field", spec: example("full").spec, daAuthToken: "token" },
  {
    file: "custom-app",
    spec: {
      ...spec,
      app: {
        kind: "custom",
        command: ["/usr/bin/chain", "--quiet"],
        ports: [{ name: "api", port: 8545 }],
        extraArgs: ["--cache=1"],
        extraEnv: [{ name: "GOGC", value: "50" }, { name: "EMPTY" }],
      },
    },
  },
  { file: "evm", spec: example("evm").spec },
  {
    file: "aws-kms",
    spec: {
      ...spec,
      chain: { id: "rollup-1", genesis: { configMap: { name: "genesis", key: "genesis.json" } } },
      signer: { awsKms: { keyArn: "arn:aws:kms:eu-central-1:111122223333:key/1", timeout: "2s" } },
    },
  },
  { file: "rtt-max", spec: { ...spec, raft: { rttMax: "40ms" } } },
  {
    file: "without-policies",
    spec: { ...spec, networkPolicy: { enabled: false }, disruptionBudget: { enabled: false } },
  },
];

const blueprint = ({ spec: fields, daAuthToken }: Golden) => rendered(fields, daAuthToken);

function desired(golden: Golden): KubeObject[] {
  const plans = blueprint(golden);
  return [...surroundings(plans, plans.texts), workload(plans)].map(({ object }) => object);
}

const HEADER = "# Written by test/resources/golden.test.ts. Secrets are shown decoded.\n";
const layout = { lineWidth: 0, aliasDuplicateObjects: false } as const;

/** Secrets are shown decoded: they hold configs, and nobody reads base64. */
function readable(object: KubeObject): KubeObject {
  if (object.kind !== "Secret") return object;
  const decode = ([entry, text]: [string, string]) => [entry, Buffer.from(text, "base64").toString("utf8")];
  return {
    ...object,
    data: Object.fromEntries(Object.entries((object as Secret).data ?? {}).map(decode)),
  } as Secret;
}

test.each(goldens)("all objects of the cluster $file", async (golden) => {
  const documents = desired(golden).map((object) => stringify(readable(object), layout));
  await expect(`${HEADER}${documents.join("---\n")}`).toMatchFileSnapshot(`golden/${golden.file}.yaml`);
});

test.each(goldens)(
  "the cluster $file is rendered again alike from the intent on its StatefulSet",
  (golden) => {
    const plans = blueprint(golden);
    const { object } = workload(plans);
    const text = object.metadata.annotations?.[annotations.intent] ?? "";
    const again = { ...plans, intent: JSON.parse(text) as Intent };
    expect(JSON.stringify([...surroundings(again, plans.texts), workload(again)])).toBe(
      JSON.stringify([...surroundings(plans, plans.texts), workload(plans)]),
    );
  },
);

test("what is switched off is what would have been made", () => {
  const off = switchedOff(blueprint({ file: "", spec: { ...spec, networkPolicy: { enabled: false } } }));
  expect(off.map(({ resource, name }) => `${resource.kind} ${name}`)).toEqual(["NetworkPolicy seq"]);
  expect(switchedOff(blueprint({ file: "", spec }))).toEqual([]);
});

test("every volume claim, mount and Secret of the pod belongs together", () => {
  const statefulSet = desired({ file: "", spec }).at(-1) as StatefulSet;
  const { template, volumeClaimTemplates = [] } = statefulSet.spec ?? { template: {} };
  const { containers = [], initContainers = [], volumes = [] } = template.spec ?? {};
  const known = [
    ...volumes.map(({ name }) => name),
    ...volumeClaimTemplates.map(({ metadata }) => metadata?.name),
  ];
  const mounted = [...containers, ...initContainers].flatMap(({ volumeMounts = [] }) => volumeMounts);
  expect(mounted.filter(({ name }) => !known.includes(name))).toEqual([]);
  const evnode = containers.map(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name));
  expect(evnode).toEqual([["data", "config", "tmp"]]);
});

test("the execution client's engine is open to nobody, and its token to nobody but the two that need it", () => {
  const objects = desired({ file: "", spec: { ...spec, ...evm } });
  expect(objects.filter(({ kind }) => kind !== "StatefulSet").map((one) => JSON.stringify(one))).toEqual(
    objects.filter(({ kind }) => kind !== "StatefulSet").map(() => expect.not.stringContaining("8551")),
  );
  const { initContainers = [], containers = [] } = (objects.at(-1) as StatefulSet).spec?.template.spec ?? {};
  const all = [...initContainers, ...containers];
  const mounts = (name: string) => all.find((one) => one.name === name)?.volumeMounts ?? [];
  const withToken = all.filter(({ name }) => mounts(name).some((mount) => mount.name === "execution-jwt"));
  expect(withToken.map(({ name }) => name)).toEqual(["execution", "evnode"]);
  expect(mounts("execution").map(({ name }) => name)).toEqual([
    "execution",
    "execution-genesis",
    "execution-jwt",
  ]);
  // One process namespace and one user would open all files of ev-node to it, the signer among them.
  const users = all.map(({ securityContext }) => securityContext?.runAsUser);
  expect(users).toEqual([undefined, 65_533, undefined]);
});
