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
const daAddress = z.string().regex(/^(?:https?|wss?):\/\/\S+$/, "expected an http, https, ws or wss address");

/**
 * The evnode.yaml of one raft member, in the order in which it is written. Raft comes first and `node.aggregator`
 * last, so that a file which was cut off never makes a member produce blocks without raft.
 */
export const memberConfigSchema = z.strictObject({
  raft: z.strictObject({
    enable: z.literal(true),
    node_id: text,
    raft_addr: dialable,
    raft_dir: absolutePath,
    peers: z.literal(RAFT_PEERS_SENTINEL),
    heartbeat_timeout: duration,
    election_timeout: duration,
    leader_lease_timeout: duration,
    send_timeout: duration,
    snapshot_threshold: atLeastOne,
    trailing_logs: atLeastOne,
    snap_count: atLeastOne,
  }),
  db_path: text,
  log: z.strictObject({
    level: z.enum(["debug", "info", "warn", "error"]),
    format: z.enum(["json", "text"]),
  }),
  rpc: z.strictObject({ address: listening }),
  p2p: z.strictObject({ listen_address: listeningMultiaddr, peers: multiaddrs }),
  instrumentation: z.strictObject({ prometheus: z.literal(true), prometheus_listen_addr: listening }),
  signer: z.strictObject({ signer_type: z.literal("file"), signer_path: absolutePath }),
  da: z.strictObject({ address: daAddress, namespace: text, auth_token: text.optional() }),
  node: z.strictObject({
    block_time: duration,
    lazy_mode: z.literal(false),
    readiness_window_seconds: atLeastOne,
    aggregator: z.literal(true),
  }),
});

function isDuration(written: string): boolean {
  const durationMs = parseDurationMs(written);
  return durationMs !== undefined && durationMs > 0;
}
