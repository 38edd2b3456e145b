import { KubeError } from "../kube/errors.ts";
import { FINALIZER, labels, MANAGED_BY } from "../model/annotations.ts";
import { kinds } from "../model/kinds.ts";
import { chainLockName, identitySecretName } from "../model/names.ts";
import type { ConfigMap } from "../model/objects.ts";
import { type GivenSigner, givenSigner } from "../model/signer-secret.ts";
import type { Snapshot } from "../plan/snapshot.ts";
import type { ActDependencies } from "./act.ts";
import { newIdentity } from "./identity.ts";
import { ensureMayWrite } from "./may-write.ts";

/** Adds or removes our finalizer, if the object has not changed since it was looked at. */
export async function setFinalizer(
  { api, world }: ActDependencies,
  { cluster }: Snapshot,
  wanted: boolean,
): Promise<void> {
  const { namespace = "", name, uid = "", resourceVersion = "", finalizers = [] } = cluster.metadata;
  const others = finalizers.filter((finalizer) => finalizer !== FINALIZER);
  const patch = { metadata: { finalizers: wanted ? [...others, FINALIZER] : others } };
  const written = await api.patch(kinds.cluster, { namespace, name }, patch, { uid, resourceVersion });
  if (wanted) world.wrote(kinds.cluster, written);
  else world.forget(kinds.cluster, { namespace, name });
}

export async function createIdentity(deps: ActDependencies, snapshot: Snapshot): Promise<void> {
  const { cluster, parsed, settings, references, nowMs } = snapshot;
  if (parsed.kind !== "valid") return;
  const { namespace = "", name } = cluster.metadata;
  const signer = await readSigner(deps, snapshot);
  const genesis = references.genesis.kind === "found" ? references.genesis.value : undefined;
  const secret = await newIdentity({
    cluster: name,
    namespace,
    spec: parsed.spec,
    clusterDomain: settings.clusterDomain,
    given: { ...(signer && { signer }), ...(genesis !== undefined && { genesis }) },
    random: deps.random,
    nowMs,
  });
  const ref = { namespace, name: identitySecretName(name) };
  // Reading and sealing a signer takes its time.
  ensureMayWrite(deps.mayWrite);
  try {
    deps.world.wrote(kinds.secret, await deps.api.create(kinds.secret, secret));
  } catch (error) {
    deps.world.forget(kinds.secret, ref);
    throw error;
  }
}

async function readSigner(
  { api }: ActDependencies,
  { cluster, parsed }: Snapshot,
): Promise<GivenSigner | undefined> {
  if (parsed.kind !== "valid" || parsed.spec.signer.from !== "Secret") return undefined;
  const ref = { namespace: cluster.metadata.namespace ?? "", name: parsed.spec.signer.name };
  const secret = await api.get(kinds.secret, ref);
  const given = secret && givenSigner(secret);
  if (!given) throw new KubeError("Conflict", `Secret ${ref.name} changed while it was read`);
  return given;
}

export async function takeChainLock(
  { api, world, mayWrite }: ActDependencies,
  snapshot: Snapshot,
  takeOver: boolean,
): Promise<void> {
  const wanted = chainLock(snapshot);
  if (!wanted) return;
  const ref = wanted.metadata;
  try {
    if (!takeOver) return world.wrote(kinds.configMap, await api.create(kinds.configMap, wanted));
    const left = await api.get(kinds.configMap, ref);
    if (!isLeftBehind(left, wanted)) throw new KubeError("Conflict", "the chain lock changed hands");
    const { uid = "", resourceVersion = "" } = left?.metadata ?? {};
    const patch = { data: wanted.data };
    ensureMayWrite(mayWrite);
    world.wrote(kinds.configMap, await api.patch(kinds.configMap, ref, patch, { uid, resourceVersion }));
  } catch (error) {
    world.forget(kinds.configMap, ref);
    throw error;
  }
}

/** Still held in the name of this cluster and its identity, as it was when the take-over was decided. */
function isLeftBehind(lock: ConfigMap | undefined, wanted: ConfigMap): boolean {
  const same = (field: string) => lock?.data?.[field] === wanted.data?.[field];
  return same("namespace") && same("name") && same("clusterId");
}

/**
 * Gives back the lock of a chain that was never begun, if it is ours. A chain that was begun belongs to its identity
 * and volumes, which stay: another cluster with the same signer would begin it again at block 1.
 */
export async function releaseChainLock(
  { api, world, mayWrite }: ActDependencies,
  snapshot: Snapshot,
): Promise<void> {
  const ours = chainLock(snapshot);
  if (!ours || hasBegun(snapshot)) return;
  const ref = ours.metadata;
  const lock = await api.get(kinds.configMap, ref);
  if (lock?.data?.["uid"] !== snapshot.cluster.metadata.uid) return;
  const { uid = "", resourceVersion = "" } = lock?.metadata ?? {};
  ensureMayWrite(mayWrite);
  await api.delete(kinds.configMap, ref, {
    preconditions: { uid, resourceVersion },
    propagation: "Background",
  });
  world.forget(kinds.configMap, ref);
}

/** Marked claims tell it too, when the identity was restored from an older copy. */
function hasBegun({ identity, members }: Snapshot): boolean {
  const isMarked = identity.kind === "present" && identity.identity.bootstrapped !== undefined;
  return isMarked || members.some(({ claim }) => claim?.started !== undefined);
}

/** Never expires: it must hold while no operator runs. */
function chainLock({ cluster, identity, settings }: Snapshot): ConfigMap | undefined {
  if (identity.kind !== "present") return undefined;
  const { chainId, proposer, clusterId } = identity.identity;
  const { namespace = "", name, uid = "" } = cluster.metadata;
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: chainLockName(chainId, proposer),
      namespace: settings.operatorNamespace,
      labels: { [labels.managedBy]: MANAGED_BY, [labels.name]: "ev-node-chain-lock" },
    },
    data: { chainId, proposer, namespace, name, uid, clusterId },
  };
}
