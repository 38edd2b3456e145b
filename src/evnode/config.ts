import { isIP } from "node:net";
import { LineCounter, parseDocument, stringify } from "yaml";
import type * as z from "zod";
import { memberConfigSchema, RAFT_PEERS_SENTINEL } from "./config-schema.ts";
import { formatDurationMs } from "./duration.ts";
import { check, malformed, type Parsed, parsed } from "./parsed.ts";
import { checkTiming, type RaftTiming } from "./raft-timing.ts";

export { RAFT_PEERS_SENTINEL } from "./config-schema.ts";

export interface PeerAddress {
  readonly host: string;
  readonly port: number;
  readonly peerId: string;
}

interface RaftInput {
  readonly nodeId: string;
  /** Host and port under which the other members dial this one; part of the membership for ever. */
  readonly address: string;
  readonly dir: string;
  readonly timing: RaftTiming;
  readonly snapshotThreshold: number;
  readonly trailingLogs: number;
  readonly snapCount: number;
}

export interface MemberConfigInput {
  readonly home: string;
  /** Below home. */
  readonly dbPath: string;
  readonly blockTimeMs: number;
  readonly da: { readonly address: string; readonly namespace: string; readonly authToken?: string };
  readonly rpcPort: number;
  readonly p2p: {
    readonly port: number;
    /** The other members, never this one. */
    readonly peers: readonly PeerAddress[];
    /** Multiaddrs of sources outside the cluster. */
    readonly extraPeers: readonly string[];
  };
  readonly metricsPort: number;
  readonly log: { readonly level: "debug" | "info" | "warn" | "error"; readonly format: "json" | "text" };
  readonly signerPath: string;
  /** Signs in place of the file at `signerPath`. */
  readonly kms?: KmsKey;
  readonly raft: RaftInput;
  /** The only member of its cluster: it runs without Raft. */
  readonly isSingle?: boolean;
  readonly optional?: OptionalKeys;
}

type OptionalSection = "log" | "rpc" | "p2p" | "instrumentation" | "da" | "node";

/** Keys for which ev-node has a default that suits most chains: written only when somebody asks for them. */
export type OptionalKeys = { readonly [Section in OptionalSection]: Partial<MemberConfig[Section]> } & {
  readonly pruning: MemberConfig["pruning"];
};

/** A key in a key management service. */
export type KmsKey = Extract<MemberConfig["signer"], { signer_type: "kms" }>["kms"];

/** evnode.yaml as it is written: its own keys, durations as text. */
export type MemberConfig = z.infer<typeof memberConfigSchema>;

// ev-node's default.
const readinessWindowSeconds = 15;

/** The text of one member's evnode.yaml, proven to read back as what was asked for. */
export function renderConfig(input: MemberConfigInput): string {
  const problems = contradictions(input);
  if (problems.length > 0)
    throw new Error(`cannot render the config of ${input.raft.nodeId}: ${problems.join("; ")}`);

  const intended = memberConfig(input);
  const rendered = asYaml(intended);
  // ev-node ignores malformed YAML and unknown keys in silence, so nothing is handed out that was not read again.
  const readBack = parseConfig(rendered);
  if (readBack.kind === "malformed") {
    throw new Error(`cannot render the config of ${input.raft.nodeId}: ${readBack.problem}`);
  }
  const difference = describeDifference(intended, readBack.value);
  if (difference !== undefined) throw new Error(`a config does not read back as intended: ${difference}`);
  return rendered;
}

/**
 * The same member as a full node: without Raft and without producing, so that it takes part in no election, makes no
 * block, and gets those that it lacks from the others. Its own format, as ev-node reads it.
 */
export function renderFullNodeConfig(config: MemberConfig): string {
  // Without pruning: whoever levels may need each block that the others still have.
  const { db_path, log, rpc, p2p, instrumentation, signer, da, node } = config;
  const shared = { db_path, log, rpc, p2p, instrumentation, signer, da };
  return asYaml({ ...shared, node: { ...node, aggregator: false } });
}

/**
 * A full node that gets no block from anywhere and gives none away, from the text of one that does: no peer, nothing
 * that a peer could reach, and a DA layer where nobody is.
 */
export function renderAlone(fullNode: string): string {
  const reading = parseYaml(fullNode);
  const config = reading.kind === "parsed" ? reading.value : undefined;
  if (!isSection(config) || !isSection(config["p2p"]) || !isSection(config["da"]))
    throw new Error("the config of a full node cannot be read");
  const p2p = { ...config["p2p"], listen_address: "/ip4/127.0.0.1/tcp/0", peers: "" };
  const { auth_token: _, ...da } = config["da"];
  return asYaml({ ...config, p2p, da: { ...da, address: "http://127.0.0.1:1" } });
}

function asYaml(config: object): string {
  return stringify(config, { defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN", lineWidth: 0 });
}

export function parseConfig(text: string): Parsed<MemberConfig> {
  const reading = parseYaml(text);
  return reading.kind === "malformed" ? reading : check(memberConfigSchema, reading.value, "evnode.yaml");
}

/**
 * Whether a member runs in Raft with this text, or as a full node, whatever else it says; undefined when that is not
 * certain. `node.aggregator` is written last, so a text that was cut off says neither.
 */
export function runsInRaft(text: string): boolean | undefined {
  const reading = parseYaml(text);
  if (reading.kind === "malformed" || !isSection(reading.value)) return undefined;
  const { raft, node } = reading.value;
  const isAggregator = isSection(node) ? node["aggregator"] : undefined;
  if (isSection(raft) && raft["enable"] === true && isAggregator === true) return true;
  return raft === undefined && isAggregator === false ? false : undefined;
}

/** Whether the one config names a P2P peer that the other does not, however its member runs with it. */
export function hasMorePeers(before: string, after: string): boolean {
  const known = new Set(peersIn(before));
  return peersIn(after).some((peer) => !known.has(peer));
}

function peersIn(text: string): readonly string[] {
  const reading = parseYaml(text);
  const p2p = reading.kind === "parsed" && isSection(reading.value) ? reading.value["p2p"] : undefined;
  const peers = isSection(p2p) ? p2p["peers"] : undefined;
  return typeof peers === "string" && peers !== "" ? peers.split(",") : [];
}

function parseYaml(text: string): Parsed<unknown> {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: "1.2",
    schema: "core",
    prettyErrors: false,
    lineCounter: lines,
  });
  const fault = document.errors[0] ?? document.warnings[0];
  // The parser's own message may quote the text, which may hold a token.
  if (fault !== undefined)
    return malformed(`evnode.yaml: ${fault.code} in line ${lines.linePos(fault.pos[0]).line}`);
  return parsed(document.toJS());
}

export function memberConfig(input: MemberConfigInput): MemberConfig {
  const { raft, da, p2p, optional } = input;
  return {
    raft: raftSection(raft, input.isSingle === true),
    db_path: input.dbPath,
    log: { level: input.log.level, format: input.log.format, ...optional?.log },
    rpc: { address: `0.0.0.0:${input.rpcPort}`, ...optional?.rpc },
    p2p: {
      listen_address: `/ip4/0.0.0.0/tcp/${p2p.port}`,
      peers: [...p2p.peers.map(peerMultiaddr), ...p2p.extraPeers].join(","),
      ...optional?.p2p,
    },
    instrumentation: {
      prometheus: true,
      prometheus_listen_addr: `:${input.metricsPort}`,
      ...optional?.instrumentation,
    },
    signer:
      input.kms === undefined
        ? { signer_type: "file", signer_path: input.signerPath }
        : { signer_type: "kms", signer_path: input.signerPath, kms: input.kms },
    da: {
      address: da.address,
      namespace: da.namespace,
      ...(da.authToken === undefined ? {} : { auth_token: da.authToken }),
      ...optional?.da,
    },
    ...(optional?.pruning === undefined ? {} : { pruning: optional.pruning }),
    node: {
      block_time: formatDurationMs(input.blockTimeMs),
      lazy_mode: false,
      readiness_window_seconds: readinessWindowSeconds,
      ...optional?.node,
      aggregator: true,
    },
  };
}

function raftSection(raft: RaftInput, isSingle: boolean): MemberConfig["raft"] {
  const identity = {
    node_id: raft.nodeId,
    raft_addr: raft.address,
    raft_dir: raft.dir,
    peers: RAFT_PEERS_SENTINEL,
  } as const;
  if (isSingle) return { enable: false, ...identity };
  return {
    enable: true,
    ...identity,
    heartbeat_timeout: formatDurationMs(raft.timing.heartbeatTimeoutMs),
    election_timeout: formatDurationMs(raft.timing.electionTimeoutMs),
    leader_lease_timeout: formatDurationMs(raft.timing.leaderLeaseTimeoutMs),
    send_timeout: formatDurationMs(raft.timing.sendTimeoutMs),
    snapshot_threshold: raft.snapshotThreshold,
    trailing_logs: raft.trailingLogs,
    snap_count: raft.snapCount,
  };
}

export function peerMultiaddr({ host, port, peerId }: PeerAddress): string {
  const version = isIP(host);
  return `/${version === 0 ? "dns4" : `ip${version}`}/${host}/tcp/${port}/p2p/${peerId}`;
}

// Block store and raft state are one state: on two volumes one of them could be lost or restored alone.
function contradictions({ home, dbPath, raft }: MemberConfigInput): readonly string[] {
  const problems = [...checkTiming(raft.timing)];
  if (!raft.dir.startsWith(`${home}/`))
    problems.push(`the raft directory ${raft.dir} must be below the home ${home}`);
  if (dbPath.startsWith("/")) problems.push(`the block store ${dbPath} must be a path below the home`);
  return problems;
}

// Addresses of DA services often carry an access key.
const secretPaths: ReadonlySet<string> = new Set(["da.address", "da.auth_token"]);

/** The first key in which two configs differ, in words and without secret values; undefined when they are equal. */
export function describeDifference(expected: MemberConfig, actual: MemberConfig): string | undefined {
  return differenceAt("", expected, actual);
}

function differenceAt(path: string, expected: unknown, actual: unknown): string | undefined {
  if (!isSection(expected) || !isSection(actual)) {
    return expected === actual ? undefined : inWords(path, expected, actual);
  }

  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const difference = differenceAt(path === "" ? key : `${path}.${key}`, expected[key], actual[key]);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function inWords(path: string, expected: unknown, actual: unknown): string {
  if (secretPaths.has(path)) return `${path} is not the expected one`;
  return `${path}: expected ${shown(expected)}, found ${shown(actual)}`;
}

function shown(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
