import type { Identity } from "../model/identity.ts";
import type { Action } from "./actions.ts";
import { leaveFor } from "./leave.ts";
import { giveOrder, rejoinOrderId, votersOf } from "./orders.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Step } from "./step.ts";
import { lostMembers, obstacleTo } from "./volumes.ts";

/**
 * Lets one member that lost its volume, or cannot use it, join again, when that is allowed and nothing speaks against
 * it. Members that were lost too are not waited for: they do not run, and come back one after another. Nobody looked
 * at what the policy allows, so that is decided on a certain snapshot only.
 */
export function rejoin(
  snapshot: Snapshot,
  identity: Identity,
): Pick<Step, "needsCertainty"> & { actions: Action[] } {
  const lost = lostMembers(snapshot, identity);
  const found = lost
    .map((one) => ({ ...one, leave: leaveFor(one, lost.length, snapshot) }))
    .find(({ leave }) => leave.kind !== "ask");
  const voters = votersOf(snapshot, identity);
  if (!found?.member.claim || !found.member.pod || !voters) return { actions: [] };
  if (obstacleTo(found, lost, snapshot, identity) !== undefined) return { actions: [] };
  if (found.leave.kind === "policy" && !snapshot.isCertain) return { actions: [], needsCertainty: true };

  const { member, unusable } = found;
  const { claim, pod } = found.member;
  const { epoch } = identity;
  if (claim.started !== epoch) return { actions: [{ kind: "markClaim", member, claim, epoch }] };
  const anew = unusable === undefined ? {} : { anew: unusable };
  const order = { id: rejoinOrderId(member, pod), kind: "rejoin", epoch, voters, ...anew } as const;
  return { actions: giveOrder(member, order, snapshot.nowMs) };
}
