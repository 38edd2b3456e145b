import type { Blocker } from "../api/conditions.ts";
import type { MembershipPolicy } from "../api/membership-policy.ts";
import type { VolumeChange } from "../model/agent-protocol.ts";
import { type Identity, isBootstrapped } from "../model/identity.ts";
import type { Member } from "../model/member.ts";
import type { MembershipRecord } from "../model/membership-record.ts";
import type { Intent } from "../resources/blueprint.ts";
import { statefulSet as rendered } from "../resources/statefulset.ts";
import type { Action } from "./actions.ts";
import { type Ground, groundOf } from "./ground.ts";
import { membershipOn } from "./membership-state.ts";
import { nextVersion } from "./next-version.ts";
import { intactVolume, volumeIn } from "./own-volume.ts";
import { blueprintOf } from "./rendering.ts";
import type { Snapshot } from "./snapshot.ts";

/** All that the deciders of a change of the number of members look at. */
export interface MembershipScene extends Ground {
  /** What the deciders before found wrong. */
  readonly blockers: readonly Blocker[];
  readonly record: MembershipRecord | undefined;
  /** What the spec asks for; absent while it is not valid, or asks for a suspension: then no change begins. */
  readonly asked: { readonly replicas: number; readonly policy: MembershipPolicy } | undefined;
}

export function membershipScene(
  snapshot: Snapshot,
  blockers: readonly Blocker[],
): MembershipScene | undefined {
  const { parsed } = snapshot;
  const ground = groundOf(snapshot);
  if (!ground || !isBootstrapped(ground.identity)) return undefined;
  return {
    ...ground,
    blockers,
    record: membershipOn(ground.statefulSet),
    asked:
      parsed.kind === "valid" && !parsed.suspend
        ? { replicas: parsed.spec.replicas, policy: parsed.membership }
        : undefined,
  };
}

/** Another record on the StatefulSet, and with it another number of pods, or another template. */
export function turnMembership(
  { snapshot, identity, intents, statefulSet }: MembershipScene,
  to: MembershipRecord,
  intent: Intent = intents.current,
): Action {
  const blueprint = { ...blueprintOf(snapshot, identity, intent), membershipChange: JSON.stringify(to) };
  const desired = nextVersion(statefulSet, rendered(blueprint));
  return { kind: "turnMembership", statefulSet: desired, to };
}

/** How far its volume is on the way to another epoch, by what its own agent says of this pod. */
export const volumeChangeOf = (member: Member, identity: Identity): VolumeChange | undefined =>
  intactVolume(member, identity)?.change;

/** Whether it went over to this epoch. */
export function isStartedIn(member: Member, identity: Identity, epoch: number): boolean {
  const volume = volumeIn(member, identity, epoch);
  return volume?.started === true && !volume.change;
}
