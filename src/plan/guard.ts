import type { Blocker } from "../api/conditions.ts";
import { forbiddenChanges } from "../api/immutable.ts";
import { annotations } from "../model/annotations.ts";
import { JWT_ENTRY, renderMembership } from "../model/identity.ts";
import type { KubeObject } from "../model/kube-object.ts";
import { isMadeFor } from "../model/made-for.ts";
import { identitySecretName } from "../model/names.ts";
import { forkMessage } from "./divergence.ts";
import { intentsOf } from "./intent.ts";
import type { Referenced, Snapshot } from "./snapshot.ts";
import { type Decider, NOTHING, type Step } from "./step.ts";
import { appliedIntent, readIntent } from "./stored-intent.ts";
import { identityBlockers } from "./verify.ts";

/** How often the world is looked at again while something outside the cluster has to change. */
const RECHECK_MS = 15_000;

/**
 * Nothing may be made in place of a lost identity: a new one is another signer, and so another chain. And nothing
 * is touched that may have to be looked at after a fork, or may make one.
 */
const freezing = new Set<Blocker["reason"]>(["IdentityLost", "HashesDiffer", "IdentityDiffers"]);

/**
 * Finds what must not be acted upon: a spec that cannot be, something it refers to that is missing, an identity
 * that does not fit, a chain that another cluster runs or that has forked, a name that somebody else uses. A
 * cluster without pods is not started; a running one goes on as it is.
 */
export const guard: Decider = (snapshot) => {
  const blockers = [
    ...forkProblems(snapshot),
    ...identityBlockers(snapshot),
    ...specProblems(snapshot),
    ...changeProblems(snapshot),
    ...identityProblems(snapshot),
    ...intentProblems(snapshot),
    ...referenceProblems(snapshot),
    ...lockProblems(snapshot),
    ...nameProblems(snapshot),
  ];
  if (blockers.length === 0) return waitForEarlierLife(snapshot);
  const stop = snapshot.statefulSet === undefined || blockers.some(({ reason }) => freezing.has(reason));
  return { blockers, recheckAfterMs: RECHECK_MS, stop };
};

/** A cluster that was deleted and applied again: what it had before is still being collected. */
function waitForEarlierLife(snapshot: Snapshot): Step {
  return notOurs(snapshot).length === 0 ? NOTHING : { stop: true, recheckAfterMs: 500 };
}

function forkProblems(snapshot: Snapshot): Blocker[] {
  const message = forkMessage(snapshot);
  return message === undefined ? [] : [{ type: "ChainSafe", reason: "HashesDiffer", message }];
}

function specProblems({ parsed }: Snapshot): Blocker[] {
  if (parsed.kind === "valid") return [];
  return parsed.problems.map((message) => ({ type: "ConfigValid", reason: "SpecInvalid", message }));
}

/** The API server refuses these changes; it does not when a cluster is deleted and applied again. */
function changeProblems({ parsed, statefulSet, identity }: Snapshot): Blocker[] {
  if (parsed.kind !== "valid") return [];
  const applied = appliedIntent(statefulSet)?.spec;
  const changes = applied ? forbiddenChanges(applied, parsed.spec).map(({ message }) => message) : [];
  const members = identity.kind === "present" ? identity.identity.membership : undefined;
  const { raft } = parsed.spec;
  // Their number is changed by `membership.ts`, once those that the chain was begun with are there.
  const isOther = members !== undefined && members.raftPort !== raft.port;
  const membership =
    isOther && changes.length === 0
      ? [
          `spec asks for raft port ${raft.port}, but the chain was begun with ${renderMembership(members)}, which stand in raft's own log. Set spec.raft.port back.`,
        ]
      : [];
  return [...changes, ...membership].map((message) => {
    return { type: "ConfigValid", reason: "ImmutableFieldChanged", message };
  });
}

function identityProblems({ identity, cluster, parsed, members, statefulSet }: Snapshot): Blocker[] {
  const name = identitySecretName(cluster.metadata.name);
  const restore = `Restore Secret ${name} from a backup; without its signer the chain cannot go on.`;
  if (identity.kind === "unusable") {
    return [{ type: "ConfigValid", reason: "IdentityMismatch", message: `${identity.message}. ${restore}` }];
  }
  if (identity.kind === "absent") {
    const started = members.filter(({ claim }) => claim?.started !== undefined);
    const claims = started.map(({ claimName }) => claimName).join(", ");
    const message = `Secret ${name} is gone, but a chain was started on ${claims}. ${restore} To give that chain up for ever, delete these claims.`;
    if (started.length > 0) return [{ type: "ConfigValid", reason: "IdentityLost", message }];
    return statefulSet ? [unstartedLoss(name, statefulSet.metadata.name)] : [];
  }
  if (parsed.kind !== "valid") return [];
  const { chainId, hasJwt } = identity.identity;
  const { kind } = parsed.spec.app;
  if (hasJwt !== (kind === "evm")) return [identityOfOtherKind(name, kind, hasJwt)];
  if (parsed.spec.chain.id === chainId) return [];
  const message = `spec.chain.id is ${parsed.spec.chain.id}, but Secret ${name} and its volumes belong to chain ${chainId}. Use that chain id, or another name for a new chain.`;
  return [{ type: "ConfigValid", reason: "IdentityMismatch", message }];
}

/** The blocks of another kind of app lie elsewhere on the same volumes: this one would begin the chain again. */
function identityOfOtherKind(name: string, kind: string, isEvms: boolean): Blocker {
  const other = isEvms
    ? `an EVM chain: it has ${JWT_ENTRY}`
    : `an app of another kind: it has no usable ${JWT_ENTRY}`;
  const message = `spec.app.kind is ${kind}, but Secret ${name} was made for ${other}. Set spec.app.kind back, or use another name for a new chain.`;
  return { type: "ConfigValid", reason: "IdentityMismatch", message };
}

/** What the pods are made from is not guessed: a change that waits would reach them in silence. */
function intentProblems(snapshot: Snapshot): Blocker[] {
  const { identity, statefulSet, cluster } = snapshot;
  if (identity.kind !== "present" || !statefulSet) return [];
  const stored = readIntent(statefulSet);
  if (stored.kind === "readable" || intentsOf(snapshot, identity.identity)) return [];
  const { name, namespace = "default" } = cluster.metadata;
  const remedy =
    stored.kind === "newer"
      ? "Run the operator that wrote it, or a newer one."
      : `It is put back as soon as the spec is what the pods were made from: undo what was changed since. Or let pods that are made from now on follow the spec: kubectl delete -n ${namespace} statefulsets/${name} --cascade=orphan --wait=false`;
  const message = `StatefulSet ${statefulSet.metadata.name} does not tell what its pods are made from, so nothing of it is changed. Annotation ${annotations.intent}: ${stored.problem}. ${remedy}`;
  return [{ type: "ConfigValid", reason: "IntentUnreadable", message }];
}

/** The members' configs name the peer ids of the identity that they were made with. */
function unstartedLoss(identity: string, statefulSet: string): Blocker {
  const message = `Secret ${identity} is gone, but StatefulSet ${statefulSet} was made with it. Restore the Secret from a backup; or, as no member has started yet, delete the StatefulSet to have all made anew.`;
  return { type: "ConfigValid", reason: "IdentityLost", message };
}

/** Signer and genesis are taken over once, with the identity, and are not needed afterwards. */
function referenceProblems({ references, identity }: Snapshot): Blocker[] {
  const { signer, genesis, daAuthToken, storageClass, executionGenesis } = references;
  const once = identity.kind === "absent";
  return [
    ...(once ? problemOf(signer, "SecretMissing", "SecretInvalid") : []),
    ...(once ? problemOf(genesis, "GenesisMissing", "GenesisInvalid") : []),
    ...problemOf(daAuthToken, "SecretMissing", "SecretInvalid"),
    ...problemOf(storageClass, "StorageClassMissing", "StorageClassMissing"),
    ...problemOf(executionGenesis, "GenesisMissing", "GenesisInvalid"),
  ];
}

type ConfigReason = Extract<Blocker, { type: "ConfigValid" }>["reason"];

function problemOf(referenced: Referenced<unknown>, missing: ConfigReason, invalid: ConfigReason): Blocker[] {
  if (referenced.kind === "missing")
    return [{ type: "ConfigValid", reason: missing, message: referenced.message }];
  if (referenced.kind !== "invalid") return [];
  return [{ type: "ConfigValid", reason: referenced.reason ?? invalid, message: referenced.message }];
}

function lockProblems({ chainLock, identity }: Snapshot): Blocker[] {
  if (chainLock.kind !== "held" || identity.kind !== "present") return [];
  const message = `Chain ${identity.identity.chainId} with this signer belongs to ${chainLock.by}, also after that was deleted, as its volumes are kept. Two clusters with one signer fork the chain. Delete this one, or use another signer and chain id.`;
  return [{ type: "ConfigValid", reason: "ChainLocked", message }];
}

function nameProblems(snapshot: Snapshot): Blocker[] {
  const { name } = snapshot.cluster.metadata;
  return strangers(snapshot).map((object) => {
    const message = `${object.kind} ${object.metadata.name} exists and was not made for this EvNodeCluster. Rename or delete it, or use another name than ${name}.`;
    return { type: "ConfigValid", reason: "NameConflict", message };
  });
}

/** Objects under our names that nobody takes away: those of an earlier life of this cluster go by themselves. */
function strangers(snapshot: Snapshot): KubeObject[] {
  return notOurs(snapshot).filter((object) => !isOfEarlierLife(object, snapshot));
}

function notOurs({ objects, statefulSet, cluster }: Snapshot): KubeObject[] {
  const all = [...objects.values(), ...(statefulSet ? [statefulSet] : [])];
  return all.filter((object) => !isMadeFor(object, cluster.metadata.uid ?? ""));
}

function isOfEarlierLife({ metadata }: KubeObject, { cluster }: Snapshot): boolean {
  const owners = metadata.ownerReferences ?? [];
  return owners.some(({ kind, name }) => kind === cluster.kind && name === cluster.metadata.name);
}
