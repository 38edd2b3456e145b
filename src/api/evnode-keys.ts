/** Where the value of one key of evnode.yaml comes from. */
export type KeyOrigin =
  /** From these fields of the spec; without them it is the operator's default, or ev-node's own. */
  | { readonly from: "Spec"; readonly fields: readonly string[]; readonly note?: string }
  | { readonly from: "Operator"; readonly why: string }
  /** By a flag alone: the file does not know it. */
  | { readonly from: "Flag"; readonly why: string }
  | { readonly from: "Refused"; readonly why: string };

const spec = (...fields: string[]): KeyOrigin => ({ from: "Spec", fields });
const specNote = (note: string, ...fields: string[]): KeyOrigin => ({ from: "Spec", fields, note });
const operator = (why: string): KeyOrigin => ({ from: "Operator", why });
const refused = (why: string): KeyOrigin => ({ from: "Refused", why });

const CREDENTIALS =
  "it names a file with credentials, which no member has: members get access by their service account";

/**
 * Every key that ev-node's evnode.yaml knows, and each flag of its start command beside these. Tests hold it against
 * what is rendered (a changed field changes exactly these keys), against the strict schema of evnode.yaml, and against
 * the flags of the real program.
 */
export const evnodeKeys: Readonly<Record<string, KeyOrigin>> = {
  "raft.enable": operator("on; off while a member levels, and of a single sequencer"),
  "raft.node_id": operator("the member's name"),
  "raft.raft_addr": specNote("with the member's host name", "raft.port"),
  "raft.raft_dir": operator("on the volume, one folder for each epoch"),
  "raft.peers": operator("a word that is no peer: the agents write the membership into Raft's own log"),
  "raft.heartbeat_timeout": spec("raft.timing.heartbeatTimeout", "raft.rttMax"),
  "raft.election_timeout": spec("raft.timing.electionTimeout", "raft.rttMax"),
  "raft.leader_lease_timeout": spec("raft.timing.leaderLeaseTimeout", "raft.rttMax"),
  "raft.send_timeout": spec("raft.timing.sendTimeout", "raft.rttMax"),
  "raft.snapshot_threshold": spec("raft.snapshotThreshold"),
  "raft.trailing_logs": specNote("three entries for each block", "raft.trailingLogs", "raft.absenceCovered"),
  "raft.snap_count": specNote("ev-node means the number of snapshots kept", "raft.snapshotsKept"),
  "raft.bootstrap": refused("ev-node ignores it, and the members are bootstrapped by their agents"),
  db_path: operator("on the volume, beside Raft's folder: the two are one state"),
  clear_cache: refused("ev-node ignores it, and as a variable of the environment it ends every start"),
  "log.level": spec("log.level"),
  "log.format": spec("log.format"),
  "log.trace": spec("log.trace"),
  "rpc.address": specNote("on all interfaces", "rpc.port"),
  "rpc.enable_da_visualization": spec("rpc.daVisualization.enabled"),
  "p2p.listen_address": specNote("on all interfaces", "p2p.port"),
  "p2p.peers": specNote("behind the other members", "p2p.extraPeers", "p2p.port", "replicas"),
  "p2p.blocked_peers": spec("p2p.blockedPeers"),
  "p2p.allowed_peers": spec("p2p.allowedPeers"),
  "p2p.disable_connection_gater": specNote(
    "the opposite of it",
    "p2p.connectionGater.enabled",
    "p2p.blockedPeers",
    "p2p.allowedPeers",
  ),
  "instrumentation.prometheus": operator("on: the probes of the pod look at its port"),
  "instrumentation.prometheus_listen_addr": spec("metrics.port"),
  "instrumentation.max_open_connections": spec("metrics.maxConnections"),
  "instrumentation.namespace": spec("metrics.namespace"),
  "instrumentation.pprof": spec("pprof.enabled"),
  "instrumentation.pprof_listen_addr": specNote("on the loopback interface", "pprof.enabled"),
  "instrumentation.tracing": specNote("on when it is given", "tracing.endpoint"),
  "instrumentation.tracing_endpoint": spec("tracing.endpoint"),
  "instrumentation.tracing_service_name": spec("tracing.serviceName"),
  "instrumentation.tracing_sample_rate": spec("tracing.sampleRate"),
  "signer.signer_type": specNote(
    "kms when one of them is given, else file",
    "signer.awsKms.keyArn",
    "signer.gcpKms.keyVersion",
  ),
  "signer.signer_path": operator("in memory, where the agent writes it"),
  "signer.passphrase_file": operator("in memory, readable by the pod alone"),
  "signer.kms.provider": spec("signer.awsKms.keyArn", "signer.gcpKms.keyVersion"),
  "signer.kms.aws.key_id": spec("signer.awsKms.keyArn"),
  "signer.kms.aws.region": specNote("as the ARN names it", "signer.awsKms.keyArn"),
  "signer.kms.aws.timeout": spec("signer.awsKms.timeout"),
  "signer.kms.aws.max_retries": spec("signer.awsKms.maxRetries"),
  "signer.kms.aws.profile": refused(CREDENTIALS),
  "signer.kms.gcp.key_name": spec("signer.gcpKms.keyVersion"),
  "signer.kms.gcp.timeout": spec("signer.gcpKms.timeout"),
  "signer.kms.gcp.max_retries": spec("signer.gcpKms.maxRetries"),
  "signer.kms.gcp.credentials_file": refused(CREDENTIALS),
  "da.address": spec("da.address"),
  "da.namespace": spec("da.namespace", "chain.id"),
  "da.auth_token": specNote("from that Secret", "da.authTokenSecret.name", "da.authTokenSecret.key"),
  "da.data_namespace": spec("da.dataNamespace"),
  "da.forced_inclusion_namespace": spec("da.forcedInclusionNamespace"),
  "da.submit_options": spec("da.submitOptions"),
  "da.signing_addresses": spec("da.signingAddresses"),
  "da.block_time": spec("da.blockTime"),
  "da.request_timeout": spec("da.requestTimeout"),
  "da.mempool_ttl": spec("da.mempoolTTL"),
  "da.max_submit_attempts": spec("da.maxSubmitAttempts"),
  "da.batching_strategy": spec("da.batching.strategy"),
  "da.batch_size_threshold": spec("da.batching.sizeThreshold"),
  "da.batch_max_delay": spec("da.batching.maxDelay"),
  "da.batch_min_items": spec("da.batching.minItems"),
  "da.start_height": {
    from: "Flag",
    why: "for a repair; the height at which the chain begins stands in its genesis, as da_start_height",
  },
  "pruning.pruning_mode": spec("pruning.mode"),
  "pruning.pruning_keep_recent": spec("pruning.keepRecent"),
  "pruning.pruning_interval": spec("pruning.interval"),
  "node.block_time": spec("chain.blockTime"),
  "node.lazy_mode": specNote("on when it is given", "chain.lazy.interval"),
  "node.lazy_block_interval": spec("chain.lazy.interval"),
  "node.max_pending_headers_and_data": spec("chain.maxPendingBlocks"),
  "node.scrape_interval": spec("chain.scrapeInterval"),
  "node.readiness_window_seconds": specNote(
    "in lazy mode twice the interval",
    "rpc.health.window",
    "chain.lazy.interval",
  ),
  "node.readiness_max_blocks_behind": spec("rpc.health.maxBlocksBehind"),
  "node.aggregator": operator("on; off only while a member levels"),
  "node.promotable": refused(
    "it hands the role of the leader to something else than Raft, and ev-node refuses both at once",
  ),
  "node.light": refused("a light node makes no blocks and keeps none"),
  "node.based_sequencer": refused(
    "its blocks come from the data availability layer, so there is no leader to elect",
  ),
  "node.catchup_timeout": refused("ev-node refuses it together with Raft"),
};

/** The keys that a flag among `spec.app.extraArgs` sets, and where its value belongs. */
export function keyOfFlag(
  argument: string,
): { readonly key: string; readonly origin: KeyOrigin } | undefined {
  const key = /^--(?:evnode|rollkit)[.]([^=]+)/.exec(argument)?.[1];
  const origin = key === undefined ? undefined : evnodeKeys[key];
  return key === undefined || origin === undefined ? undefined : { key, origin };
}
