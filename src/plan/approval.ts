import type { Identity } from "../model/identity.ts";
import { answerOf, type Member } from "../model/member.ts";
import type { Action } from "./actions.ts";
import { approvedMember } from "./leave.ts";
import { isRejoinIn, votersOf } from "./orders.ts";
import { volumeIn } from "./own-volume.ts";
import type { Snapshot } from "./snapshot.ts";
import { lostMembers } from "./volumes.ts";

/** Whoever edits an annotation may write more into it than a name. */
const LONGEST_NAME = 63;

/**
 * Takes an approval away that has nothing to approve any more. It is good for one loss: left in place it would let
 * the member be rebuilt after the next one too, which nobody decided. Only what is certain ends it: a member that is
 * silent, is starting or is about to go may be a lost one.
 *
 * | the member that it names | then |
 * | --- | --- |
 * | is none of this cluster | take it away |
 * | runs on a volume of its own, after the rejoin that this pod was ordered to | it was used: take it away |
 * | runs on a volume of its own | nothing was lost: take it away |
 * | anything else | leave it |
 */
export function endApproval(snapshot: Snapshot, identity: Identity): Action[] {
  const approved = approvedMember(snapshot);
  const voters = votersOf(snapshot, identity);
  if (approved === undefined || !voters) return [];
  const end = (because: "unknownMember" | "used" | "nothingLost"): Action[] => [
    { kind: "endApproval", member: approved.slice(0, LONGEST_NAME), because },
  ];
  if (!voters.some(({ id }) => id === approved)) return end("unknownMember");

  const member = snapshot.members.find(({ name }) => name === approved);
  const isLost = lostMembers(snapshot, identity).some(
    (lost) => lost.unusable !== undefined && lost.member === member,
  );
  if (!member?.pod || isLost || !hasItsVolume(member, identity)) return [];
  return end(isRejoinIn(member.pod, answerOf(member)?.executedOrder) ? "used" : "nothingLost");
}

/** Claim, pod and agent agree that this member was started on the volume that it has now, and that it stays. */
function hasItsVolume(member: Member, identity: Identity): boolean {
  const { pod, claim } = member;
  if (!pod || pod.terminating || !claim || claim.terminating || claim.started !== identity.epoch)
    return false;
  return volumeIn(member, identity)?.started === true;
}
