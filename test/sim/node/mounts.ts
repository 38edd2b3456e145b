import { annotations } from "../../../src/model/annotations.ts";
import { parseMembership } from "../../../src/model/identity.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { AGENT_CONTAINER } from "../../../src/model/member.ts";
import {
  configEntry,
  configSecretName,
  identitySecretName,
  MAX_MEMBERS,
  memberHost,
} from "../../../src/model/names.ts";
import type { Pod, Secret } from "../../../src/model/objects.ts";
import { entryText } from "../../../src/model/secret-text.ts";
import { identityView } from "../../../src/observe/identity.ts";
import type { Mounted } from "../member/agent.ts";
import type { Registry } from "../registry.ts";

/** The Secret with the configs of a cluster's members, as it is now. */
export function configsOf({ store }: Registry, namespace: string, cluster: string): Secret | undefined {
  return store.get(kinds.secret, { namespace, name: configSecretName(cluster) });
}

/** What kubelet mounts into a member's pod; undefined while a part of it is missing, so that no container starts. */
export function mountsOf(
  registry: Registry,
  pod: Pod,
  cluster: string,
): { readonly mounted: Mounted; readonly configs: Secret } | undefined {
  const { namespace = "", name } = pod.metadata;
  const configs = configsOf(registry, namespace, cluster);
  const identity = registry.store.get(kinds.secret, { namespace, name: identitySecretName(cluster) });
  const revision = pod.metadata.annotations?.[annotations.configRevision];
  if (configs === undefined || identity === undefined || revision === undefined) return undefined;
  const notes = identity.metadata.annotations ?? {};
  const ordinal = Number(name.slice(cluster.length + 1));
  // A member to come starts without, and hears of its config later.
  const isMember = ordinal < (parseMembership(notes[annotations.membership])?.replicas ?? MAX_MEMBERS);
  if (isMember && entryText(configs, configEntry(name, revision)) === undefined) return undefined;
  const clusterId = entryText(identity, "cluster_id");
  const [chainId, proposer, domain] = [
    annotations.chain,
    annotations.proposer,
    annotations.clusterDomain,
  ].map((key) => notes[key]);
  if (clusterId === undefined || chainId === undefined || proposer === undefined || domain === undefined) {
    return undefined;
  }
  const view = identityView(identity);
  const facts = view.kind === "present" ? view.identity : undefined;
  const raftAddress = `${memberHost(cluster, namespace, ordinal, domain)}:5001`;
  const mounted = {
    owner: { clusterId, member: name, chainId },
    proposer,
    genesis: facts?.genesisDigest,
    peerId: facts?.peerIds[ordinal],
    raftAddress,
    maxBlocksBehind: toleratedOf(pod),
  };
  return { mounted, configs };
}

/** As the agent's container gets it, in its environment. */
function toleratedOf({ spec }: Pod): number {
  const agent = spec?.initContainers?.find(({ name }) => name === AGENT_CONTAINER);
  return Number(agent?.env?.find(({ name }) => name === "MAX_BLOCKS_BEHIND")?.value ?? 0);
}
