import { parseDuration } from "../model/duration.ts";
import type {
  CompleteApp,
  CompleteChain,
  CompleteExecution,
  CompletePod,
  CompleteRaft,
  CompleteSpec,
  Genesis,
  RaftTimeouts,
  RaftTiming,
} from "./complete-spec.ts";
import type { Spec } from "./evnodecluster.ts";
import { fixed } from "./fixed.ts";
import { trailingLogsFor } from "./log-retention.ts";

export type { CompleteSpec } from "./complete-spec.ts";

/**
 * What an absent field means, written as a user would write it. A version never changes once it was released: a
 * cluster keeps the version it was created with, so that a new operator does not change a running cluster.
 */
export const defaultsV1 = {
  replicas: fixed.replicas,
  imagePullPolicy: "IfNotPresent",
  app: { kind: "testapp" },
  chain: { blockTime: "1s" },
  raft: {
    port: fixed.raftPort,
    // Longer than ev-node's own (350 ms, 1 s, 175 ms, 200 ms): a leader ends its process when it gets no processor
    // for the time of its lease, and on a busy node that happens all the time. See docs/measurements.md.
    timing: {
      heartbeatTimeout: "1s",
      electionTimeout: "2s",
      leaderLeaseTimeout: "1s",
      sendTimeout: "500ms",
    },
    // As in ev-node's guide: at three entries a block the log reaches 6,000 blocks back.
    snapshotThreshold: 5_000,
    trailingLogs: 18_000,
    snapshotsKept: 3,
  },
  p2p: { port: fixed.p2pPort },
  rpc: { port: fixed.rpcPort },
  metrics: { port: fixed.metricsPort },
  log: { level: "info", format: "json" },
  readiness: { maxBlocksBehind: 30 },
  rollout: {
    mode: "Auto",
    maxBlocksBehind: 15,
    minReadySeconds: 1,
    progressDeadlineSeconds: 300,
    onStall: "Revert",
    rehearsal: { enabled: true },
  },
  repair: { mode: "Auto", maxPerHour: 3 },
  membership: { stopWithinSeconds: 120 },
  networkPolicy: { enabled: true },
  disruptionBudget: { enabled: true },
  topology: { spread: "Preferred" },
  pod: { terminationGracePeriodSeconds: 45 },
} as const;

type Defaults = typeof defaultsV1;

const versions: ReadonlyMap<number, Defaults> = new Map([[1, defaultsV1]]);

/** The version that new clusters get. */
export const CURRENT_DEFAULTS_VERSION = 1;

export function isKnownDefaultsVersion(version: number): boolean {
  return versions.has(version);
}

/** Completes a spec that has passed `parseCluster`. */
export function completeSpec(spec: Spec, defaultsVersion: number): CompleteSpec {
  const defaults = versions.get(defaultsVersion);
  if (defaults === undefined) throw new Error(`There is no version ${defaultsVersion} of the defaults.`);
  return {
    defaultsVersion,
    replicas: spec.replicas ?? defaults.replicas,
    image: spec.image,
    imagePullPolicy: spec.imagePullPolicy ?? defaults.imagePullPolicy,
    imagePullSecrets: spec.imagePullSecrets ?? [],
    app: completeApp(spec, defaults),
    ...(spec.execution === undefined ? {} : { execution: completeExecution(spec.execution) }),
    chain: completeChain(spec, defaults),
    signer: completeSigner(spec.signer),
    da: {
      address: spec.da.address,
      namespace: spec.da.namespace ?? spec.chain.id,
      authTokenSecret: spec.da.authTokenSecret,
      ...rest(spec.da, "address", "namespace", "authTokenSecret"),
    },
    raft: completeRaft(spec, defaults),
    p2p: {
      port: spec.p2p?.port ?? defaults.p2p.port,
      extraPeers: spec.p2p?.extraPeers ?? [],
      ...rest(spec.p2p, "port", "extraPeers"),
    },
    rpc: { port: spec.rpc?.port ?? defaults.rpc.port, ...rest(spec.rpc, "port") },
    metrics: { port: spec.metrics?.port ?? defaults.metrics.port, ...rest(spec.metrics, "port") },
    log: {
      level: spec.log?.level ?? defaults.log.level,
      format: spec.log?.format ?? defaults.log.format,
      ...rest(spec.log, "level", "format"),
    },
    storage: { size: spec.storage.size, storageClassName: spec.storage.storageClassName },
    readiness: {
      maxBlocksBehind: spec.readiness?.maxBlocksBehind ?? defaults.readiness.maxBlocksBehind,
    },
    networkPolicy: { enabled: spec.networkPolicy?.enabled ?? defaults.networkPolicy.enabled },
    disruptionBudget: { enabled: spec.disruptionBudget?.enabled ?? defaults.disruptionBudget.enabled },
    topology: { spread: spec.topology?.spread ?? defaults.topology.spread },
    pod: completePod(spec, defaults),
    tracing: spec.tracing,
    pprof: spec.pprof,
    pruning: spec.pruning,
  };
}

/** The fields for which there is no default here, in the order of the schema. */
function rest<T extends object, K extends keyof T>(
  fields: T | undefined,
  ...names: K[]
): Partial<Omit<T, K>> {
  const known: readonly string[] = names.map(String);
  const others = Object.entries(fields ?? {}).filter(([name]) => !known.includes(name));
  return Object.fromEntries(others) as Partial<Omit<T, K>>;
}

function completeApp({ app }: Spec, defaults: Defaults): CompleteApp {
  const extraArgs = app?.extraArgs ?? [];
  const extraEnv = (app?.extraEnv ?? []).map(({ name, value }) => ({ name, value: value ?? "" }));
  const kind = app?.kind ?? defaults.app.kind;
  if (kind !== "custom") return { kind, extraArgs, extraEnv };
  if (app?.command === undefined) throw new Error("A custom app passed the schema without a command.");
  return { kind: "custom", command: app.command, ports: app.ports ?? [], extraArgs, extraEnv };
}

function completeExecution(execution: NonNullable<Spec["execution"]>): CompleteExecution {
  const { storage, resources, extraArgs = [], ...given } = execution;
  return {
    ...given,
    storage: { size: storage.size, storageClassName: storage.storageClassName },
    resources: { requests: resources?.requests ?? {}, limits: resources?.limits ?? {} },
    extraArgs,
  };
}

function completeChain({ chain }: Spec, defaults: Defaults): CompleteChain {
  return {
    id: chain.id,
    blockTimeMs: durationMs(chain.blockTime ?? defaults.chain.blockTime),
    genesis: completeGenesis(chain.genesis),
    lazy: chain.lazy && { intervalMs: durationMs(chain.lazy.interval) },
    ...rest(chain, "id", "blockTime", "genesis", "lazy"),
  };
}

function completeSigner({ secretName, awsKms, gcpKms }: Spec["signer"] = {}): CompleteSpec["signer"] {
  if (awsKms !== undefined) return { from: "AwsKms", ...awsKms };
  if (gcpKms !== undefined) return { from: "GcpKms", ...gcpKms };
  return secretName === undefined ? { from: "Generated" } : { from: "Secret", name: secretName };
}

function completeGenesis(genesis: Spec["chain"]["genesis"]): Genesis {
  if (genesis?.configMap !== undefined) return { from: "ConfigMap", reference: genesis.configMap };
  if (genesis?.secret !== undefined) return { from: "Secret", reference: genesis.secret };
  return { from: "Generated" };
}

function completeRaft({ raft, chain }: Spec, defaults: Defaults): CompleteRaft {
  const absenceCoveredMs = raft?.absenceCovered === undefined ? undefined : durationMs(raft.absenceCovered);
  const computed =
    absenceCoveredMs === undefined
      ? undefined
      : trailingLogsFor(absenceCoveredMs, durationMs(chain.blockTime ?? defaults.chain.blockTime));
  return {
    port: raft?.port ?? defaults.raft.port,
    timing: completeTiming(raft, defaults),
    snapshotThreshold: raft?.snapshotThreshold ?? defaults.raft.snapshotThreshold,
    trailingLogs: raft?.trailingLogs ?? computed ?? defaults.raft.trailingLogs,
    snapshotsKept: raft?.snapshotsKept ?? defaults.raft.snapshotsKept,
    absenceCoveredMs,
    afterOutage: raft?.afterOutage === "Start" ? "Start" : undefined,
  };
}

function completeTiming(raft: Spec["raft"], defaults: Defaults): RaftTiming {
  if (raft?.rttMax !== undefined) return { source: "RttMax", rttMaxMs: durationMs(raft.rttMax) };
  if (raft?.timing !== undefined) return { source: "Spec", ...timeouts(raft.timing) };
  return { source: "Default", ...timeouts(defaults.raft.timing) };
}

function timeouts(timing: NonNullable<NonNullable<Spec["raft"]>["timing"]>): RaftTimeouts {
  return {
    heartbeatTimeoutMs: durationMs(timing.heartbeatTimeout),
    electionTimeoutMs: durationMs(timing.electionTimeout),
    leaderLeaseTimeoutMs: durationMs(timing.leaderLeaseTimeout),
    sendTimeoutMs: durationMs(timing.sendTimeout),
  };
}

function completePod({ pod }: Spec, defaults: Defaults): CompletePod {
  return {
    resources: { requests: pod?.resources?.requests ?? {}, limits: pod?.resources?.limits ?? {} },
    nodeSelector: pod?.nodeSelector ?? {},
    tolerations: pod?.tolerations ?? [],
    affinity: pod?.affinity,
    priorityClassName: pod?.priorityClassName,
    labels: pod?.labels ?? {},
    annotations: pod?.annotations ?? {},
    terminationGracePeriodSeconds:
      pod?.terminationGracePeriodSeconds ?? defaults.pod.terminationGracePeriodSeconds,
    serviceAccountAnnotations: pod?.serviceAccountAnnotations ?? {},
  };
}

function durationMs(text: string): number {
  const valueMs = parseDuration(text);
  if (valueMs === undefined) throw new Error(`"${text}" passed the schema but is not a duration.`);
  return valueMs;
}
