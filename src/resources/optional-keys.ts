import type { CompleteSpec } from "../api/complete-spec.ts";
import { PPROF_PORT } from "../api/fixed.ts";
import type { OptionalKeys } from "../evnode/config.ts";
import { formatDurationMs } from "../evnode/duration.ts";
import { parseDuration } from "../model/duration.ts";

/**
 * The keys of evnode.yaml for which ev-node has a default of its own: what is undefined is not written. From which
 * field each comes is told in `api/evnode-keys.ts`, and tests hold the two against each other.
 */
export function optionalKeys(spec: CompleteSpec, ownPeerIds: readonly string[]): OptionalKeys {
  const { log, rpc, pruning } = spec;
  return {
    log: { trace: log.trace },
    rpc: { enable_da_visualization: rpc.daVisualization?.enabled },
    p2p: p2pKeys(spec, ownPeerIds),
    instrumentation: instrumentationKeys(spec),
    da: daKeys(spec),
    pruning: pruning && {
      pruning_mode: pruning.mode,
      pruning_keep_recent: pruning.keepRecent,
      pruning_interval: pruning.interval,
    },
    node: nodeKeys(spec),
  };
}

/** ev-node looks at the two lists only when the gater is on, which it is not by default. */
function p2pKeys({ p2p }: CompleteSpec, ownPeerIds: readonly string[]): OptionalKeys["p2p"] {
  const { blockedPeers, allowedPeers, connectionGater } = p2p;
  const blocked = blockedPeers?.filter((id) => !ownPeerIds.includes(id)) ?? [];
  const isOn = connectionGater?.enabled ?? ((blockedPeers ?? allowedPeers) !== undefined ? true : undefined);
  return {
    blocked_peers: blocked.length === 0 ? undefined : blocked.map(asMultiaddr).join(","),
    allowed_peers: allowedPeers?.map(asMultiaddr).join(","),
    disable_connection_gater: isOn === undefined ? undefined : !isOn,
  };
}

/** ev-node's help calls them peer ids, but what is no multiaddr is dropped with a line in the log. */
const asMultiaddr = (peerId: string) => `/p2p/${peerId}`;

function instrumentationKeys({ metrics, tracing, pprof }: CompleteSpec): OptionalKeys["instrumentation"] {
  return {
    max_open_connections: metrics.maxConnections,
    namespace: metrics.namespace,
    ...(pprof?.enabled === true
      ? { pprof: true as const, pprof_listen_addr: `127.0.0.1:${PPROF_PORT}` }
      : {}),
    ...(tracing && {
      tracing: true as const,
      tracing_endpoint: tracing.endpoint,
      tracing_service_name: tracing.serviceName,
      tracing_sample_rate: tracing.sampleRate,
    }),
  };
}

function daKeys({ da }: CompleteSpec): OptionalKeys["da"] {
  return {
    data_namespace: da.dataNamespace,
    forced_inclusion_namespace: da.forcedInclusionNamespace,
    submit_options: da.submitOptions,
    signing_addresses: da.signingAddresses,
    block_time: da.blockTime,
    request_timeout: da.requestTimeout,
    mempool_ttl: da.mempoolTTL,
    max_submit_attempts: da.maxSubmitAttempts,
    batching_strategy: da.batching?.strategy,
    batch_size_threshold: da.batching?.sizeThreshold,
    batch_max_delay: da.batching?.maxDelay,
    batch_min_items: da.batching?.minItems,
  };
}

function nodeKeys({ chain, rpc }: CompleteSpec): OptionalKeys["node"] {
  const { lazy, maxPendingBlocks, scrapeInterval } = chain;
  return {
    ...(lazy && { lazy_mode: true, lazy_block_interval: formatDurationMs(lazy.intervalMs) }),
    max_pending_headers_and_data: maxPendingBlocks,
    scrape_interval: scrapeInterval,
    ...readinessWindow(rpc.health?.window, lazy?.intervalMs),
    readiness_max_blocks_behind: rpc.health?.maxBlocksBehind,
  };
}

const LAZY_INTERVALS = 2;
const LEAST_WINDOW_SECONDS = 15;

/** ev-node itself widens the window in lazy mode, but for the leader alone. */
function readinessWindow(given: string | undefined, lazyMs: number | undefined): OptionalKeys["node"] {
  const givenMs = parseDuration(given ?? "");
  if (givenMs !== undefined) return { readiness_window_seconds: inSeconds(givenMs) };
  if (lazyMs === undefined) return {};
  return {
    readiness_window_seconds: Math.max(LEAST_WINDOW_SECONDS, inSeconds(LAZY_INTERVALS * lazyMs)),
  };
}

const inSeconds = (ms: number) => Math.ceil(ms / 1_000);
