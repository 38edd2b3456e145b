import type { Spec } from "../../src/api/evnodecluster.ts";
import type { Patch } from "../api/manifest-patch.ts";
import { evm } from "../builders.ts";
import { takenOver } from "../migrating.ts";
import {
  behavesInChanges,
  behavesInMigrations,
  behavesInRepairs,
  behavesInRollouts,
  behavesWhenSuspended,
  readsReferences,
} from "./behaviours.ts";

/** What becomes of a change of one field. */
export interface Effect {
  readonly field: string;
  /** Other fields that have to change with it. */
  readonly together?: readonly string[];
  /** Beside what is required; nothing when it is absent. */
  readonly from?: Patch;
  readonly to: Patch;
  /** In what the rendered objects differ, in full. */
  readonly changes?: readonly string[];
  /** What the operator does with such a spec; it must be something else after the change. */
  readonly behaves?: (spec: Spec) => unknown;
}

const yaml = (...keys: string[]) => keys.map((key) => `evnode.yaml ${key}`);
const TEMPLATE = "pod template";
const POLICY = "NetworkPolicy seq";
const ALL_SERVICES = ["Service seq", "Service seq-leader", "Service seq-rpc"];

const PEER = "12D3KooWGRUWsKfF5CQhaPUbzRhVHvjHDWGx3jgKbfGmcFmd3s5P";
const command = ["/bin/chain"];

const app: readonly Effect[] = [
  { field: "image", to: { image: "example.org/testapp:2" }, changes: [TEMPLATE] },
  { field: "imagePullPolicy", to: { imagePullPolicy: "Always" }, changes: [TEMPLATE] },
  { field: "imagePullSecrets[].name", to: { imagePullSecrets: [{ name: "registry" }] }, changes: [TEMPLATE] },
  {
    field: "app.kind",
    together: ["app.command"],
    to: { app: { kind: "custom", command } },
    changes: [TEMPLATE, POLICY, "Service seq-leader", "Service seq-rpc"],
  },
  {
    field: "app.command",
    from: { app: { kind: "custom", command } },
    to: { app: { command: ["/bin/other"] } },
    changes: [TEMPLATE],
  },
  ...[
    { name: "web", port: 8545 },
    { name: "api", port: 8546 },
  ].map((port, at): Effect => {
    const ports = [{ name: "api", port: 8545 }];
    return {
      field: at === 0 ? "app.ports[].name" : "app.ports[].port",
      from: { app: { kind: "custom", command, ports } },
      to: { app: { ports: [port] } },
      changes: [TEMPLATE, ...(at === 0 ? [] : [POLICY]), "Service seq-leader", "Service seq-rpc"],
    };
  }),
  { field: "app.extraArgs", to: { app: { extraArgs: ["--x"] } }, changes: [TEMPLATE] },
  ...[
    { name: "B", value: "1" },
    { name: "A", value: "2" },
  ].map(
    (variable, at): Effect => ({
      field: at === 0 ? "app.extraEnv[].name" : "app.extraEnv[].value",
      from: { app: { extraEnv: [{ name: "A", value: "1" }] } },
      to: { app: { extraEnv: [variable] } },
      changes: [TEMPLATE],
    }),
  ),
];

const begun: Patch = { signer: { secretName: "keys" } };
const genesis = (source: Patch): Patch => ({ ...begun, chain: { genesis: source } });
const reference = { name: "start", key: "one" };

const gcp = {
  gcpKms: { keyVersion: "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1" },
};

function kmsRequests(field: string, provider: string, signer: Patch): readonly Effect[] {
  const from = { chain: { genesis: { configMap: reference } }, signer };
  return [
    {
      field: `signer.${field}.timeout`,
      from,
      to: { signer: { [field]: { timeout: "2s" } } },
      changes: yaml(`signer.kms.${provider}.timeout`),
    },
    {
      field: `signer.${field}.maxRetries`,
      from,
      to: { signer: { [field]: { maxRetries: 0 } } },
      changes: yaml(`signer.kms.${provider}.max_retries`),
    },
  ];
}

const chain: readonly Effect[] = [
  { field: "replicas", to: { replicas: 5 }, changes: [...yaml("p2p.peers"), "StatefulSet"] },
  { field: "chain.id", to: { chain: { id: "other" } }, changes: yaml("da.namespace") },
  { field: "chain.blockTime", to: { chain: { blockTime: "2s" } }, changes: yaml("node.block_time") },
  {
    field: "chain.lazy.interval",
    to: { chain: { lazy: { interval: "1m" } } },
    changes: yaml("node.lazy_mode", "node.lazy_block_interval", "node.readiness_window_seconds"),
  },
  {
    field: "chain.scrapeInterval",
    to: { chain: { scrapeInterval: "2s" } },
    changes: yaml("node.scrape_interval"),
  },
  {
    field: "chain.maxPendingBlocks",
    to: { chain: { maxPendingBlocks: 9 } },
    changes: yaml("node.max_pending_headers_and_data"),
  },
  ...(["configMap", "secret"] as const).flatMap((source): Effect[] => [
    {
      field: `chain.genesis.${source}.name`,
      from: genesis({ [source]: reference }),
      to: { chain: { genesis: { [source]: { name: "other" } } } },
      behaves: readsReferences,
    },
    {
      field: `chain.genesis.${source}.key`,
      from: genesis({ [source]: reference }),
      to: { chain: { genesis: { [source]: { key: "other" } } } },
      behaves: readsReferences,
    },
  ]),
  { field: "signer.secretName", to: begun, behaves: readsReferences },
  {
    field: "signer.awsKms.keyArn",
    together: ["signer.secretName"],
    from: genesis({ configMap: reference }),
    to: { signer: { secretName: null, awsKms: { keyArn: "arn:aws:kms:eu-central-1:111122223333:key/1" } } },
    changes: [
      ...yaml("signer.signer_type", "signer.kms.provider", "signer.kms.aws.key_id", "signer.kms.aws.region"),
      TEMPLATE,
    ],
    behaves: readsReferences,
  },
  {
    field: "signer.gcpKms.keyVersion",
    together: ["signer.secretName"],
    from: genesis({ configMap: reference }),
    to: { signer: { secretName: null, ...gcp } },
    changes: [...yaml("signer.signer_type", "signer.kms.provider", "signer.kms.gcp.key_name"), TEMPLATE],
    behaves: readsReferences,
  },
  ...kmsRequests("awsKms", "aws", { awsKms: { keyArn: "arn:aws:kms:eu-central-1:111122223333:key/1" } }),
  ...kmsRequests("gcpKms", "gcp", gcp),
];

const token = { da: { authTokenSecret: { name: "da", key: "token" } } };
const simpleDa = (name: string, key: string, value: unknown): Effect => ({
  field: `da.${name}`,
  to: { da: { [name]: value } },
  changes: yaml(`da.${key}`),
});
const batching = (name: string, key: string, value: unknown): Effect => ({
  field: `da.batching.${name}`,
  to: { da: { batching: { [name]: value } } },
  changes: yaml(`da.${key}`),
});

const da: readonly Effect[] = [
  simpleDa("address", "address", "http://other:7980"),
  simpleDa("namespace", "namespace", "x"),
  simpleDa("dataNamespace", "data_namespace", "x"),
  simpleDa("forcedInclusionNamespace", "forced_inclusion_namespace", "x"),
  simpleDa("submitOptions", "submit_options", "{}"),
  simpleDa("signingAddresses", "signing_addresses", ["a"]),
  simpleDa("blockTime", "block_time", "12s"),
  simpleDa("requestTimeout", "request_timeout", "12s"),
  simpleDa("mempoolTTL", "mempool_ttl", 5),
  simpleDa("maxSubmitAttempts", "max_submit_attempts", 5),
  batching("strategy", "batching_strategy", "size"),
  batching("sizeThreshold", "batch_size_threshold", 0.5),
  batching("maxDelay", "batch_max_delay", "12s"),
  batching("minItems", "batch_min_items", 5),
  {
    field: "da.authTokenSecret.name",
    from: token,
    to: { da: { authTokenSecret: { name: "other" } } },
    changes: yaml("da.auth_token"),
    behaves: readsReferences,
  },
  {
    field: "da.authTokenSecret.key",
    from: token,
    to: { da: { authTokenSecret: { key: "one" } } },
    changes: yaml("da.auth_token"),
    behaves: readsReferences,
  },
];

const timing = {
  heartbeatTimeout: "1s",
  electionTimeout: "2s",
  leaderLeaseTimeout: "1s",
  sendTimeout: "500ms",
};
const timeout = (name: keyof typeof timing, key: string, value: string): Effect => ({
  field: `raft.timing.${name}`,
  from: { raft: { timing } },
  to: { raft: { timing: { [name]: value } } },
  changes: yaml(`raft.${key}`),
});
const raft: readonly Effect[] = [
  {
    field: "raft.port",
    to: { raft: { port: 5002 } },
    changes: [...yaml("raft.raft_addr"), TEMPLATE, POLICY, "Service seq"],
  },
  {
    field: "raft.rttMax",
    to: { raft: { rttMax: "40ms" } },
    changes: yaml(
      "raft.heartbeat_timeout",
      "raft.election_timeout",
      "raft.leader_lease_timeout",
      "raft.send_timeout",
    ),
  },
  timeout("heartbeatTimeout", "heartbeat_timeout", "1500ms"),
  timeout("electionTimeout", "election_timeout", "3s"),
  timeout("leaderLeaseTimeout", "leader_lease_timeout", "900ms"),
  timeout("sendTimeout", "send_timeout", "400ms"),
  {
    field: "raft.snapshotThreshold",
    to: { raft: { snapshotThreshold: 9 } },
    changes: yaml("raft.snapshot_threshold"),
  },
  {
    field: "raft.absenceCovered",
    to: { raft: { absenceCovered: "1h" } },
    changes: yaml("raft.trailing_logs"),
  },
  { field: "raft.trailingLogs", to: { raft: { trailingLogs: 9 } }, changes: yaml("raft.trailing_logs") },
  { field: "raft.snapshotsKept", to: { raft: { snapshotsKept: 9 } }, changes: yaml("raft.snap_count") },
  { field: "raft.afterOutage", to: { raft: { afterOutage: "Start" } }, changes: [TEMPLATE] },
];

const GATER = "p2p.disable_connection_gater";
const network: readonly Effect[] = [
  {
    field: "p2p.port",
    to: { p2p: { port: 7677 } },
    changes: [...yaml("p2p.listen_address", "p2p.peers"), TEMPLATE, POLICY, "Service seq"],
  },
  {
    field: "p2p.extraPeers",
    to: { p2p: { extraPeers: [`/dns4/a/tcp/1/p2p/${PEER}`] } },
    changes: [...yaml("p2p.peers"), POLICY],
  },
  {
    field: "p2p.blockedPeers",
    to: { p2p: { blockedPeers: [PEER] } },
    changes: yaml("p2p.blocked_peers", GATER),
  },
  {
    field: "p2p.allowedPeers",
    to: { p2p: { allowedPeers: [PEER] } },
    changes: yaml("p2p.allowed_peers", GATER),
  },
  {
    field: "p2p.connectionGater.enabled",
    to: { p2p: { connectionGater: { enabled: true } } },
    changes: yaml(GATER),
  },
  {
    field: "rpc.port",
    to: { rpc: { port: 7332 } },
    changes: [...yaml("rpc.address"), TEMPLATE, POLICY, ...ALL_SERVICES],
  },
  {
    field: "rpc.daVisualization.enabled",
    to: { rpc: { daVisualization: { enabled: true } } },
    changes: yaml("rpc.enable_da_visualization"),
  },
  {
    field: "rpc.health.window",
    to: { rpc: { health: { window: "1m" } } },
    changes: yaml("node.readiness_window_seconds"),
  },
  {
    field: "rpc.health.maxBlocksBehind",
    to: { rpc: { health: { maxBlocksBehind: 0 } } },
    changes: yaml("node.readiness_max_blocks_behind"),
  },
  {
    field: "metrics.port",
    to: { metrics: { port: 26_661 } },
    changes: [...yaml("instrumentation.prometheus_listen_addr"), TEMPLATE, POLICY, "Service seq"],
  },
  { field: "networkPolicy.enabled", to: { networkPolicy: { enabled: false } }, changes: [POLICY] },
];

const OTEL = { tracing: { endpoint: "otel:4318" } };
const telemetry: readonly Effect[] = [
  {
    field: "metrics.maxConnections",
    to: { metrics: { maxConnections: 9 } },
    changes: yaml("instrumentation.max_open_connections"),
  },
  {
    field: "metrics.namespace",
    to: { metrics: { namespace: "x" } },
    changes: yaml("instrumentation.namespace"),
  },
  {
    field: "tracing.endpoint",
    to: OTEL,
    changes: yaml("instrumentation.tracing", "instrumentation.tracing_endpoint"),
  },
  {
    field: "tracing.serviceName",
    from: OTEL,
    to: { tracing: { serviceName: "x" } },
    changes: yaml("instrumentation.tracing_service_name"),
  },
  {
    field: "tracing.sampleRate",
    from: OTEL,
    to: { tracing: { sampleRate: 1 } },
    changes: yaml("instrumentation.tracing_sample_rate"),
  },
  {
    field: "pprof.enabled",
    to: { pprof: { enabled: true } },
    changes: yaml("instrumentation.pprof", "instrumentation.pprof_listen_addr"),
  },
  { field: "log.level", to: { log: { level: "debug" } }, changes: yaml("log.level") },
  { field: "log.format", to: { log: { format: "text" } }, changes: yaml("log.format") },
  { field: "log.trace", to: { log: { trace: true } }, changes: yaml("log.trace") },
];

const PRUNED = { pruning: { mode: "all" } };
const storage: readonly Effect[] = [
  { field: "storage.size", to: { storage: { size: "2Gi" } }, changes: ["volume claim"] },
  {
    field: "storage.storageClassName",
    to: { storage: { storageClassName: "fast" } },
    changes: ["volume claim"],
    behaves: readsReferences,
  },
  { field: "pruning.mode", to: PRUNED, changes: yaml("pruning.pruning_mode") },
  {
    field: "pruning.keepRecent",
    from: PRUNED,
    to: { pruning: { keepRecent: 500 } },
    changes: yaml("pruning.pruning_keep_recent"),
  },
  {
    field: "pruning.interval",
    from: PRUNED,
    to: { pruning: { interval: "5m" } },
    changes: yaml("pruning.pruning_interval"),
  },
];

const executed = (name: string, to: Patch): Effect => ({
  field: `execution.${name}`,
  from: evm,
  to: { execution: to },
  changes: [TEMPLATE],
});
const execution: readonly Effect[] = [
  executed("image", { image: "example.org/ev-reth:2" }),
  executed("genesisConfigMap.name", { genesisConfigMap: { name: "other" } }),
  executed("genesisConfigMap.key", { genesisConfigMap: { key: "other.json" } }),
  executed("genesisHash", { genesisHash: `0x${"2".repeat(64)}` }),
  executed("feeRecipient", { feeRecipient: `0x${"2".repeat(40)}` }),
  { ...executed("storage.size", { storage: { size: "99Gi" } }), changes: ["volume claim"] },
  {
    ...executed("storage.storageClassName", { storage: { storageClassName: "other" } }),
    changes: ["volume claim"],
  },
  executed("resources.requests", { resources: { requests: { cpu: "3" } } }),
  executed("resources.limits", { resources: { limits: { memory: "3Gi" } } }),
  executed("extraArgs", { extraArgs: ["--txpool.max-pending-txns=1"] }),
];

const policy = (name: string, value: unknown): Effect => ({
  field: `rollout.${name}`,
  to: { rollout: { [name]: value } },
  behaves: behavesInRollouts,
});
const repairs = (name: string, value: unknown): Effect => ({
  field: `repair.${name}`,
  to: { repair: { [name]: value } },
  behaves: behavesInRepairs,
});
const migrates = (to: Patch, field: string): Effect => ({
  field,
  from: takenOver("Running"),
  to: { migration: to },
  behaves: behavesInMigrations,
});
const operation: readonly Effect[] = [
  { field: "readiness.maxBlocksBehind", to: { readiness: { maxBlocksBehind: 9 } }, changes: [TEMPLATE] },
  policy("mode", "Paused"),
  policy("maxBlocksBehind", 18),
  policy("minReadySeconds", 60),
  policy("progressDeadlineSeconds", 60),
  policy("onStall", "Hold"),
  { ...policy("rehearsal", { enabled: false }), field: "rollout.rehearsal.enabled" },
  repairs("mode", "Approve"),
  repairs("maxPerHour", 1),
  { field: "membership.approvedEpoch", to: { membership: { approvedEpoch: 2 } }, behaves: behavesInChanges },
  {
    field: "membership.stopWithinSeconds",
    to: { membership: { stopWithinSeconds: 30 } },
    behaves: behavesInChanges,
  },
  migrates({ peer: `/dns4/other.example.com/tcp/7676/p2p/${"1".repeat(52)}` }, "migration.peer"),
  migrates({ rpcAddress: "http://other.example.com:7331" }, "migration.rpcAddress"),
  migrates({ oldSequencer: "Stopped" }, "migration.oldSequencer"),
  migrates({ copies: "Accept" }, "migration.copies"),
  { field: "suspend", to: { suspend: true }, behaves: behavesWhenSuspended },
  {
    field: "disruptionBudget.enabled",
    to: { disruptionBudget: { enabled: false } },
    changes: ["PodDisruptionBudget seq"],
  },
];

const taint = { key: "a", operator: "Equal", value: "1", effect: "NoExecute" };
const toleration = (name: string, value: unknown): Effect => ({
  field: `pod.tolerations[].${name}`,
  from: { pod: { tolerations: [taint] } },
  to: { pod: { tolerations: [{ ...taint, [name]: value }] } },
  changes: [TEMPLATE],
});
const simplePod = (name: string, value: unknown): Effect => ({
  field: `pod.${name}`,
  to: { pod: { [name]: value } },
  changes: [TEMPLATE],
});
const pod: readonly Effect[] = [
  { field: "topology.spread", to: { topology: { spread: "Required" } }, changes: [TEMPLATE] },
  { ...simplePod("resources", { requests: { cpu: "1" } }), field: "pod.resources.requests" },
  { ...simplePod("resources", { limits: { memory: "1Gi" } }), field: "pod.resources.limits" },
  simplePod("nodeSelector", { pool: "x" }),
  toleration("key", "b"),
  {
    ...toleration("operator", "Exists"),
    from: { pod: { tolerations: [{ key: "a" }] } },
    to: { pod: { tolerations: [{ key: "a", operator: "Exists" }] } },
  },
  toleration("value", "2"),
  toleration("effect", "NoSchedule"),
  toleration("tolerationSeconds", 60),
  simplePod("affinity", { nodeAffinity: { a: 1 } }),
  simplePod("priorityClassName", "high"),
  simplePod("labels", { team: "a" }),
  simplePod("annotations", { team: "a" }),
  simplePod("terminationGracePeriodSeconds", 60),
  { ...simplePod("serviceAccountAnnotations", { team: "a" }), changes: ["ServiceAccount seq-member"] },
];

/** One row for each field of the spec. A field that changes nothing that runs has no place in it. */
export const effectCases: readonly Effect[] = [
  ...app,
  ...chain,
  ...da,
  ...raft,
  ...network,
  ...telemetry,
  ...storage,
  ...execution,
  ...operation,
  ...pod,
];
