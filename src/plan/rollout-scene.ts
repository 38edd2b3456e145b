import type { Blocker } from "../api/conditions.ts";
import type { RolloutPolicy } from "../api/rollout-policy.ts";
import type { Member, MemberPod } from "../model/member.ts";
import type { StatefulSet } from "../model/objects.ts";
import type { RolloutRecord } from "../model/rollout-record.ts";
import { blocksPerLook } from "./block-pace.ts";
import { type Ground, groundOf } from "./ground.ts";
import { type Leadership, leadership } from "./quorum.ts";
import type { Snapshot } from "./snapshot.ts";
import { type Standing, standingOf } from "./standing.ts";
import { recordOn } from "./stored-record.ts";
import { type Template, type Way, wayOf } from "./update-way.ts";

/** All that the deciders of a rollout look at. */
export interface Scene extends Ground {
  readonly blockers: readonly Blocker[];
  readonly record: RolloutRecord | undefined;
  /** Absent while the spec is not valid: then nothing is restarted. */
  readonly policy: RolloutPolicy | undefined;
  readonly target: Target | undefined;
  readonly leadership: Leadership;
}

/** What the StatefulSet makes pods from now; absent while its controller has not looked at the newest template. */
export interface Target {
  readonly revision: string;
  readonly template: Template;
}

/** A member with a pod that is there to stay. */
export interface Present extends Member {
  readonly pod: MemberPod;
}

export function sceneOf(snapshot: Snapshot, blockers: readonly Blocker[]): Scene | undefined {
  const { parsed, members } = snapshot;
  const ground = groundOf(snapshot);
  if (!ground) return undefined;
  const { statefulSet } = ground;
  return {
    ...ground,
    blockers: blockers.filter(({ type }) => type === "ConfigValid" || type === "ChainSafe"),
    record: recordOn(statefulSet),
    policy: parsed.kind === "valid" ? parsed.rollout : undefined,
    target: targetOf(snapshot, statefulSet),
    leadership: leadership(members),
  };
}

function targetOf({ revisions }: Snapshot, { metadata, status, spec }: StatefulSet): Target | undefined {
  const isSeen = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  const revision = status?.updateRevision;
  if (!isSeen || revision === undefined || !spec) return undefined;
  const template = revisions.get(revision);
  // Without a pod that differs nobody asks for it.
  return { revision, template: template ?? spec.template };
}

export const isPresent = (member: Member): member is Present =>
  member.pod !== undefined && !member.pod.terminating;

/** A rollout that has begun, in the one direction or the other, and whose end was not noted. */
export const isOpen = (record: RolloutRecord | undefined) =>
  record?.kind === "rolling" || (record?.kind === "reverted" && record.finishedAt === undefined);

/** Its pod is of the template. A pod on which something was begun, to whichever revision, is of none until it has all. */
export const isUpdated = ({ pod }: Present, { revision }: Target) =>
  pod.revision === revision &&
  (pod.update === undefined || (pod.update.revision === revision && pod.update.given === true));

/** Something was begun on it in place for this template, and it was not seen to be through. */
export const isBegun = ({ pod }: Present, { revision }: Target) => pod.update?.revision === revision;

/** The template of the pod's revision, as far as it is known. */
export const madeFrom = ({ pod }: Present, { revision, template }: Target, { snapshot }: Scene) =>
  pod.revision === revision ? template : snapshot.revisions.get(pod.revision ?? "");

/** It was given all that it lacked: what is missing is that it is seen to run, and to take part. */
export const isTouched = (member: Present, target: Target) =>
  isBegun(member, target) && member.pod.update?.given === true;

/** It was told to restart, for whatever it was, and its process is still the one before. */
export const isRestarting = ({ pod: { update, containerId } }: Present) =>
  update?.given === true && update.container !== undefined && update.container === containerId;

export const isOutdated = (member: Present, target: Target) =>
  !isUpdated(member, target) && !isTouched(member, target);

export const wayFor = (member: Present, target: Target, scene: Scene): Way =>
  wayOf(member.pod, madeFrom(member, target, scene), target.template, target.revision);

/** How a member stands beside the one leader. */
export function standing(member: Member, { leadership: known, policy, intents }: Scene): Standing {
  if (known.kind !== "one") return { kind: "unknown", why: "no member leads" };
  return standingOf(member, {
    leader: known.leader,
    maxBlocksBehind: Math.max(policy?.maxBlocksBehind ?? 0, blocksPerLook(intents.current.spec)),
    raftPort: intents.current.spec.raft.port,
  });
}
