import type { Voter } from "../model/agent-protocol.ts";
import { annotations } from "../model/annotations.ts";
import type { Identity } from "../model/identity.ts";
import type { Action } from "./actions.ts";
import { giveOrder } from "./orders.ts";
import { leadership, majorityOf, participation } from "./quorum.ts";
import type { Snapshot } from "./snapshot.ts";
import { lostMembers } from "./volumes.ts";

/**
 * Lets one member that lost its volume join again, when the owner named it. It comes back as a voter without
 * memory of its votes, so every other member must take part under one leader: then no vote that it forgot can
 * matter, and the blocks come from the others.
 */
export function rejoin(snapshot: Snapshot, identity: Identity, voters: readonly Voter[]): Action[] {
  const approved = snapshot.cluster.metadata.annotations?.[annotations.approveRejoin];
  const lost = lostMembers(snapshot, identity).find(({ member }) => member.name === approved);
  if (!lost || !othersAreWell(snapshot, lost.member.name)) return [];

  const { member } = lost;
  const { claim, pod } = member;
  if (!claim || !pod) return [];
  if (claim.started !== identity.epoch) return [{ kind: "markClaim", member, claim, epoch: identity.epoch }];
  // The order's id names the pod: a later loss of the same member is another repair with an order of its own.
  return giveOrder(member, {
    id: `rejoin-${pod.uid}`,
    kind: "rejoin",
    epoch: identity.epoch,
    voters: [...voters],
  });
}

function othersAreWell({ members, parsed }: Snapshot, lostName: string): boolean {
  const maxBlocksBehind = parsed.kind === "valid" ? parsed.spec.readiness.maxBlocksBehind : 0;
  const others = members.filter(({ name }) => name !== lostName);
  const allTakePart = others.every(
    (other) => participation(other, members.length, maxBlocksBehind) === "yes",
  );
  return allTakePart && others.length >= majorityOf(members.length) && leadership(members).kind === "one";
}
