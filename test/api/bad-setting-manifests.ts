import { type BadManifest, spec } from "./manifest-patch.ts";

const PEER = "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB";

const KEY = "arn:aws:kms:eu-central-1:111122223333:key/";
const begun = { chain: { genesis: { configMap: { name: "g", key: "k" } } } };

/** Settings that are ev-node's alone. */
export const badSettings: readonly BadManifest[] = [
  {
    name: "a lazy chain without an interval",
    patch: spec({ chain: { lazy: {} } }),
    field: "spec.chain.lazy.interval",
    message: "Required value",
  },
  {
    name: "an alias of a key",
    patch: spec({ ...begun, signer: { awsKms: { keyArn: "alias/my-chain" } } }),
    field: "spec.signer.awsKms.keyArn",
    message: "The key must be given by its full ARN",
  },
  {
    name: "a key without its version",
    patch: spec({
      ...begun,
      signer: { gcpKms: { keyVersion: "projects/p/locations/global/keyRings/r/cryptoKeys/k" } },
    }),
    field: "spec.signer.gcpKms.keyVersion",
    message: "The key must be given with its version",
  },
  {
    name: "two signers",
    patch: spec({ ...begun, signer: { secretName: "keys", awsKms: { keyArn: `${KEY}1` } } }),
    field: "spec.signer",
    message: "A chain has one signer",
  },
  {
    name: "a key in a service and no genesis",
    patch: spec({ signer: { awsKms: { keyArn: `${KEY}1` } } }),
    field: "spec",
    message: "need spec.chain.genesis, which names it as the proposer",
  },
  {
    name: "an absence and the length of the log",
    patch: spec({ raft: { absenceCovered: "1h", trailingLogs: 9 } }),
    field: "spec.raft",
    message: "spec.raft.absenceCovered and spec.raft.trailingLogs exclude each other",
  },
  {
    name: "a limit of no pending block",
    patch: spec({ chain: { maxPendingBlocks: 0 } }),
    field: "spec.chain.maxPendingBlocks",
    message: "should be greater than or equal to 1",
  },
  {
    name: "a data namespace with a space",
    patch: spec({ da: { dataNamespace: "my data" } }),
    field: "spec.da.dataNamespace",
    message: "A namespace consists of printable ASCII",
  },
  {
    name: "two signing addresses in one",
    patch: spec({ da: { signingAddresses: ["celestia1a,celestia1b"] } }),
    field: "spec.da.signingAddresses[0]",
    message: "without spaces and commas",
  },
  {
    name: "an unknown batching strategy",
    patch: spec({ da: { batching: { strategy: "lazy" } } }),
    field: "spec.da.batching.strategy",
    message: 'supported values: "immediate", "size", "time", "adaptive"',
  },
  {
    name: "a blob that is to be more than full",
    patch: spec({ da: { batching: { sizeThreshold: 1.5 } } }),
    field: "spec.da.batching.sizeThreshold",
    message: "should be less than or equal to 1",
  },
  {
    name: "a multiaddress where a peer id belongs",
    patch: spec({ p2p: { blockedPeers: [`/p2p/${PEER}`] } }),
    field: "spec.p2p.blockedPeers[0]",
    message: "A peer id is the last part of a multiaddress",
  },
  {
    name: "blocked peers and nobody to block them",
    patch: spec({ p2p: { blockedPeers: [PEER], connectionGater: { enabled: false } } }),
    field: "spec.p2p",
    message: "are the connection gater's",
  },
  {
    name: "a namespace of metrics with a hyphen",
    patch: spec({ metrics: { namespace: "my-chain" } }),
    field: "spec.metrics.namespace",
    message: "A namespace of metrics consists of letters",
  },
  {
    name: "an OTLP receiver with a password",
    patch: spec({ tracing: { endpoint: "https://user:secret@otel.example.com" } }),
    field: "spec.tracing.endpoint",
    message: "without spaces and credentials",
  },
  {
    name: "a service's name with a space",
    patch: spec({ tracing: { endpoint: "otel:4318", serviceName: "my chain" } }),
    field: "spec.tracing.serviceName",
    message: "A service's name consists of printable ASCII",
  },
  {
    name: "tracing to nowhere",
    patch: spec({ tracing: { sampleRate: 0.1 } }),
    field: "spec.tracing.endpoint",
    message: "Required value",
  },
  {
    name: "pruning of everything",
    patch: spec({ pruning: { mode: "all", keepRecent: 0 } }),
    field: "spec.pruning.keepRecent",
    message: "should be greater than or equal to 100",
  },
];

export const settingsRefusedByOperator: readonly Omit<BadManifest, "seenBy">[] = [
  {
    name: "a lazy interval that is no longer than the block time",
    patch: spec({ chain: { lazy: { interval: "1s" } } }),
    field: "spec.chain.lazy.interval",
    message: "It must be longer than spec.chain.blockTime, which is 1000 ms",
  },
  {
    name: "an absence of more entries than are possible",
    patch: spec({ chain: { blockTime: "10ms" }, raft: { absenceCovered: "100h" } }),
    field: "spec.raft.absenceCovered",
    message: "With a block every 10 ms the log would have 108000000 entries",
  },
  {
    name: "pruning more often than blocks are made",
    patch: spec({ chain: { blockTime: "1m" }, pruning: { mode: "all", interval: "59s" } }),
    field: "spec.pruning.interval",
    message: "It must not be shorter than spec.chain.blockTime, which is 60000 ms",
  },
  {
    name: "submit options that are no JSON",
    patch: spec({ da: { submitOptions: "gas_price=1" } }),
    field: "spec.da.submitOptions",
    message: "It is no JSON object",
  },
  {
    name: "submit options that are a list",
    patch: spec({ da: { submitOptions: "[]" } }),
    field: "spec.da.submitOptions",
    message: "It is no JSON object",
  },
  {
    name: "profiles on a port that is taken",
    patch: spec({ pprof: { enabled: true }, rpc: { port: 6060 } }),
    field: "spec.pprof.enabled",
    message: "ev-node's profiles are on port 6060",
  },
  {
    name: "a variable that ev-node reads as a section",
    patch: spec({ app: { extraEnv: [{ name: "NODE", value: "x" }] } }),
    field: "spec.app.extraEnv",
    message: "ev-node takes the variable NODE in place of the section node of its configuration",
  },
  {
    name: "a field and its flag",
    patch: spec({
      app: { extraArgs: ["--rollkit.node.max_pending_headers_and_data=5"] },
      chain: { maxPendingBlocks: 9 },
    }),
    field: "spec.app.extraArgs",
    message:
      "The flag for node.max_pending_headers_and_data and spec.chain.maxPendingBlocks set the same; remove the flag.",
  },
];
