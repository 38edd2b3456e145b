import type { Identity } from "../model/identity.ts";
import type { Action } from "./actions.ts";
import { giveOrder, rejoinOrderId, votersOf } from "./orders.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Step } from "./step.ts";
import { lostMembers, obstacleTo } from "./volumes.ts";

/**
 * Lets one member that lost its volume, or cannot use it, join again, when that is allowed and nothing speaks against
 * it. Members that were lost too are not waited for: they do not run, and come back one after another. Decided on a
 * certain snapshot only: watches may show the claim before, which was marked, beside the pod on the new one.
 */
export function rejoin(
  snapshot: Snapshot,
  identity: Identity,
): Pick<Step, "needsCertainty"> & { actions: Action[] } {
  const lost = lostMembers(snapshot, identity);
  const found = lost.find(({ leave }) => leave.kind !== "ask");
  const voters = votersOf(snapshot, identity);
  if (!found?.member.claim || !found.member.pod || !voters) return { actions: [] };
  if (obstacleTo(found, lost, snapshot, identity) !== undefined) return { actions: [] };

  const { member, unusable } = found;
  const { claim, pod } = found.member;
  const { epoch } = identity;
  const anew = unusable === undefined ? {} : { anew: unusable };
  const order = { id: rejoinOrderId(member, pod), kind: "rejoin", epoch, voters, ...anew } as const;
  const actions: Action[] =
    claim.started === epoch
      ? giveOrder(member, order, snapshot.nowMs)
      : [{ kind: "markClaim", member, claim, epoch }];
  return actions.length === 0 || snapshot.isCertain ? { actions } : { actions: [], needsCertainty: true };
}
