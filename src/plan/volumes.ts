import type { Blocker } from "../api/conditions.ts";
import { annotations } from "../model/annotations.ts";
import type { Identity } from "../model/identity.ts";
import { answerOf, type Member } from "../model/member.ts";
import { majorityOf } from "./quorum.ts";
import type { Snapshot } from "./snapshot.ts";

/** What is wrong with members' volumes, one sentence for each, and what to do about it. */
export function volumeProblems(snapshot: Snapshot, identity: Identity): Blocker[] {
  const lost = identity.bootstrapped === identity.epoch ? lostMembers(snapshot, identity) : [];
  const foreign = snapshot.members.flatMap((member) => foreignVolume(member));
  const remedy = remedyFor(snapshot, lost);
  return [...lost.map(({ what }) => volumeBlocker("VolumeLost", `${what} ${remedy}`)), ...foreign];
}

export interface LostMember {
  readonly member: Member;
  readonly what: string;
}

/** Members whose claim was replaced, or whose volume was emptied or damaged, since the cluster was bootstrapped. */
export function lostMembers({ members }: Snapshot, identity: Identity): LostMember[] {
  return members.flatMap((member) => {
    const what = lossOf(member, identity);
    return what === undefined ? [] : [{ member, what }];
  });
}

function lossOf(
  { name, claimName, claim, report }: Member,
  { epoch, clusterId }: Identity,
): string | undefined {
  if (!claim) return `${name} has lost its volume: claim ${claimName} is gone.`;
  const answer =
    report.kind === "answered" && report.answer.clusterId === clusterId ? report.answer : undefined;
  if (answer?.volume.kind === "empty") {
    return claim.started === epoch
      ? `${name} has lost its data: the volume of claim ${claimName} is empty.`
      : `${name} has lost its volume: claim ${claimName} is a new one.`;
  }
  if (answer?.volume.kind === "damaged") return `${name} has lost data: ${answer.volume.message}.`;
  if (claim.started !== epoch)
    return `${name} has another volume than it was started on: claim ${claimName} is a new one.`;
  return undefined;
}

function remedyFor({ cluster, members }: Snapshot, lost: readonly LostMember[]): string {
  const { name, namespace = "default" } = cluster.metadata;
  const left = members.length - lost.length;
  if (left >= majorityOf(members.length)) {
    const member = lost[0]?.member.name ?? "";
    return `It will not start on it. To rebuild it from the other members: kubectl annotate -n ${namespace} evnodeclusters/${name} ${annotations.approveRejoin}=${member}`;
  }
  return `It will not start on it, and ${lost.length} of ${members.length} members are lost, so the rest is no majority: bring the volumes back from a snapshot or a backup. Starting again without them could replace blocks that were already served.`;
}

function foreignVolume(member: Member): Blocker[] {
  const answer = answerOf(member);
  if (answer?.volume.kind !== "foreign") return [];
  const { name, claimName } = member;
  const text = `${name} does not start: the volume of claim ${claimName} is not its own: ${answer.volume.message}. Give it back its own volume, or delete claim ${claimName} and pod ${name} to have the member rebuilt.`;
  return [volumeBlocker("VolumeForeign", text)];
}

type VolumeReason = Extract<Blocker, { type: "VolumesReady" }>["reason"];

function volumeBlocker(reason: VolumeReason, message: string): Blocker {
  return { type: "VolumesReady", reason, message };
}
