import { expect, test } from "vitest";
import type { Spec } from "../../src/api/evnodecluster.ts";
import { parseCluster } from "../../src/api/parse.ts";
import { renderGenesis } from "../../src/evnode/genesis.ts";
import { KubeError } from "../../src/kube/errors.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { SIGNER_ENTRIES } from "../../src/model/signer-secret.ts";
import { type ReadObject, readReferences } from "../../src/observe/references.ts";
import type { References } from "../../src/plan/snapshot.ts";
import { cluster, evm } from "../builders.ts";
import { vector } from "../evnode/fixtures.ts";
import { MemoryApi } from "../fake/memory-api.ts";

const namespace = "rollup";
const base64 = (text: string) => Buffer.from(text).toString("base64");
const encoded = (entries: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(entries).map(([entry, text]) => [entry, base64(text)]));

const secret = (name: string, entries: Readonly<Record<string, string>>) =>
  ({ apiVersion: "v1", kind: "Secret", metadata: { namespace, name }, data: encoded(entries) }) as KubeObject;
const configMap = (name: string, data: Readonly<Record<string, string>>) =>
  ({ apiVersion: "v1", kind: "ConfigMap", metadata: { namespace, name }, data }) as KubeObject;

const genesisOf = (chainId: string, proposerAddress: string = vector.proposerAddress) =>
  renderGenesis({
    chainId,
    startTime: "2026-01-01T00:00:00Z",
    initialHeight: 1,
    proposerAddress,
    daStartHeight: 0,
    daEpochForcedInclusion: 50,
  });
const genesis = genesisOf("rollup-1");

const hexKey = `${vector.seed.toString("hex")}${Buffer.from(vector.publicKey, "base64").toString("hex")}`;
const signerSecret = secret("keys", { "signer.json": vector.signerJson, passphrase: vector.passphrase });
const signer: Partial<Spec> = { signer: { secretName: "keys" } };
const chain = (from: "configMap" | "secret"): Partial<Spec> => ({
  ...signer,
  chain: { id: "rollup-1", genesis: { [from]: { name: "start", key: "genesis.json" } } },
});
const da: Partial<Spec> = {
  da: { address: "http://local-da:7980", authTokenSecret: { name: "da", key: "token" } },
};
const storage: Partial<Spec> = { storage: { size: "1Gi", storageClassName: "fast" } };

async function references(
  fields: Partial<Spec>,
  objects: readonly KubeObject[],
  needsIdentity = true,
): Promise<References> {
  const api = new MemoryApi();
  for (const object of objects) api.put(object);
  const parsed = parseCluster(cluster({ spec: fields }), 1);
  if (parsed.kind === "invalid") throw new Error(parsed.problems.join("; "));
  const read: ReadObject = (kind, name) => api.get(kind, { name, ...(kind.namespaced && { namespace }) });
  return readReferences(read, parsed.spec, { needsIdentity, isForOneNamespace: false });
}

interface Case {
  readonly name: string;
  readonly spec: Partial<Spec>;
  readonly objects: readonly KubeObject[];
  readonly field: keyof References;
  readonly found: References[keyof References];
}

const where = "Secret keys (spec.signer.secretName)";
const start = "ConfigMap start, entry genesis.json (spec.chain.genesis)";

const cases: readonly Case[] = [
  {
    name: "a signer that opens",
    spec: signer,
    objects: [signerSecret],
    field: "signer",
    found: { kind: "found", value: undefined },
  },
  {
    name: "a signer that does not exist",
    spec: signer,
    objects: [],
    field: "signer",
    found: {
      kind: "missing",
      message: `${where} does not exist. Create it, or remove the field to have a signer generated.`,
    },
  },
  {
    name: "a signer without its passphrase",
    spec: signer,
    objects: [secret("keys", { "signer.json": vector.signerJson })],
    field: "signer",
    found: { kind: "invalid", message: `${where} must hold ${SIGNER_ENTRIES}.` },
  },
  {
    name: "a private key in hex",
    spec: signer,
    objects: [secret("keys", { key: `${hexKey}\n` })],
    field: "signer",
    found: { kind: "found", value: undefined },
  },
  {
    name: "a private key and a genesis that names it",
    spec: chain("configMap"),
    objects: [secret("keys", { key: hexKey.slice(0, 64) }), configMap("start", { "genesis.json": genesis })],
    field: "genesis",
    found: { kind: "found", value: genesis },
  },
  {
    name: "a private key that is cut off",
    spec: signer,
    objects: [secret("keys", { key: hexKey.slice(1) })],
    field: "signer",
    found: {
      kind: "invalid",
      message: `${where}: key: expected the 64 bytes of the private key in hex, or its first 32.`,
    },
  },
  {
    name: "two halves of different keys",
    spec: signer,
    objects: [secret("keys", { key: `${"0".repeat(64)}${hexKey.slice(64)}` })],
    field: "signer",
    found: { kind: "invalid", message: `${where}: key: its second half is not the public key of the first.` },
  },
  {
    name: "a private key beside a key file",
    spec: signer,
    objects: [secret("keys", { key: hexKey, "signer.json": vector.signerJson })],
    field: "signer",
    found: { kind: "invalid", message: `${where} must hold ${SIGNER_ENTRIES}.` },
  },
  {
    name: "a signer with another passphrase",
    spec: signer,
    objects: [secret("keys", { "signer.json": vector.signerJson, passphrase: "wrong" })],
    field: "signer",
    found: {
      kind: "invalid",
      message: `${where}: signer.json cannot be opened with this passphrase, or was altered.`,
    },
  },
  {
    name: "a genesis in a ConfigMap",
    spec: chain("configMap"),
    objects: [signerSecret, configMap("start", { "genesis.json": genesis })],
    field: "genesis",
    found: { kind: "found", value: genesis },
  },
  {
    name: "a genesis in a Secret",
    spec: chain("secret"),
    objects: [signerSecret, secret("start", { "genesis.json": genesis })],
    field: "genesis",
    found: { kind: "found", value: genesis },
  },
  {
    name: "a genesis for a key in a key management service",
    spec: {
      ...chain("configMap"),
      signer: { awsKms: { keyArn: "arn:aws:kms:eu-central-1:111122223333:key/1" } },
    },
    objects: [configMap("start", { "genesis.json": genesis })],
    field: "genesis",
    found: { kind: "found", value: genesis },
  },
  {
    name: "a genesis that does not exist",
    spec: chain("configMap"),
    objects: [signerSecret],
    field: "genesis",
    found: { kind: "missing", message: "ConfigMap start (spec.chain.genesis) does not exist. Create it." },
  },
  {
    name: "a genesis under another key",
    spec: chain("configMap"),
    objects: [signerSecret, configMap("start", { genesis })],
    field: "genesis",
    found: { kind: "missing", message: "ConfigMap start (spec.chain.genesis) has no entry genesis.json." },
  },
  {
    name: "a genesis that is no JSON",
    spec: chain("configMap"),
    objects: [signerSecret, configMap("start", { "genesis.json": "{" })],
    field: "genesis",
    found: { kind: "invalid", message: `${start}: genesis.json is not valid JSON.` },
  },
  {
    name: "a genesis of another chain",
    spec: chain("configMap"),
    objects: [signerSecret, configMap("start", { "genesis.json": genesisOf("rollup-0") })],
    field: "genesis",
    found: {
      kind: "invalid",
      message: `${start}: the genesis is of chain "rollup-0", expected "rollup-1".`,
    },
  },
  {
    name: "a genesis of another proposer",
    spec: chain("configMap"),
    objects: [
      signerSecret,
      configMap("start", {
        "genesis.json": genesisOf("rollup-1", "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="),
      }),
    ],
    field: "genesis",
    found: {
      kind: "invalid",
      reason: "ProposerMismatch",
      message: `${start}: the genesis names the proposer A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=, but the signer's address is ${vector.proposerAddress}.`,
    },
  },
  {
    name: "a genesis whose signer cannot be read",
    spec: chain("configMap"),
    objects: [configMap("start", { "genesis.json": genesis })],
    field: "genesis",
    found: {
      kind: "invalid",
      reason: "ProposerMismatch",
      message: `${start} names a proposer, so its signer must be given too: set spec.signer.secretName, or remove spec.chain.genesis to have both generated.`,
    },
  },
  {
    name: "a token, without the end of its line",
    spec: da,
    objects: [secret("da", { token: "abc\n" })],
    field: "daAuthToken",
    found: { kind: "found", value: "abc" },
  },
  {
    name: "a token that is empty",
    spec: da,
    objects: [secret("da", { token: " \n" })],
    field: "daAuthToken",
    found: {
      kind: "invalid",
      message: "Secret da, entry token (spec.da.authTokenSecret) is empty or holds white space.",
    },
  },
  {
    name: "a token of two words, which is not told",
    spec: da,
    objects: [secret("da", { token: "top secret" })],
    field: "daAuthToken",
    found: {
      kind: "invalid",
      message: "Secret da, entry token (spec.da.authTokenSecret) is empty or holds white space.",
    },
  },
  {
    name: "a token that is not there",
    spec: da,
    objects: [secret("da", {})],
    field: "daAuthToken",
    found: { kind: "missing", message: "Secret da (spec.da.authTokenSecret) has no entry token." },
  },
  {
    name: "a storage class that is not there",
    spec: storage,
    objects: [],
    field: "storageClass",
    found: {
      kind: "missing",
      message:
        "StorageClass fast (spec.storage.storageClassName) does not exist: see kubectl get storageclasses.",
    },
  },
  {
    name: "a storage class of the execution layer that is not there",
    spec: { ...evm, execution: { ...evm.execution, ...storage } },
    objects: [],
    field: "storageClass",
    found: {
      kind: "missing",
      message:
        "StorageClass fast (spec.execution.storage.storageClassName) does not exist: see kubectl get storageclasses.",
    },
  },
  {
    name: "a genesis of the execution layer",
    spec: evm,
    objects: [configMap("evm-genesis", { "genesis.json": "{}" })],
    field: "executionGenesis",
    found: { kind: "found", value: undefined },
  },
  {
    name: "a genesis of the execution layer that is not there",
    spec: evm,
    objects: [],
    field: "executionGenesis",
    found: {
      kind: "missing",
      message: "ConfigMap evm-genesis (spec.execution.genesisConfigMap) does not exist. Create it.",
    },
  },
  {
    name: "a genesis of the execution layer that is a path",
    spec: evm,
    objects: [configMap("evm-genesis", { "genesis.json": "/chain/genesis.json" })],
    field: "executionGenesis",
    found: {
      kind: "invalid",
      message:
        "ConfigMap evm-genesis, entry genesis.json (spec.execution.genesisConfigMap) is no JSON object; the genesis file of the execution layer was expected.",
    },
  },
  {
    name: "a genesis that begins an EVM chain at another height than 1",
    spec: { ...evm, ...chain("configMap") },
    objects: [
      signerSecret,
      configMap("start", { "genesis.json": genesis.replace('"initial_height":1', '"initial_height":7') }),
    ],
    field: "genesis",
    found: {
      kind: "invalid",
      message: `${start}: the genesis begins at height 7, an EVM chain has to begin at 1.`,
    },
  },
];

test.each(cases)("$name", async ({ spec, objects, field, found }) => {
  expect((await references(spec, objects))[field]).toEqual(found);
});

const nothing = { kind: "notAsked" };

test("what the spec does not name is not looked for", async () => {
  expect(await references({}, [])).toEqual({
    signer: nothing,
    genesis: nothing,
    daAuthToken: nothing,
    storageClass: nothing,
    executionGenesis: nothing,
  });
});

test("signer and genesis are not read again once an identity has taken them over", async () => {
  expect(await references(chain("configMap"), [], false)).toMatchObject({
    signer: nothing,
    genesis: nothing,
  });
});

test("an operator for one namespace does not ask about storage classes, which belong to all", async () => {
  const parsed = parseCluster(cluster({ spec: { ...evm, ...storage } }), 1);
  if (parsed.kind === "invalid") throw new Error("the spec is valid");
  const asked: string[] = [];
  const read: ReadObject = (kind) => {
    asked.push(kind.kind);
    return Promise.resolve(undefined);
  };
  const needs = { needsIdentity: true, isForOneNamespace: true };
  expect((await readReferences(read, parsed.spec, needs)).storageClass).toEqual(nothing);
  expect(asked).not.toContain(kinds.storageClass.kind);
});

test("an operator whose roles are narrower leaves storage classes to Kubernetes", async () => {
  const ofAll = { needsIdentity: false, isForOneNamespace: false };
  const parsed = parseCluster(cluster({ spec: storage }), 1);
  if (parsed.kind === "invalid") throw new Error("the spec is valid");
  const refuse: ReadObject = (kind) => {
    return kind.kind === kinds.storageClass.kind
      ? Promise.reject(new KubeError("Forbidden", "no"))
      : Promise.resolve(undefined);
  };
  expect((await readReferences(refuse, parsed.spec, ofAll)).storageClass).toEqual(nothing);
  const fail: ReadObject = () => Promise.reject(new KubeError("Unavailable", "no answer"));
  await expect(readReferences(fail, parsed.spec, ofAll)).rejects.toMatchObject({ kind: "Unavailable" });
});
