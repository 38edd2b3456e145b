import type { Spec } from "../../../src/api/evnodecluster.ts";
import type { KubeObject } from "../../../src/model/kube-object.ts";
import { configMapOf, type GivenSigner, genesisOf, secretOf, signerEntries } from "./given.ts";

/** What the owner of the clusters below has brought along. */
export interface GivenWorld {
  readonly namespace: string;
  readonly signer: GivenSigner;
  readonly other: GivenSigner;
}

/** A spec that every API server admits, and that its world does not fit. */
export interface BadWorld {
  readonly name: string;
  readonly what: string;
  readonly spec: (given: GivenWorld) => Partial<Spec>;
  readonly reason: string;
  readonly says: RegExp;
}

const chainOf = (name: string, { namespace }: GivenWorld) => ({
  id: `${namespace}-${name}`,
  blockTime: "200ms",
});

const withSigner = (secretName: string) => () => ({ signer: { secretName } });

/** A given genesis, with the signer that it should be of. */
const withGenesis = (name: string, configMap: string, key: string) => (given: GivenWorld) => ({
  chain: { ...chainOf(name, given), genesis: { configMap: { name: configMap, key } } },
  signer: { secretName: "good-signer" },
});

const withToken =
  (name: string, key: string) =>
  ({ namespace }: GivenWorld) => ({
    da: { address: `http://local-da.${namespace}:7980`, authTokenSecret: { name, key } },
  });

const asItIs = () => ({});

export const badWorlds: readonly BadWorld[] = [
  {
    name: "no-signer",
    what: "the signer's Secret is missing",
    spec: withSigner("absent-signer"),
    reason: "SecretMissing",
    says: /Secret absent-signer \(spec\.signer\.secretName\) does not exist\. Create it/,
  },
  {
    name: "half-signer",
    what: "the signer's Secret lacks the passphrase",
    spec: withSigner("half-signer"),
    reason: "SecretInvalid",
    says: /Secret half-signer .* must hold .*signer\.json and passphrase/,
  },
  {
    name: "no-json",
    what: "the signer's file is no JSON",
    spec: withSigner("no-json"),
    reason: "SecretInvalid",
    says: /Secret no-json \(spec\.signer\.secretName\): signer\.json/,
  },
  {
    name: "wrong-pass",
    what: "the passphrase is another signer's",
    spec: withSigner("wrong-pass"),
    reason: "SecretInvalid",
    says: /Secret wrong-pass .*signer\.json cannot be opened with this passphrase/,
  },
  {
    name: "no-genesis",
    what: "the genesis is missing",
    spec: withGenesis("no-genesis", "absent", "genesis.json"),
    reason: "GenesisMissing",
    says: /ConfigMap absent \(spec\.chain\.genesis\) does not exist/,
  },
  {
    name: "no-entry",
    what: "the ConfigMap of the genesis has no such entry",
    spec: withGenesis("no-entry", "genesis", "absent.json"),
    reason: "GenesisMissing",
    says: /ConfigMap genesis .* has no entry absent\.json/,
  },
  {
    name: "bad-genesis",
    what: "the genesis is malformed",
    spec: withGenesis("bad-genesis", "genesis", "malformed.json"),
    reason: "GenesisInvalid",
    says: /ConfigMap genesis, entry malformed\.json .*genesis\.json: start_time/,
  },
  {
    name: "other-chain",
    what: "the genesis is of another chain",
    spec: withGenesis("other-chain", "genesis", "other-chain.json"),
    reason: "GenesisInvalid",
    says: /the genesis is of chain "somewhere-else", expected "e2e-bad-/,
  },
  {
    name: "other-signer",
    what: "the genesis names another proposer than the signer",
    spec: withGenesis("other-signer", "genesis", "other-signer.json"),
    reason: "ProposerMismatch",
    says: /the genesis names the proposer \S+, but the signer's address is /,
  },
  {
    name: "no-token",
    what: "the token's Secret is missing",
    spec: withToken("absent", "token"),
    reason: "SecretMissing",
    says: /Secret absent \(spec\.da\.authTokenSecret\) does not exist/,
  },
  {
    name: "bad-token",
    what: "the token holds white space",
    spec: withToken("spaced-token", "token"),
    reason: "SecretInvalid",
    says: /Secret spaced-token, entry token .* is empty or holds white space/,
  },
  {
    name: "no-class",
    what: "the storage class is unknown",
    spec: () => ({ storage: { size: "1Gi", storageClassName: "made-of-diamonds" } }),
    reason: "StorageClassMissing",
    says: /StorageClass made-of-diamonds .* does not exist/,
  },
  {
    name: "taken-service",
    what: "somebody else has a Service of its name",
    spec: asItIs,
    reason: "NameConflict",
    says: /^Service taken-service exists and was not made for this EvNodeCluster/,
  },
  {
    name: "taken-set",
    what: "somebody else has a StatefulSet of its name",
    spec: asItIs,
    reason: "NameConflict",
    says: /^StatefulSet taken-set exists and was not made for this EvNodeCluster/,
  },
  {
    name: "taken-config",
    what: "somebody else has a Secret of the name of its configs",
    spec: asItIs,
    reason: "NameConflict",
    says: /^Secret taken-config-config exists and was not made for this EvNodeCluster/,
  },
  {
    name: "taken-identity",
    what: "somebody else has a Secret of the name of its identity",
    spec: asItIs,
    reason: "IdentityMismatch",
    says: /^Secret taken-identity-identity: cluster_id is missing/,
  },
];

/** Everything that the specs above refer to and that is there. */
export function badObjects(given: GivenWorld): readonly KubeObject[] {
  const { namespace, signer, other } = given;
  const secret = (name: string, entries: Readonly<Record<string, string>>) =>
    secretOf(namespace, name, entries);
  const genesis = {
    "genesis.json": genesisOf(chainOf("no-entry", given).id, signer.proposerAddress),
    "malformed.json": JSON.stringify({ chain_id: "somewhere" }),
    "other-chain.json": genesisOf("somewhere-else", signer.proposerAddress),
    "other-signer.json": genesisOf(chainOf("other-signer", given).id, other.proposerAddress),
  };
  return [
    secret("good-signer", signerEntries(signer)),
    secret("half-signer", { "signer.json": signer.signerJson }),
    secret("no-json", { "signer.json": "a key, but without any JSON", passphrase: signer.passphrase }),
    secret("wrong-pass", { "signer.json": signer.signerJson, passphrase: other.passphrase }),
    secret("spaced-token", { token: "a-token-that was-cut-in-two" }),
    configMapOf(namespace, "genesis", genesis),
    ...strangersOf(namespace),
  ];
}

function strangersOf(namespace: string): readonly KubeObject[] {
  const labels = { made: "by-somebody-else" };
  const metadataOf = (name: string) => ({ name, namespace, labels });
  const service = { ports: [{ port: 80 }], selector: labels };
  const pod = { containers: [{ name: "pause", image: "evnode.dev/pause:1" }] };
  const set = {
    replicas: 0,
    serviceName: "taken-set",
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: pod },
  };
  const of = (kind: string, apiVersion: string, name: string, spec: object): KubeObject =>
    ({ apiVersion, kind, metadata: metadataOf(name), spec }) as KubeObject;
  return [
    of("Service", "v1", "taken-service", service),
    of("StatefulSet", "apps/v1", "taken-set", set),
    {
      ...secretOf(namespace, "taken-config-config", { a: "b" }),
      metadata: metadataOf("taken-config-config"),
    },
    {
      ...secretOf(namespace, "taken-identity-identity", { a: "b" }),
      metadata: metadataOf("taken-identity-identity"),
    },
  ];
}
