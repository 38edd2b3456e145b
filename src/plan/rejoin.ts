import type { Identity } from "../model/identity.ts";
import { majorityOf } from "../model/majority.ts";
import type { Action } from "./actions.ts";
import { approvedMember } from "./approval.ts";
import { giveOrder, rejoinOrderId, votersOf } from "./orders.ts";
import { leadership, participation } from "./quorum.ts";
import type { Snapshot } from "./snapshot.ts";
import { lostMembers } from "./volumes.ts";

/**
 * Lets one member that lost its volume join again, when the owner named it. It comes back as a voter without
 * memory of its votes, so all that lost nothing must take part, be a majority, and have one leader: then no vote
 * that it forgot can matter, and the blocks come from the others. Members that lost their volumes too are not
 * waited for: they do not run, and come back one after another.
 */
export function rejoin(snapshot: Snapshot, identity: Identity): Action[] {
  const approved = approvedMember(snapshot);
  const lost = lostMembers(snapshot, identity).map(({ member }) => member);
  const member = lost.find(({ name }) => name === approved);
  const voters = votersOf(snapshot, identity);
  const others = snapshot.members.filter((other) => !lost.includes(other));
  if (!member?.claim || !member.pod || !voters || !areWell(others, snapshot)) return [];

  const { claim, pod } = member;
  const { epoch } = identity;
  if (claim.started !== epoch) return [{ kind: "markClaim", member, claim, epoch }];
  return giveOrder(member, { id: rejoinOrderId(pod), kind: "rejoin", epoch, voters }, snapshot.nowMs);
}

function areWell(others: Snapshot["members"], { members, parsed }: Snapshot): boolean {
  const maxBlocksBehind = parsed.kind === "valid" ? parsed.spec.readiness.maxBlocksBehind : 0;
  const allTakePart = others.every(
    (other) => participation(other, members.length, maxBlocksBehind) === "yes",
  );
  return allTakePart && others.length >= majorityOf(members.length) && leadership(members).kind === "one";
}
