import * as z from "zod";
import { parseDurationMs } from "./duration.ts";

/**
 * No peer can be written like this. With raft state on its volume ev-node never reads `raft.peers`; without, it exits
 * instead of starting a cluster of its own with the chain's key.
 */
export const RAFT_PEERS_SENTINEL = "bootstrapped-by-agent";

const text = z.string().min(1, "expected a text that is not empty");
const duration = z.string().refine(isDuration, "expected a duration longer than zero, such as 350ms or 1s");
const atLeastOne = z.int().min(1);
const absolutePath = z.string().regex(/^\/./, "expected an absolute path");
const port = String.raw`\d{1,5}`;
const host = String.raw`(?:[^\s:@,/[\]]+|\[[0-9a-fA-F:.]+\])`;
const dialable = z
  .string()
  .regex(
    new RegExp(`^(?!0\\.0\\.0\\.0:|\\[::\\]:)${host}:${port}$`),
    "expected host:port that others can dial",
  );
const listening = z
  .string()
  .regex(new RegExp(`^(?:0\\.0\\.0\\.0)?:${port}$`), "expected 0.0.0.0:port or :port");
// Profiles have no password.
const onLoopback = z.string().regex(new RegExp(`^127\\.0\\.0\\.1:${port}$`), "expected 127.0.0.1:port");
const listeningMultiaddr = z
  .string()
  .regex(new RegExp(`^/ip4/0\\.0\\.0\\.0/tcp/${port}$`), "expected /ip4/0.0.0.0/tcp/port");
const multiaddr = String.raw`/[^\s,]+/p2p/[^\s,/]+`;
// ev-node drops a peer with a space with no more than a log line, and with it the way to fill gaps.
const multiaddrs = z
  .string()
  .regex(
    new RegExp(`^(?:${multiaddr}(?:,${multiaddr})*)?$`),
    "expected multiaddrs that end in /p2p/id, with commas",
  );
/** Of peers to block or to allow ev-node takes the id alone, but reads it as a multiaddr. */
const peerIds = z.string().regex(/^\/p2p\/[^\s,/]+(?:,\/p2p\/[^\s,/]+)*$/, "expected /p2p/id, with commas");
const share = z.number().min(0).max(1);
const daAddress = z.string().regex(/^(?:https?|wss?):\/\/\S+$/, "expected an http, https, ws or wss address");

const requests = { timeout: duration.optional(), max_retries: z.int().min(0).optional() };
const kms = z.discriminatedUnion("provider", [
  z.strictObject({
    provider: z.literal("aws"),
    aws: z.strictObject({ key_id: text, region: text, ...requests }),
  }),
  z.strictObject({ provider: z.literal("gcp"), gcp: z.strictObject({ key_name: text, ...requests }) }),
]);

const raftIdentity = {
  node_id: text,
  raft_addr: dialable,
  raft_dir: absolutePath,
  peers: z.literal(RAFT_PEERS_SENTINEL),
};

/**
 * Of a single sequencer. Who it is stands there all the same: switched on by whatever it were, Raft would find no state
 * in a folder of the volume, and no peer, and ev-node would exit.
 */
const raftOff = z.strictObject({ enable: z.literal(false), ...raftIdentity });

/**
 * The evnode.yaml of one member, in the order in which it is written. Raft comes first and `node.aggregator` last, so
 * that a file which was cut off never makes a member produce blocks.
 */
export const memberConfigSchema = z.strictObject({
  raft: z.discriminatedUnion("enable", [
    raftOff,
    z.strictObject({
      enable: z.literal(true),
      ...raftIdentity,
      heartbeat_timeout: duration,
      election_timeout: duration,
      leader_lease_timeout: duration,
      send_timeout: duration,
      snapshot_threshold: atLeastOne,
      trailing_logs: atLeastOne,
      snap_count: atLeastOne,
    }),
  ]),
  db_path: text,
  log: z.strictObject({
    level: z.enum(["debug", "info", "warn", "error"]),
    format: z.enum(["json", "text"]),
    trace: z.boolean().optional(),
  }),
  rpc: z.strictObject({ address: listening, enable_da_visualization: z.boolean().optional() }),
  p2p: z.strictObject({
    listen_address: listeningMultiaddr,
    peers: multiaddrs,
    blocked_peers: peerIds.optional(),
    allowed_peers: peerIds.optional(),
    disable_connection_gater: z.boolean().optional(),
  }),
  instrumentation: z.strictObject({
    prometheus: z.literal(true),
    prometheus_listen_addr: listening,
    max_open_connections: atLeastOne.optional(),
    namespace: text.optional(),
    pprof: z.literal(true).optional(),
    pprof_listen_addr: onLoopback.optional(),
    tracing: z.literal(true).optional(),
    tracing_endpoint: text.optional(),
    tracing_service_name: text.optional(),
    tracing_sample_rate: share.optional(),
  }),
  signer: z.discriminatedUnion("signer_type", [
    z.strictObject({ signer_type: z.literal("file"), signer_path: absolutePath }),
    z.strictObject({ signer_type: z.literal("kms"), signer_path: absolutePath, kms }),
  ]),
  da: z.strictObject({
    address: daAddress,
    namespace: text,
    auth_token: text.optional(),
    data_namespace: text.optional(),
    forced_inclusion_namespace: text.optional(),
    submit_options: text.optional(),
    signing_addresses: z.array(text).min(1).readonly().optional(),
    block_time: duration.optional(),
    request_timeout: duration.optional(),
    mempool_ttl: z.int().min(0).optional(),
    max_submit_attempts: atLeastOne.optional(),
    batching_strategy: z.enum(["immediate", "size", "time", "adaptive"]).optional(),
    batch_size_threshold: share.optional(),
    batch_max_delay: duration.optional(),
    batch_min_items: atLeastOne.optional(),
  }),
  pruning: z
    .strictObject({
      pruning_mode: z.enum(["disabled", "all", "metadata"]),
      pruning_keep_recent: atLeastOne.optional(),
      pruning_interval: duration.optional(),
    })
    .optional(),
  node: z.strictObject({
    block_time: duration,
    lazy_mode: z.boolean(),
    lazy_block_interval: duration.optional(),
    max_pending_headers_and_data: atLeastOne.optional(),
    scrape_interval: duration.optional(),
    readiness_window_seconds: atLeastOne,
    readiness_max_blocks_behind: z.int().min(0).optional(),
    aggregator: z.literal(true),
  }),
});

function isDuration(written: string): boolean {
  const durationMs = parseDurationMs(written);
  return durationMs !== undefined && durationMs > 0;
}
