import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import type { AgentPaths, Settings } from "../../src/agent/settings.ts";
import { type MemberConfigInput, renderConfig } from "../../src/evnode/config.ts";
import { renderGenesis } from "../../src/evnode/genesis.ts";
import { parseNodeKey, proposerAddressOf, publicKeyOf, renderNodeKey } from "../../src/evnode/keys.ts";
import { defaultTiming } from "../../src/evnode/raft-timing.ts";
import { sealSigner } from "../../src/evnode/signer.ts";
import type { Order, Voter } from "../../src/model/agent-protocol.ts";
import { annotations } from "../../src/model/annotations.ts";
import { configRevision } from "../../src/model/config-revision.ts";
import { configEntry } from "../../src/model/names.ts";

/** What the agent finds in its pod, as folders below a temporary one. The member is `chain-0`. */
export interface Pod {
  readonly root: string;
  readonly paths: AgentPaths;
  readonly settings: Settings;
  readonly revision: string;
  readonly configs: ReadonlyMap<string, string>;
  setAnnotations(values: Readonly<Record<string, string>>): Promise<void>;
  /** Puts a revision of the config into the Secret, beside those that are there, and names it. */
  addConfigs(change: (input: MemberConfigInput) => MemberConfigInput): Promise<string>;
  setOrder(order: Order | undefined): Promise<void>;
  setIdentity(entries: Readonly<Record<string, string | undefined>>): Promise<void>;
  remove(): Promise<void>;
}

export const MEMBERS = ["chain-0", "chain-1", "chain-2"] as const;
export const CLUSTER_ID = "0123456789abcdef";
export const CHAIN_ID = "chain-of-tests";
const DOMAIN = "chain.tests.svc.cluster.local";

export const voters: readonly Voter[] = MEMBERS.map((id) => ({ id, address: `${id}.${DOMAIN}:5001` }));
export const hostOf = (member: string) => `${member}.${DOMAIN}`;

export const bootstrapOrder: Extract<Order, { kind: "bootstrap" }> = {
  id: "bootstrap-1",
  kind: "bootstrap",
  epoch: 1,
  voters: [...voters],
};
export const startOrder: Extract<Order, { kind: "start" }> = { id: "start-1", kind: "start", epoch: 1 };
export const rejoinOrder: Extract<Order, { kind: "rejoin" }> = {
  id: "rejoin-1",
  kind: "rejoin",
  epoch: 1,
  voters: [...voters],
};

const seedOf = (number: number) => new Uint8Array(32).fill(number);
// Sealing takes time on purpose: once for all tests of a file.
let sealed: Promise<string> | undefined;

export async function identityEntries(): Promise<Record<string, string>> {
  const salt = new Uint8Array(16).fill(7);
  const nonce = new Uint8Array(12).fill(8);
  sealed ??= sealSigner({ seed: seedOf(100), passphrase: "correct horse", salt, nonce });
  return {
    cluster_id: CLUSTER_ID,
    "genesis.json": genesisOf(proposerAddressOf(publicKeyOf(seedOf(100)))),
    "signer.json": await sealed,
    passphrase: "correct horse",
    ...Object.fromEntries(
      MEMBERS.map((_, ordinal) => [`node_key.${ordinal}.json`, renderNodeKey(seedOf(ordinal + 1))]),
    ),
  };
}

export function genesisOf(proposerAddress: string): string {
  return renderGenesis({
    chainId: CHAIN_ID,
    startTime: "2030-01-01T00:00:00Z",
    initialHeight: 1,
    proposerAddress,
    daStartHeight: 0,
    daEpochForcedInclusion: 50,
  });
}

export interface Ports {
  readonly rpc: number;
  readonly metrics: number;
  readonly raft: number;
  readonly p2p: number;
}

const standardPorts: Ports = { rpc: 7331, metrics: 26660, raft: 5001, p2p: 7676 };

export function configInput(home: string, member: string, ports: Ports = standardPorts): MemberConfigInput {
  return {
    home,
    dbPath: "data",
    blockTimeMs: 1_000,
    da: { address: "http://da.tests:7980", namespace: "tests" },
    rpcPort: ports.rpc,
    p2p: {
      port: ports.p2p,
      peers: MEMBERS.flatMap((peer, ordinal) => {
        const key = parseNodeKey(renderNodeKey(seedOf(ordinal + 1)));
        if (peer === member || key.kind !== "parsed") return [];
        return [{ host: hostOf(peer), port: ports.p2p, peerId: key.value.peerId }];
      }),
      extraPeers: [],
    },
    metricsPort: ports.metrics,
    log: { level: "info", format: "json" },
    signerPath: join(home, "config"),
    raft: {
      nodeId: member,
      address: `${hostOf(member)}:${ports.raft}`,
      dir: join(home, "raft-1"),
      timing: defaultTiming,
      snapshotThreshold: 5_000,
      trailingLogs: 18_000,
      snapCount: 3,
    },
  };
}

/** The only member of its cluster, which runs without Raft. */
export const newSinglePod = (ports: Ports = standardPorts, change: Change = (input) => input): Promise<Pod> =>
  newPod(ports, ["chain-0"], (input) =>
    change({ ...input, isSingle: true, p2p: { ...input.p2p, peers: [] } }),
  );

type Change = (input: MemberConfigInput) => MemberConfigInput;

export async function newPod(
  ports: Ports = standardPorts,
  members: readonly string[] = MEMBERS,
  usual: Change = (input) => input,
): Promise<Pod> {
  const root = await mkdtemp(join(tmpdir(), "evnode-agent-"));
  const paths: AgentPaths = {
    home: join(root, "data"),
    config: join(root, "data", "config"),
    configSecret: join(root, "secrets", "config"),
    identitySecret: join(root, "secrets", "identity"),
    annotations: join(root, "podinfo", "annotations"),
  };
  for (const folder of [paths.config, paths.configSecret, paths.identitySecret, join(root, "podinfo")]) {
    await mkdir(folder, { recursive: true });
  }
  const configsWith = (change: Change) =>
    new Map(
      members.map((member) => {
        return [member, renderConfig(change(usual(configInput(paths.home, member, ports))))];
      }),
    );
  const mount = async (configs: ReadonlyMap<string, string>) => {
    const revision = configRevision(configs);
    for (const [member, text] of configs) {
      await writeFile(join(paths.configSecret, configEntry(member, revision)), text);
    }
    return revision;
  };
  const configs = configsWith((input) => input);
  const revision = await mount(configs);

  const pod: Pod = {
    root,
    paths,
    settings: {
      member: "chain-0",
      ordinal: 0,
      namespace: "tests",
      podUid: "uid-0",
      epoch: 1,
      maxBlocksBehind: 10,
      execution: undefined,
      afterOutage: "Level",
    },
    revision,
    configs,
    async setAnnotations(values) {
      const lines = Object.entries(values).map(([key, value]) => `${key}=${JSON.stringify(value)}\n`);
      // As kubelet does it: a reader never sees a part.
      await writeFile(`${paths.annotations}.new`, lines.join(""));
      await rename(`${paths.annotations}.new`, paths.annotations);
    },
    addConfigs: (change) => mount(configsWith(change)),
    async setOrder(order) {
      const orders = order === undefined ? {} : { [annotations.order]: JSON.stringify(order) };
      await pod.setAnnotations({ [annotations.configRevision]: revision, ...orders });
    },
    async setIdentity(entries) {
      for (const [name, text] of Object.entries(entries)) {
        if (text === undefined) await rm(join(paths.identitySecret, name), { force: true });
        else await writeFile(join(paths.identitySecret, name), text);
      }
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
  await pod.setIdentity(await identityEntries());
  await pod.setOrder(undefined);
  return pod;
}

/** Every file below a folder with its mode and bytes: equal listings are equal trees. */
export async function treeOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const listing = await Promise.all(
    files.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      const { mode } = await stat(path);
      const content = (await readFile(path)).toString("latin1");
      return [relative(folder, path), `${(mode & 0o777).toString(8)} ${content}`] as const;
    }),
  );
  return Object.fromEntries(listing);
}
