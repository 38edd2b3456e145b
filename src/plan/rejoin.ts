import type { Identity } from "../model/identity.ts";
import type { Action } from "./actions.ts";
import { approvedMember } from "./approval.ts";
import { giveOrder, rejoinOrderId, votersOf } from "./orders.ts";
import { rejoinObstacle } from "./rejoin-obstacle.ts";
import type { Snapshot } from "./snapshot.ts";
import { lostMembers } from "./volumes.ts";

/**
 * Lets one member that lost its volume join again, when the owner named it and nothing speaks against it. Members
 * that lost their volumes too are not waited for: they do not run, and come back one after another.
 */
export function rejoin(snapshot: Snapshot, identity: Identity): Action[] {
  const approved = approvedMember(snapshot);
  const lost = lostMembers(snapshot, identity).map(({ member }) => member);
  const member = lost.find(({ name }) => name === approved);
  const voters = votersOf(snapshot, identity);
  const others = snapshot.members.filter((other) => !lost.includes(other));
  if (!member?.claim || !member.pod || !voters || rejoinObstacle(others, snapshot) !== undefined) return [];

  const { claim, pod } = member;
  const { epoch } = identity;
  if (claim.started !== epoch) return [{ kind: "markClaim", member, claim, epoch }];
  return giveOrder(member, { id: rejoinOrderId(pod), kind: "rejoin", epoch, voters }, snapshot.nowMs);
}
