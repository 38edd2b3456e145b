import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { parseNodeKey } from "../../src/evnode/keys.ts";
import { defaultTiming, type RaftTiming } from "../../src/evnode/raft-timing.ts";
import { command } from "./command.ts";
import { testnodeImages } from "./image-names.ts";

/**
 * What a careful team writes by hand instead of using the operator: a StatefulSet, a headless Service and a
 * Secret. Measurements compare the operator with it, so it is as good as such manifests get, and no better.
 */
export interface YardstickOptions {
  readonly namespace: string;
  readonly name?: string;
  readonly replicas?: number;
  readonly image?: string;
  readonly blockTime?: string;
  readonly timing?: RaftTiming;
  readonly updateStrategy?: "RollingUpdate" | "OnDelete";
  readonly daAddress?: string;
  readonly storage?: string;
  /** More environment for ev-node, such as LIBP2P_TCP_REUSEPORT. */
  readonly env?: Readonly<Record<string, string>>;
}

type CompleteOptions = Required<YardstickOptions>;

/** Keys and genesis of one chain, as `init` of the node writes them. */
export interface ChainMaterial {
  readonly genesis: string;
  readonly signer: string;
  readonly passphrase: string;
  /** node_key.json by ordinal. */
  readonly nodeKeys: readonly string[];
}

const yardstickPorts = { raft: 5001, p2p: 7676, rpc: 7331, metrics: 26660, kv: 8080 } as const;

const HOME = "/home/ev";
const USER = 65532;

export async function makeChainMaterial(
  testnode: string,
  replicas: number,
  chainId: string,
): Promise<ChainMaterial> {
  const scratch = await mkdtemp(join(tmpdir(), "yardstick-"));
  try {
    const passphrase = "a passphrase for tests";
    const passphraseFile = join(scratch, "passphrase");
    await writeFile(passphraseFile, passphrase, { mode: 0o600 });
    const homes = Array.from({ length: replicas }, (_, ordinal) => join(scratch, `member-${ordinal}`));
    for (const home of homes) {
      // Every home gets a signer and a genesis of its own; all but the first are thrown away.
      const aggregator = ["--evnode.node.aggregator", `--evnode.signer.passphrase_file=${passphraseFile}`];
      await command(testnode, ["init", "--home", home, "--chain_id", chainId, ...aggregator]);
    }
    const read = async (home: string, file: string) => readFile(join(home, "config", file), "utf8");
    const first = homes[0];
    if (first === undefined) throw new Error(`a chain has at least 1 member, not ${replicas}`);
    return {
      genesis: await read(first, "genesis.json"),
      signer: await read(first, "signer.json"),
      passphrase,
      nodeKeys: await Promise.all(homes.map(async (home) => read(home, "node_key.json"))),
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Secret, headless Service and StatefulSet, to be applied in this order. */
export function renderYardstick(options: YardstickOptions, material: ChainMaterial): readonly object[] {
  const complete: CompleteOptions = {
    name: "yardstick",
    replicas: material.nodeKeys.length,
    image: testnodeImages[0],
    blockTime: "200ms",
    timing: defaultTiming,
    updateStrategy: "RollingUpdate",
    daAddress: "http://local-da:7980",
    storage: "1Gi",
    env: {},
    ...options,
  };
  return [secret(complete, material), headlessService(complete), statefulSet(complete)];
}

function metadata({ name, namespace }: CompleteOptions): object {
  return { name, namespace, labels: { app: name } };
}

const memberName = ({ name }: CompleteOptions, ordinal: number): string => `${name}-${ordinal}`;

function hostName(options: CompleteOptions, ordinal: number): string {
  return `${memberName(options, ordinal)}.${options.name}.${options.namespace}.svc.cluster.local`;
}

function secret(options: CompleteOptions, material: ChainMaterial): object {
  const files: Record<string, string> = {
    "genesis.json": material.genesis,
    "signer.json": material.signer,
    passphrase: material.passphrase,
  };
  for (let ordinal = 0; ordinal < options.replicas; ordinal += 1) {
    const member = memberName(options, ordinal);
    files[`${member}.yaml`] = stringify(nodeConfig(options, material, ordinal));
    files[`${member}.node_key.json`] = material.nodeKeys[ordinal] ?? "";
  }
  return { apiVersion: "v1", kind: "Secret", metadata: metadata(options), stringData: files };
}

function nodeConfig(options: CompleteOptions, material: ChainMaterial, ordinal: number): object {
  const { raft, p2p, rpc, metrics } = yardstickPorts;
  const ordinals = Array.from({ length: options.replicas }, (_, index) => index);
  const { heartbeatTimeoutMs, electionTimeoutMs, leaderLeaseTimeoutMs, sendTimeoutMs } = options.timing;
  const peers = ordinals
    .filter((other) => other !== ordinal)
    .map((other) => `/dns4/${hostName(options, other)}/tcp/${p2p}/p2p/${peerId(material, other)}`);
  return {
    db_path: "data",
    node: { aggregator: true, block_time: options.blockTime },
    da: { address: options.daAddress, namespace: options.name },
    rpc: { address: `0.0.0.0:${rpc}` },
    p2p: { listen_address: `/ip4/0.0.0.0/tcp/${p2p}`, peers: peers.join(",") },
    signer: { signer_type: "file", signer_path: `${HOME}/config` },
    instrumentation: { prometheus: true, prometheus_listen_addr: `:${metrics}` },
    log: { level: "info", format: "json" },
    raft: {
      enable: options.replicas > 1,
      node_id: memberName(options, ordinal),
      raft_addr: `${hostName(options, ordinal)}:${raft}`,
      raft_dir: `${HOME}/raft`,
      peers: ordinals
        .map((other) => `${memberName(options, other)}@${hostName(options, other)}:${raft}`)
        .join(","),
      heartbeat_timeout: `${heartbeatTimeoutMs}ms`,
      election_timeout: `${electionTimeoutMs}ms`,
      leader_lease_timeout: `${leaderLeaseTimeoutMs}ms`,
      send_timeout: `${sendTimeoutMs}ms`,
      snapshot_threshold: 5000,
      trailing_logs: 18_000,
      snap_count: 3,
    },
  };
}

function peerId(material: ChainMaterial, ordinal: number): string {
  const key = parseNodeKey(material.nodeKeys[ordinal] ?? "");
  if (key.kind === "malformed") throw new Error(`node key of member ${ordinal}: ${key.problem}`);
  return key.value.peerId;
}

function headlessService(options: CompleteOptions): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadata(options),
    spec: {
      clusterIP: "None",
      // Members have to find each other before any of them is ready.
      publishNotReadyAddresses: true,
      selector: { app: options.name },
      ports: Object.entries(yardstickPorts).map(([name, port]) => ({ name, port })),
    },
  };
}

function statefulSet(options: CompleteOptions): object {
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: metadata(options),
    spec: {
      serviceName: options.name,
      replicas: options.replicas,
      // The first member waits for a quorum, so the others may not wait for it.
      podManagementPolicy: "Parallel",
      updateStrategy: { type: options.updateStrategy },
      selector: { matchLabels: { app: options.name } },
      template: { metadata: { labels: { app: options.name } }, spec: podSpec(options) },
      volumeClaimTemplates: [
        {
          metadata: { name: "data" },
          spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: options.storage } } },
        },
      ],
    },
  };
}

function podSpec(options: CompleteOptions): object {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 30,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      fsGroup: USER,
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [container(options)],
    volumes: [{ name: "config", secret: { secretName: options.name } }],
  };
}

function container(options: CompleteOptions): object {
  const { raft, rpc, kv } = yardstickPorts;
  const file = (name: string, subPathExpr = name) => ({
    name: "config",
    mountPath: `${HOME}/config/${name}`,
    subPathExpr,
    readOnly: true,
  });
  return {
    name: "evnode",
    image: options.image,
    imagePullPolicy: "IfNotPresent",
    args: [
      "start",
      `--home=${HOME}`,
      `--evnode.signer.passphrase_file=${HOME}/config/passphrase`,
      `--kv-endpoint=:${kv}`,
    ],
    env: [
      { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      ...Object.entries(options.env).map(([name, value]) => ({ name, value })),
    ],
    ports: Object.entries(yardstickPorts).map(([name, containerPort]) => ({ name, containerPort })),
    readinessProbe: {
      httpGet: { path: "/health/ready", port: rpc },
      timeoutSeconds: 5,
      periodSeconds: 2,
    },
    livenessProbe: { tcpSocket: { port: raft }, initialDelaySeconds: 10 },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: [
      { name: "data", mountPath: HOME },
      file("genesis.json"),
      file("signer.json"),
      file("passphrase"),
      file("evnode.yaml", "$(POD_NAME).yaml"),
      file("node_key.json", "$(POD_NAME).node_key.json"),
    ],
  };
}
