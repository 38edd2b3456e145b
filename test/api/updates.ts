import { evm } from "../builders.ts";
import { type Patch, spec, timing } from "./manifest-patch.ts";

const withExecution = (patch: Patch): Patch => spec({ ...evm, execution: { ...evm.execution, ...patch } });

export interface ForbiddenUpdate {
  /** What is changed, completing "a change of …". */
  readonly name: string;
  readonly before: Patch;
  readonly after: Patch;
  readonly field: string;
}

const KEY = "arn:aws:kms:eu-central-1:111122223333:key/";
const VERSION = "projects/p/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/";
const begun = { chain: { genesis: { configMap: { name: "g", key: "k" } } } };

/** Each object alone is accepted; the change from one to the other is refused. */
export const forbiddenUpdates: readonly ForbiddenUpdate[] = [
  { name: "the chain id", before: {}, after: spec({ chain: { id: "demo-2" } }), field: "spec.chain.id" },
  {
    name: "the genesis by giving one",
    before: spec({ signer: { secretName: "k" } }),
    after: spec({ signer: { secretName: "k" }, chain: { genesis: { configMap: { name: "g", key: "k" } } } }),
    field: "spec.chain.genesis",
  },
  {
    name: "the genesis by taking it away",
    before: spec({ signer: { secretName: "k" }, chain: { genesis: { configMap: { name: "g", key: "k" } } } }),
    after: spec({ signer: { secretName: "k" } }),
    field: "spec.chain.genesis",
  },
  {
    name: "the genesis by naming another key",
    before: spec({ signer: { secretName: "k" }, chain: { genesis: { configMap: { name: "g", key: "k" } } } }),
    after: spec({ signer: { secretName: "k" }, chain: { genesis: { configMap: { name: "g", key: "l" } } } }),
    field: "spec.chain.genesis",
  },
  {
    name: "the signer by giving one",
    before: {},
    after: spec({ signer: { secretName: "k" } }),
    field: "spec.signer.secretName",
  },
  {
    name: "the signer by taking it away",
    before: spec({ signer: { secretName: "k" } }),
    after: {},
    field: "spec.signer.secretName",
  },
  {
    name: "the signer",
    before: spec({ signer: { secretName: "k" } }),
    after: spec({ signer: { secretName: "l" } }),
    field: "spec.signer.secretName",
  },
  {
    name: "the key of a key management service",
    before: spec({ ...begun, signer: { awsKms: { keyArn: `${KEY}1` } } }),
    after: spec({ ...begun, signer: { awsKms: { keyArn: `${KEY}2` } } }),
    field: "spec.signer.awsKms.keyArn",
  },
  {
    name: "the version of a key",
    before: spec({ ...begun, signer: { gcpKms: { keyVersion: `${VERSION}1` } } }),
    after: spec({ ...begun, signer: { gcpKms: { keyVersion: `${VERSION}2` } } }),
    field: "spec.signer.gcpKms.keyVersion",
  },
  {
    name: "Raft's port",
    before: spec({ raft: { port: 6001 } }),
    after: spec({ raft: { port: 6002 } }),
    field: "spec.raft.port",
  },
  {
    name: "Raft's port from its default",
    before: {},
    after: spec({ raft: { port: 6001 } }),
    field: "spec.raft.port",
  },
  {
    name: "the size of the volumes",
    before: {},
    after: spec({ storage: { size: "2Gi" } }),
    field: "spec.storage.size",
  },
  {
    name: "the storage class by naming one",
    before: {},
    after: spec({ storage: { storageClassName: "fast" } }),
    field: "spec.storage.storageClassName",
  },
  {
    name: "the storage class by taking it away",
    before: spec({ storage: { storageClassName: "fast" } }),
    after: {},
    field: "spec.storage.storageClassName",
  },
  {
    name: "the kind of app to an EVM chain's",
    before: {},
    after: spec(evm),
    field: "spec.execution.genesisHash",
  },
  {
    name: "the kind of app from an EVM chain's",
    before: spec(evm),
    after: {},
    field: "spec.execution.genesisHash",
  },
  {
    name: "the execution layer's genesis",
    before: spec(evm),
    after: withExecution({ genesisHash: `0x${"00".repeat(32)}` }),
    field: "spec.execution.genesisHash",
  },
  {
    name: "the fee recipient",
    before: spec(evm),
    after: withExecution({ feeRecipient: `0x${"00".repeat(20)}` }),
    field: "spec.execution.feeRecipient",
  },
  {
    name: "the size of the execution layer's volumes",
    before: spec(evm),
    after: withExecution({ storage: { size: "3Gi" } }),
    field: "spec.execution.storage.size",
  },
  {
    name: "the storage class of the execution layer's volumes by naming one",
    before: spec(evm),
    after: withExecution({ storage: { size: "2Gi", storageClassName: "fast" } }),
    field: "spec.execution.storage.storageClassName",
  },
];

/** Changes that look like one of the above and are none. */
export const allowedUpdates: readonly Omit<ForbiddenUpdate, "field">[] = [
  { name: "the number of members", before: spec({ replicas: 3 }), after: spec({ replicas: 5 }) },
  { name: "Raft's default port, written down", before: {}, after: spec({ raft: { port: 5001 } }) },
  { name: "an empty section", before: {}, after: spec({ signer: {}, raft: {}, app: {} }) },
  {
    name: "how a key management service is asked",
    before: spec({ ...begun, signer: { awsKms: { keyArn: `${KEY}1` } } }),
    after: spec({ ...begun, signer: { awsKms: { keyArn: `${KEY}1`, timeout: "2s", maxRetries: 0 } } }),
  },
  { name: "the image", before: {}, after: spec({ image: "ghcr.io/example/mychain:v1.5.0" }) },
  {
    name: "image, chain specification, resources and flags of the execution client",
    before: spec(evm),
    after: withExecution({
      image: "example.org/ev-reth:2",
      genesisConfigMap: { name: "evm-genesis-2", key: "genesis.json" },
      resources: { requests: { cpu: 1 } },
      extraArgs: ["--txpool.max-new-txns=2048"],
    }),
  },
  { name: "Raft's time-outs", before: {}, after: timing({}) },
];
