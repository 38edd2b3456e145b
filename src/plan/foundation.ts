import { FINALIZER } from "../model/annotations.ts";
import { type Decider, NOTHING } from "./step.ts";

/**
 * What must exist before anything can run, each proven before the next: the finalizer that guards the chain lock,
 * the identity, and the lock that lets one cluster only run this chain with this signer.
 */
export const foundation: Decider = ({ cluster, identity, chainLock }) => {
  if (!cluster.metadata.finalizers?.includes(FINALIZER)) {
    return { stop: true, stages: [[{ kind: "addFinalizer" }]], recheckAfterMs: 0 };
  }
  if (identity.kind === "absent")
    return { stop: true, stages: [[{ kind: "createIdentity" }]], recheckAfterMs: 0 };

  switch (chainLock.kind) {
    case "ours":
      return NOTHING;
    case "free":
      return { stop: true, stages: [[{ kind: "takeChainLock", takeOver: false }]], recheckAfterMs: 0 };
    case "leftBehind":
      return { stop: true, stages: [[{ kind: "takeChainLock", takeOver: true }]], recheckAfterMs: 0 };
    case "held":
      return NOTHING;
    case "unknown":
      // The identity cannot be read; the guard has reported it, and says when to look again.
      return { stop: true };
  }
};
