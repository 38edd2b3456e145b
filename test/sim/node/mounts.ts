import { annotations } from "../../../src/model/annotations.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { configEntry, configSecretName, identitySecretName, memberHost } from "../../../src/model/names.ts";
import type { Pod } from "../../../src/model/objects.ts";
import { entryText } from "../../../src/model/secret-text.ts";
import type { Mounted } from "../member/agent.ts";
import type { Registry } from "../registry.ts";

/** What kubelet mounts into a member's pod; undefined while a part of it is missing, so that no container starts. */
export function mountsOf({ store }: Registry, { metadata }: Pod, cluster: string): Mounted | undefined {
  const { namespace = "", name } = metadata;
  const config = store.get(kinds.secret, { namespace, name: configSecretName(cluster) });
  const identity = store.get(kinds.secret, { namespace, name: identitySecretName(cluster) });
  const configRevision = metadata.annotations?.[annotations.configRevision];
  if (config === undefined || identity === undefined || configRevision === undefined) return undefined;
  if (entryText(config, configEntry(name, configRevision)) === undefined) return undefined;
  const notes = identity.metadata.annotations ?? {};
  const clusterId = entryText(identity, "cluster_id");
  const [chainId, proposer, domain] = [
    annotations.chain,
    annotations.proposer,
    annotations.clusterDomain,
  ].map((key) => notes[key]);
  if (clusterId === undefined || chainId === undefined || proposer === undefined || domain === undefined) {
    return undefined;
  }
  const ordinal = Number(name.slice(cluster.length + 1));
  const epoch = Number(notes[annotations.epoch]);
  return {
    owner: { clusterId, member: name, chainId, epoch },
    proposer,
    raftAddress: `${memberHost(cluster, namespace, ordinal, domain)}:5001`,
    configRevision,
  };
}
