import type { Blocker } from "../api/conditions.ts";
import { isMadeFor } from "../resources/blueprint.ts";
import type { Referenced, Snapshot } from "./snapshot.ts";
import type { Decider } from "./step.ts";

/** How often the world is looked at again while something outside the cluster has to change. */
const RECHECK_MS = 15_000;

/**
 * Finds what must not be acted upon: a spec that cannot be, something it refers to that is missing, an identity
 * that does not fit, a chain that another cluster runs, a name that somebody else uses. A cluster without pods is
 * not started; a running one goes on as it is.
 */
export const guard: Decider = (snapshot) => {
  const blockers = [
    ...specProblems(snapshot),
    ...identityProblems(snapshot),
    ...referenceProblems(snapshot),
    ...lockProblems(snapshot),
    ...nameProblems(snapshot),
  ];
  if (blockers.length === 0) return {};
  // Nothing may be made in place of a lost identity: a new one is another signer, and so another chain.
  const identityIsLost = blockers.some(({ reason }) => reason === "IdentityLost");
  const stop = identityIsLost || snapshot.statefulSet === undefined;
  return { blockers, recheckAfterMs: RECHECK_MS, stop };
};

function specProblems({ parsed }: Snapshot): Blocker[] {
  if (parsed.kind === "valid") return [];
  return parsed.problems.map((message) => ({ type: "ConfigValid", reason: "SpecInvalid", message }));
}

function identityProblems({ identity, cluster, parsed, members }: Snapshot): Blocker[] {
  const name = `${cluster.metadata.name}-identity`;
  const restore = `Restore Secret ${name} from a backup; without its signer the chain cannot go on.`;
  if (identity.kind === "unusable") {
    return [{ type: "ConfigValid", reason: "IdentityMismatch", message: `${identity.message}. ${restore}` }];
  }
  if (identity.kind === "absent") {
    const started = members.filter(({ claim }) => claim?.started !== undefined);
    if (started.length === 0) return [];
    const claims = started.map(({ claimName }) => claimName).join(", ");
    const message = `Secret ${name} is gone, but a chain was started on ${claims}. ${restore} To give that chain up for ever, delete these claims.`;
    return [{ type: "ConfigValid", reason: "IdentityLost", message }];
  }
  const { chainId } = identity.identity;
  if (parsed.kind !== "valid" || parsed.spec.chain.id === chainId) return [];
  const message = `spec.chain.id is ${parsed.spec.chain.id}, but Secret ${name} and its volumes belong to chain ${chainId}. Use that chain id, or another name for a new chain.`;
  return [{ type: "ConfigValid", reason: "IdentityMismatch", message }];
}

/** Signer and genesis are taken over once, with the identity, and are not needed afterwards. */
function referenceProblems({ references, identity }: Snapshot): Blocker[] {
  const { signer, genesis, daAuthToken, storageClass } = references;
  const once = identity.kind === "absent";
  return [
    ...(once ? problemOf(signer, "SecretMissing", "SecretInvalid") : []),
    ...(once ? problemOf(genesis, "GenesisMissing", "GenesisInvalid") : []),
    ...problemOf(daAuthToken, "SecretMissing", "SecretInvalid"),
    ...problemOf(storageClass, "StorageClassMissing", "StorageClassMissing"),
  ];
}

type ConfigReason = Extract<Blocker, { type: "ConfigValid" }>["reason"];

function problemOf(referenced: Referenced<unknown>, missing: ConfigReason, invalid: ConfigReason): Blocker[] {
  if (referenced.kind === "missing") return [{ type: "ConfigValid", reason: missing, message: referenced.message }];
  if (referenced.kind !== "invalid") return [];
  return [{ type: "ConfigValid", reason: referenced.reason ?? invalid, message: referenced.message }];
}

function lockProblems({ chainLock, identity }: Snapshot): Blocker[] {
  if (chainLock.kind !== "held" || identity.kind !== "present") return [];
  const message = `Chain ${identity.identity.chainId} with this signer is run by ${chainLock.by}. Two clusters with one signer fork the chain. Delete one of them.`;
  return [{ type: "ConfigValid", reason: "ChainLocked", message }];
}

function nameProblems({ objects, cluster, statefulSet }: Snapshot): Blocker[] {
  const { uid = "", name } = cluster.metadata;
  const strangers = [...objects.values(), ...(statefulSet ? [statefulSet] : [])].filter(
    (object) => !isMadeFor(object, uid),
  );
  return strangers.map((object) => {
    const going = object.metadata.deletionTimestamp === undefined ? "" : " It is being deleted; wait until it is gone.";
    const message = `${object.kind} ${object.metadata.name} exists and was not made for this EvNodeCluster.${going} Rename or delete it, or use another name than ${name}.`;
    return { type: "ConfigValid", reason: "NameConflict", message };
  });
}
