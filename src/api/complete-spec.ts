import type { Spec } from "./evnodecluster.ts";

type Given<K extends keyof Spec> = NonNullable<Spec[K]>;

/**
 * A spec in which every field that has a default is present, and durations are numbers. What is left to ev-node's own
 * default unless it is given stands as it was given, as only ev-node reads it.
 */
export interface CompleteSpec {
  readonly defaultsVersion: number;
  readonly replicas: number;
  readonly image: string;
  readonly imagePullPolicy: Given<"imagePullPolicy">;
  readonly imagePullSecrets: Given<"imagePullSecrets">;
  readonly app: CompleteApp;
  /** Present for an app of kind `evm`, and for no other. */
  readonly execution?: CompleteExecution;
  readonly chain: CompleteChain;
  readonly signer: Signer;
  readonly da: CompleteDa;
  readonly raft: CompleteRaft;
  readonly p2p: CompleteP2p;
  readonly rpc: Rpc & { readonly port: number };
  readonly metrics: Metrics & { readonly port: number };
  readonly log: Log & { readonly level: LogLevel; readonly format: LogFormat };
  readonly storage: CompleteStorage;
  readonly readiness: { readonly maxBlocksBehind: number };
  readonly networkPolicy: { readonly enabled: boolean };
  readonly disruptionBudget: { readonly enabled: boolean };
  readonly topology: { readonly spread: "Preferred" | "Required" };
  readonly pod: CompletePod;
  readonly tracing: Spec["tracing"];
  readonly pprof: Spec["pprof"];
  readonly pruning: Spec["pruning"];
}

type Rpc = Given<"rpc">;
type Metrics = Given<"metrics">;
type Log = Given<"log">;

type LogLevel = NonNullable<Given<"log">["level"]>;
type LogFormat = NonNullable<Given<"log">["format"]>;

export type CompleteApp = {
  readonly extraArgs: readonly string[];
  readonly extraEnv: readonly EnvVariable[];
} & (
  | { readonly kind: "testapp" | "evm" }
  | { readonly kind: "custom"; readonly command: readonly string[]; readonly ports: readonly AppPort[] }
);

/** The execution client beside each ev-node. */
export interface CompleteExecution {
  readonly image: string;
  readonly genesisConfigMap: KeyReference;
  readonly genesisHash: string;
  readonly feeRecipient: string;
  readonly storage: CompleteStorage;
  readonly resources: Resources;
  readonly extraArgs: readonly string[];
}

export interface CompleteStorage {
  readonly size: string;
  readonly storageClassName: string | undefined;
}

export interface Resources {
  readonly requests: Amounts;
  readonly limits: Amounts;
}

interface AppPort {
  readonly name: string;
  readonly port: number;
}

interface EnvVariable {
  readonly name: string;
  readonly value: string;
}

export interface KeyReference {
  readonly name: string;
  readonly key: string;
}

export interface CompleteChain extends Pick<Chain, "scrapeInterval" | "maxPendingBlocks"> {
  readonly id: string;
  readonly blockTimeMs: number;
  /** Absent when a block is made every `blockTimeMs`. */
  readonly lazy: { readonly intervalMs: number } | undefined;
  readonly genesis: Genesis;
}

export type Genesis =
  | { readonly from: "Generated" }
  | { readonly from: "ConfigMap" | "Secret"; readonly reference: KeyReference };

type Signer =
  | { readonly from: "Generated" }
  | { readonly from: "Secret"; readonly name: string }
  | ({ readonly from: "AwsKms" } & NonNullable<Given<"signer">["awsKms"]>)
  | ({ readonly from: "GcpKms" } & NonNullable<Given<"signer">["gcpKms"]>);

type Chain = Spec["chain"];

interface CompleteDa extends Omit<Spec["da"], "namespace" | "authTokenSecret"> {
  readonly namespace: string;
  readonly authTokenSecret: KeyReference | undefined;
}

interface CompleteP2p extends Omit<Given<"p2p">, "port" | "extraPeers"> {
  readonly port: number;
  readonly extraPeers: readonly string[];
}

export interface CompleteRaft {
  readonly port: number;
  readonly timing: RaftTiming;
  readonly snapshotThreshold: number;
  readonly trailingLogs: number;
  readonly snapshotsKept: number;
  /** What `trailingLogs` was computed from; absent when it was given, or is the default. */
  readonly absenceCoveredMs: number | undefined;
  /** Absent for `Level`, the default since before there was a choice. */
  readonly afterOutage: "Start" | undefined;
}

/** `RttMax` leaves the four time-outs to the formulas of ev-node's documentation. */
export type RaftTiming =
  | ({ readonly source: "Default" | "Spec" } & RaftTimeouts)
  | { readonly source: "RttMax"; readonly rttMaxMs: number };

export interface RaftTimeouts {
  readonly heartbeatTimeoutMs: number;
  readonly electionTimeoutMs: number;
  readonly leaderLeaseTimeoutMs: number;
  readonly sendTimeoutMs: number;
}

export interface CompletePod {
  readonly resources: Resources;
  readonly nodeSelector: Entries;
  readonly tolerations: NonNullable<Given<"pod">["tolerations"]>;
  readonly affinity: Readonly<Record<string, unknown>> | undefined;
  readonly priorityClassName: string | undefined;
  readonly labels: Entries;
  readonly annotations: Entries;
  readonly terminationGracePeriodSeconds: number;
  readonly serviceAccountAnnotations: Entries;
}

export type Amounts = Readonly<Record<string, string | number>>;
type Entries = Readonly<Record<string, string>>;
