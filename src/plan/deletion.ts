import { FINALIZER } from "../model/annotations.ts";
import { kinds } from "../model/kinds.ts";
import { isMadeFor } from "../model/made-for.ts";
import type { Member } from "../model/member.ts";
import type { Action } from "./actions.ts";
import type { Snapshot } from "./snapshot.ts";
import { type Decider, NOTHING } from "./step.ts";

/**
 * An EvNodeCluster that is being deleted: its pods stop together, then the chain lock is given back. Volumes and
 * identity stay. The lock is held until the last pod is gone, so that no other cluster can run the chain meanwhile.
 *
 * | seen | then |
 * | --- | --- |
 * | not being deleted, or our finalizer is gone | nothing |
 * | deletion with `--cascade=orphan`, under way or carried out | the members go on: keep the lock, let go of the object |
 * | the StatefulSet is there | delete it |
 * | pods are left that belong to nobody, as after `kubectl delete sts --cascade=orphan` | delete them |
 * | pods are left | wait |
 * | none are left | release the lock of a chain that was never begun, remove the finalizer |
 */
export const deletion: Decider = (snapshot) => {
  const { deletionTimestamp, finalizers = [] } = snapshot.cluster.metadata;
  if (deletionTimestamp === undefined) return NOTHING;
  if (!finalizers.includes(FINALIZER)) return { stop: true };
  if (isOrphaning(snapshot)) return { stop: true, stages: [[{ kind: "removeFinalizer" }]] };

  const { statefulSet, members, isCertain } = snapshot;
  if (statefulSet && statefulSet.metadata.deletionTimestamp === undefined) {
    const why = "the EvNodeCluster is being deleted";
    return {
      stop: true,
      stages: [[{ kind: "delete", resource: kinds.statefulSet, object: statefulSet, why }]],
    };
  }
  const orphans = statefulSet ? [] : members.flatMap(removalOf);
  if (orphans.length > 0)
    return {
      stop: true,
      ...(isCertain ? { stages: [orphans] } : { needsCertainty: true }),
      recheckAfterMs: 10_000,
    };
  const podsLeft = members.some(({ pod }) => pod !== undefined);
  if (statefulSet || podsLeft) return { stop: true, recheckAfterMs: 10_000 };
  return { stop: true, stages: [[{ kind: "releaseChainLock" }], [{ kind: "removeFinalizer" }]] };
};

/** The garbage collector takes the owner off the dependents, and then its own finalizer off the cluster. */
function isOrphaning({ cluster: { metadata }, statefulSet, objects }: Snapshot): boolean {
  if (metadata.finalizers?.includes("orphan")) return true;
  const { uid = "" } = metadata;
  const ours = [...objects.values(), ...(statefulSet ? [statefulSet] : [])].filter((one) =>
    isMadeFor(one, uid),
  );
  return ours.some(
    ({ metadata: { ownerReferences = [] } }) => !ownerReferences.some((one) => one.uid === uid),
  );
}

/** Of a pod that nobody else stops; one that still has an owner is the garbage collector's. */
function removalOf(member: Member): Action[] {
  const { pod } = member;
  if (!pod || pod.terminating || (pod.object.metadata.ownerReferences ?? []).length > 0) return [];
  const why = "The EvNodeCluster is being deleted, and the StatefulSet that would stop it is gone";
  return [{ kind: "removePod", member, pod, by: "deletion", why }];
}
