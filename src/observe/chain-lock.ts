import type { Identity } from "../model/identity.ts";
import { kinds } from "../model/kinds.ts";
import { chainLockName } from "../model/names.ts";
import type { ConfigMap, EvNodeClusterObject } from "../model/objects.ts";
import type { ChainLock } from "../plan/snapshot.ts";
import { LONGEST_MEMORY_MS, type World } from "./world.ts";

/** Our own lock does not go away by itself; it is looked at again now and then all the same. */
const OURS_MAX_AGE_MS = LONGEST_MEMORY_MS;

/** Whether a lock is free or held is taken from a read of this very look; taking it has preconditions of its own. */
const OTHER_MAX_AGE_MS = 100;

/** Who may run this chain with this signer, among the clusters of this operator. */
export async function readChainLock(
  world: World,
  operatorNamespace: string,
  cluster: EvNodeClusterObject,
  identity: Identity,
): Promise<ChainLock> {
  const ref = { namespace: operatorNamespace, name: chainLockName(identity.chainId, identity.proposer) };
  const remembered = await world.read(kinds.configMap, ref, OURS_MAX_AGE_MS);
  const known = lockOf(remembered, cluster, identity);
  if (known.kind === "ours") return known;
  return lockOf(await world.read(kinds.configMap, ref, OTHER_MAX_AGE_MS), cluster, identity);
}

function lockOf(
  lock: ConfigMap | undefined,
  { metadata }: EvNodeClusterObject,
  identity: Identity,
): ChainLock {
  if (!lock) return { kind: "free" };
  const { namespace = "?", name = "?", uid, clusterId } = lock.data ?? {};
  if (uid === metadata.uid) return { kind: "ours" };
  // An object of our name with our identity is an earlier life of this cluster: there can be no other beside us.
  const sameName = namespace === metadata.namespace && name === metadata.name;
  if (sameName && clusterId === identity.clusterId) return { kind: "leftBehind" };
  return { kind: "held", by: `EvNodeCluster ${namespace}/${name}` };
}
