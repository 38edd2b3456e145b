import type { Blocker } from "../api/conditions.ts";
import type { MembershipPolicy } from "../api/membership-policy.ts";
import type { VolumeChange } from "../model/agent-protocol.ts";
import type { Identity } from "../model/identity.ts";
import { answerOf, type Member } from "../model/member.ts";
import type { MembershipRecord } from "../model/membership-record.ts";
import type { StatefulSet } from "../model/objects.ts";
import type { Intent } from "../resources/blueprint.ts";
import { statefulSet as rendered } from "../resources/statefulset.ts";
import type { Action } from "./actions.ts";
import { type Intents, intentsOf } from "./intent.ts";
import { membershipOn } from "./membership-state.ts";
import { nextVersion } from "./next-version.ts";
import { blueprintOf } from "./rendering.ts";
import type { Snapshot } from "./snapshot.ts";

/** All that the deciders of a change of the number of members look at. */
export interface MembershipScene {
  readonly snapshot: Snapshot;
  /** What the deciders before found wrong. */
  readonly blockers: readonly Blocker[];
  readonly identity: Identity;
  readonly intents: Intents;
  readonly statefulSet: StatefulSet;
  readonly record: MembershipRecord | undefined;
  /** What the spec asks for; absent while it is not valid, or asks for a suspension: then no change begins. */
  readonly asked: { readonly replicas: number; readonly policy: MembershipPolicy } | undefined;
}

export function membershipScene(
  snapshot: Snapshot,
  blockers: readonly Blocker[],
): MembershipScene | undefined {
  const { identity, statefulSet, chainLock, parsed } = snapshot;
  if (identity.kind !== "present" || !statefulSet || chainLock.kind !== "ours") return undefined;
  if (identity.identity.bootstrapped !== identity.identity.epoch) return undefined;
  const intents = intentsOf(snapshot, identity.identity);
  if (!intents?.applied) return undefined;
  return {
    snapshot,
    blockers,
    identity: identity.identity,
    intents,
    statefulSet,
    record: membershipOn(statefulSet),
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
  const desired = nextVersion(statefulSet, rendered(blueprint)) as StatefulSet;
  return { kind: "turnMembership", statefulSet: desired, to };
}

/** How far its volume is on the way to another epoch, by what its own agent says of this pod. */
export function volumeChangeOf(member: Member, { clusterId }: Identity): VolumeChange | undefined {
  const volume = volumeOf(member, clusterId);
  return volume?.kind === "intact" ? volume.change : undefined;
}

/** Whether it went over to this epoch. */
export function isStartedIn(member: Member, { clusterId }: Identity, epoch: number): boolean {
  const volume = volumeOf(member, clusterId);
  return volume?.kind === "intact" && volume.epoch === epoch && volume.started && !volume.change;
}

function volumeOf(member: Member, clusterId: string) {
  const answer = answerOf(member);
  if (!answer || answer.podUid !== member.pod?.uid || answer.clusterId !== clusterId) return undefined;
  return answer.volume;
}
