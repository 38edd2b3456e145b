import { type BadManifest, spec, timing } from "./manifest-patch.ts";

const DURATION = "This must be a duration from";

export const badChain: readonly BadManifest[] = [
  {
    name: "no chain",
    patch: spec({ chain: null }),
    field: "spec.chain",
    message: "spec.chain: Required value",
  },
  {
    name: "no chain id",
    patch: spec({ chain: { id: null } }),
    field: "spec.chain.id",
    message: "spec.chain.id: Required value",
  },
  {
    name: "a chain id with a slash",
    patch: spec({ chain: { id: "a/b" } }),
    field: "spec.chain.id",
    message: "A chain id consists of letters, digits",
  },
  {
    name: "a chain id of 51 characters",
    patch: spec({ chain: { id: "a".repeat(51) } }),
    field: "spec.chain.id",
    message: "may not be more than 50",
  },
  {
    name: "a block time without a unit",
    patch: spec({ chain: { blockTime: "1" } }),
    field: "spec.chain.blockTime",
    message: DURATION,
  },
  {
    name: "a block time with a fraction",
    patch: spec({ chain: { blockTime: "1.5s" } }),
    field: "spec.chain.blockTime",
    message: DURATION,
  },
  {
    name: "a block time below 10ms",
    patch: spec({ chain: { blockTime: "9ms" } }),
    field: "spec.chain.blockTime",
    message: DURATION,
  },
  {
    name: "a block time above 1h",
    patch: spec({ chain: { blockTime: "1h1ms" } }),
    field: "spec.chain.blockTime",
    message: DURATION,
  },
  {
    name: "a genesis without a source",
    patch: spec({ chain: { genesis: {} }, signer: { secretName: "k" } }),
    field: "spec.chain.genesis",
    message: "must name exactly one source",
  },
  {
    name: "a genesis with two sources",
    patch: spec({
      chain: { genesis: { configMap: { name: "a", key: "k" }, secret: { name: "b", key: "k" } } },
      signer: { secretName: "k" },
    }),
    field: "spec.chain.genesis",
    message: "must name exactly one source",
  },
  {
    name: "a genesis source without a key",
    patch: spec({ chain: { genesis: { configMap: { name: "a" } } } }),
    field: "spec.chain.genesis.configMap.key",
    message: "Required value",
  },
  {
    name: "a genesis without its signer",
    patch: spec({ chain: { genesis: { configMap: { name: "a", key: "k" } } } }),
    field: "spec",
    message: "needs the proposer's key in spec.signer.secretName",
  },
  {
    name: "a signer Secret that cannot exist",
    patch: spec({ signer: { secretName: "My_Key" } }),
    field: "spec.signer.secretName",
    message: "This must be the name of a Kubernetes object",
  },
  {
    name: "the operator's own Secret as signer",
    patch: spec({ signer: { secretName: "demo-identity" } }),
    field: "spec",
    message: "must not be named <name>-identity or <name>-config",
  },
  {
    name: "the operator's own Secret as DA token",
    patch: spec({ da: { authTokenSecret: { name: "demo-config", key: "k" } } }),
    field: "spec",
    message: "must not be named <name>-identity or <name>-config",
  },
  { name: "no DA", patch: spec({ da: null }), field: "spec.da", message: "spec.da: Required value" },
  {
    name: "a DA address without a scheme",
    patch: spec({ da: { address: "local-da:7980" } }),
    field: "spec.da.address",
    message: "The address must be a URL",
  },
  {
    name: "a DA address with credentials",
    patch: spec({ da: { address: "https://me:secret@da.example.com" } }),
    field: "spec.da.address",
    message: "The address must be a URL",
  },
  {
    name: "a DA namespace with a space",
    patch: spec({ da: { namespace: "my chain" } }),
    field: "spec.da.namespace",
    message: "A namespace consists of printable ASCII",
  },
  {
    name: "a key that no Secret can have",
    patch: spec({ da: { authTokenSecret: { name: "da", key: "a/b" } } }),
    field: "spec.da.authTokenSecret.key",
    message: "A key consists of letters, digits",
  },
];

export const badRaft: readonly BadManifest[] = [
  {
    name: "a round trip and time-outs",
    patch: { spec: { raft: { rttMax: "5ms", ...(timing({})["spec"] as { raft: object }).raft } } },
    field: "spec.raft",
    message: "exclude each other",
  },
  {
    name: "a round trip of nothing",
    patch: spec({ raft: { rttMax: "0ms" } }),
    field: "spec.raft.rttMax",
    message: DURATION,
  },
  {
    name: "only one time-out",
    patch: spec({ raft: { timing: { heartbeatTimeout: "1s" } } }),
    field: "spec.raft.timing.electionTimeout",
    message: "Required value",
  },
  {
    name: "a heartbeat below 5ms",
    patch: timing({ heartbeatTimeout: "4ms", leaderLeaseTimeout: "4ms" }),
    field: "spec.raft.timing.heartbeatTimeout",
    message: DURATION,
  },
  {
    name: "a lease longer than the heartbeat",
    patch: timing({ leaderLeaseTimeout: "351ms" }),
    field: "spec.raft.timing",
    message: "leaderLeaseTimeout must not be longer than heartbeatTimeout",
  },
  {
    name: "an election shorter than the heartbeat",
    patch: timing({ electionTimeout: "349ms" }),
    field: "spec.raft.timing",
    message: "heartbeatTimeout must not be longer than electionTimeout",
  },
  {
    name: "a snapshot after no entries",
    patch: spec({ raft: { snapshotThreshold: 0 } }),
    field: "spec.raft.snapshotThreshold",
    message: "should be greater than or equal to 1",
  },
  {
    name: "no trailing log",
    patch: spec({ raft: { trailingLogs: 0 } }),
    field: "spec.raft.trailingLogs",
    message: "should be greater than or equal to 1",
  },
  {
    name: "an unknown way after an outage",
    patch: spec({ raft: { afterOutage: "Guess" } }),
    field: "spec.raft.afterOutage",
    message: "Level",
  },
  {
    name: "no snapshot kept",
    patch: spec({ raft: { snapshotsKept: 0 } }),
    field: "spec.raft.snapshotsKept",
    message: "should be greater than or equal to 1",
  },
];
