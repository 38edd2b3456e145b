import type { Identity } from "../model/identity.ts";
import type { StatefulSet } from "../model/objects.ts";
import { type Intents, intentsOf } from "./intent.ts";
import type { Snapshot } from "./snapshot.ts";

/** What a decider stands on that changes members which are there. */
export interface Ground {
  readonly snapshot: Snapshot;
  readonly identity: Identity;
  readonly intents: Intents;
  readonly statefulSet: StatefulSet;
}

/** Undefined where there is no identity, no StatefulSet that tells what its pods are made from, or not our chain lock. */
export function groundOf(snapshot: Snapshot): Ground | undefined {
  const { identity, statefulSet, chainLock } = snapshot;
  if (identity.kind !== "present" || !statefulSet || chainLock.kind !== "ours") return undefined;
  const intents = intentsOf(snapshot, identity.identity);
  return intents?.applied && { snapshot, identity: identity.identity, intents, statefulSet };
}
