import type { CompleteSpec } from "../api/complete-spec.ts";
import { renderConfig } from "../evnode/config.ts";
import { configRevision } from "../model/config-revision.ts";
import { configEntry, configSecretName, memberHost, memberName } from "../model/names.ts";
import type { Secret } from "../model/objects.ts";
import { type Blueprint, ownedMetadata } from "./blueprint.ts";
import { kmsKey } from "./kms.ts";
import { optionalKeys } from "./optional-keys.ts";
import { paths, raftDirectory } from "./paths.ts";
import { timingOf } from "./timing.ts";

export interface ConfigInput {
  readonly name: string;
  readonly namespace: string;
  readonly clusterDomain: string;
  readonly spec: CompleteSpec;
  readonly epoch: number;
  readonly peerIds: readonly string[];
  readonly daAuthToken: string | undefined;
}

export interface MemberConfigs {
  /** Digest of all members' configs: a pod that runs this revision runs exactly these texts. */
  readonly revision: string;
  /** evnode.yaml by member name. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Renders the evnode.yaml of every member, each with the others as its peers. */
export function memberConfigs(input: ConfigInput): MemberConfigs {
  const ordinals = Array.from({ length: input.spec.replicas }, (_, ordinal) => ordinal);
  const texts = new Map(
    ordinals.map((ordinal) => [memberName(input.name, ordinal), memberConfig(input, ordinals, ordinal)]),
  );
  return { revision: configRevision(texts), texts };
}

function memberConfig(input: ConfigInput, ordinals: readonly number[], ordinal: number): string {
  const { name, namespace, clusterDomain, spec, epoch, peerIds, daAuthToken } = input;
  const kms = kmsKey(spec);
  const host = (of: number) => memberHost(name, namespace, of, clusterDomain);
  return renderConfig({
    home: paths.home,
    dbPath: "data",
    blockTimeMs: spec.chain.blockTimeMs,
    da: {
      address: spec.da.address,
      namespace: spec.da.namespace,
      ...(daAuthToken === undefined ? {} : { authToken: daAuthToken }),
    },
    rpcPort: spec.rpc.port,
    p2p: {
      port: spec.p2p.port,
      peers: ordinals
        .filter((peer) => peer !== ordinal)
        .map((peer) => ({ host: host(peer), port: spec.p2p.port, peerId: peerIds[peer] ?? "" })),
      extraPeers: spec.p2p.extraPeers,
    },
    metricsPort: spec.metrics.port,
    log: spec.log,
    signerPath: paths.config,
    ...(kms && { kms }),
    raft: {
      nodeId: memberName(name, ordinal),
      address: `${host(ordinal)}:${spec.raft.port}`,
      dir: raftDirectory(epoch),
      timing: timingOf(spec.raft.timing),
      snapshotThreshold: spec.raft.snapshotThreshold,
      trailingLogs: spec.raft.trailingLogs,
      snapCount: spec.raft.snapshotsKept,
    },
    isSingle: spec.replicas === 1,
    optional: optionalKeys(spec, peerIds),
  });
}

/** The rendered configs and nothing else. Revisions that pods may still run stay beside the new one. */
export function configSecret(blueprint: Blueprint, entries: ReadonlyMap<string, string>): Secret {
  const data = Object.fromEntries([...entries].sort(byName).map(([entry, text]) => [entry, toBase64(text)]));
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: ownedMetadata(blueprint, configSecretName(blueprint.name)),
    type: "Opaque",
    data,
  };
}

export function configEntries({ revision, texts }: MemberConfigs): Map<string, string> {
  return new Map([...texts].map(([member, text]) => [configEntry(member, revision), text]));
}

const byName = ([a]: [string, string], [b]: [string, string]) => (a < b ? -1 : 1);
const toBase64 = (text: string) => Buffer.from(text, "utf8").toString("base64");
