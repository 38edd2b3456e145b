import { evm } from "../builders.ts";
import { badApp } from "./bad-app-manifests.ts";
import { badChain, badRaft } from "./bad-chain-manifests.ts";
import { badExecution } from "./bad-execution-manifests.ts";
import { badMigration } from "./bad-migration-manifests.ts";
import { badNetwork, badPlacement } from "./bad-placement-manifests.ts";
import { badSettings, settingsRefusedByOperator } from "./bad-setting-manifests.ts";
import { type BadManifest, spec } from "./manifest-patch.ts";

const NAME = "metadata.name must be at most 40 lower-case letters";

const names: readonly BadManifest[] = [
  {
    name: "a name of 41 characters",
    patch: { metadata: { name: "a".repeat(41) } },
    field: "metadata.name",
    message: NAME,
  },
  {
    name: "a name that begins with a digit",
    patch: { metadata: { name: "1demo" } },
    field: "metadata.name",
    message: NAME,
  },
  {
    name: "a name with a dot",
    patch: { metadata: { name: "demo.example" } },
    field: "metadata.name",
    message: NAME,
  },
];

const top: readonly BadManifest[] = [
  { name: "no spec", patch: { spec: null }, field: "spec", message: "spec: Required value" },
  {
    name: "no image",
    patch: spec({ image: null }),
    field: "spec.image",
    message: "spec.image: Required value",
  },
  {
    name: "an empty image",
    patch: spec({ image: "" }),
    field: "spec.image",
    message: "should be at least 1 chars long",
  },
  {
    name: "a space in the image",
    patch: spec({ image: "my chain" }),
    field: "spec.image",
    message: "An image is named without spaces",
  },
  {
    name: "an image of 513 characters",
    patch: spec({ image: "a".repeat(513) }),
    field: "spec.image",
    message: "may not be more than 512",
  },
  {
    name: "an even number of members",
    patch: spec({ replicas: 4 }),
    field: "spec.replicas",
    message: 'supported values: "1", "3", "5", "7"',
  },
  {
    name: "two members",
    patch: spec({ replicas: 2 }),
    field: "spec.replicas",
    message: 'supported values: "1", "3", "5", "7"',
  },
  {
    name: "a text for a number",
    patch: spec({ replicas: "3" }),
    field: "spec.replicas",
    message: "must be of type integer",
  },
  {
    name: "an unknown pull policy",
    patch: spec({ imagePullPolicy: "Sometimes" }),
    field: "spec.imagePullPolicy",
    message: 'supported values: "Always", "IfNotPresent", "Never"',
  },
  {
    name: "a misspelt field",
    patch: spec({ replica: 3 }),
    field: "spec.replica",
    message: 'unknown field "spec.replica"',
    seenBy: "server",
  },
  {
    name: "a field of a later version",
    patch: spec({ snapshots: { schedule: "daily" } }),
    field: "spec.snapshots",
    message: 'unknown field "spec.snapshots"',
    seenBy: "server",
  },
  {
    name: "two pull secrets of one name",
    patch: spec({ imagePullSecrets: [{ name: "a" }, { name: "a" }] }),
    field: "spec.imagePullSecrets[1]",
    message: "Duplicate value",
    seenBy: "server",
  },
  {
    name: "a pull secret that cannot exist",
    patch: spec({ imagePullSecrets: [{ name: "A_B" }] }),
    field: "spec.imagePullSecrets[0].name",
    message: "This must be the name of a Kubernetes object",
  },
];

/** Refused by the API server when they are created. */
export const badManifests: readonly BadManifest[] = [
  ...names,
  ...top,
  ...badApp,
  ...badExecution,
  ...badChain,
  ...badRaft,
  ...badMigration,
  ...badNetwork,
  ...badSettings,
  ...badPlacement,
];

/** Accepted by the API server, and told by the operator in condition ConfigValid. */
export const refusedByOperator: readonly Omit<BadManifest, "seenBy">[] = [
  ...settingsRefusedByOperator,
  {
    name: "a request above its limit",
    patch: spec({ pod: { resources: { requests: { memory: "2Gi" }, limits: { memory: "1Gi" } } } }),
    field: "spec.pod.resources.requests",
    message: "memory is 2Gi, but the limit of 1Gi is lower",
  },
  {
    name: "a resource that does not exist",
    patch: spec({ pod: { resources: { limits: { memroy: "1Gi" } } } }),
    field: "spec.pod.resources.limits",
    message: "memroy is no resource",
  },
  {
    name: "a request of the execution client above its limit",
    patch: spec({
      ...evm,
      execution: { ...evm.execution, resources: { requests: { cpu: 2 }, limits: { cpu: 1 } } },
    }),
    field: "spec.execution.resources.requests",
    message: "cpu is 2, but the limit of 1 is lower",
  },
  {
    name: "an affinity that does not exist",
    patch: spec({ pod: { affinity: { podAntiAffinty: {} } } }),
    field: "spec.pod.affinity",
    message: "podAntiAffinty cannot be used",
  },
];
