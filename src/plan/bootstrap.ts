import type { Blocker } from "../api/conditions.ts";
import type { Identity } from "../model/identity.ts";
import { answerOf, type Member } from "../model/member.ts";
import type { Action } from "./actions.ts";
import { bootstrapOrder, giveOrder } from "./orders.ts";
import { rejoin } from "./rejoin.ts";
import type { Snapshot } from "./snapshot.ts";
import { type Decider, NOTHING, type Step } from "./step.ts";
import { volumeProblems } from "./volumes.ts";

/**
 * Lets members start, and only those that may. No member starts on an empty volume by its own judgement: whether
 * that is a first start or a lost volume is written on the identity and on the claims, outside the volumes.
 *
 * | identity says | seen | then |
 * | --- | --- | --- |
 * | not bootstrapped | some agent silent, or a volume that is not empty and not ours | wait, or say which |
 * | not bootstrapped | empty volumes | order `bootstrap`: raft's directory is written, nothing runs |
 * | not bootstrapped | every volume prepared | mark every claim, then the identity |
 * | bootstrapped | a prepared volume whose claim is marked | order `start` |
 * | bootstrapped | an empty or damaged volume, an unmarked claim | a lost volume: wait for the owner's approval |
 */
export const bootstrap: Decider = (snapshot) => {
  if (snapshot.identity.kind !== "present" || !snapshot.statefulSet) return NOTHING;
  const { identity } = snapshot.identity;
  return identity.bootstrapped === identity.epoch ? run(snapshot, identity) : prepare(snapshot, identity);
};

function prepare(snapshot: Snapshot, identity: Identity): Step {
  const blockers = volumeProblems(snapshot, identity);
  if (blockers.length > 0) return { blockers, recheckAfterMs: 15_000 };

  const states = snapshot.members.map((member) => ({ member, volume: volumeOf(member, identity) }));
  const empty = states.filter(({ volume }) => volume?.kind === "empty").map(({ member }) => member);
  if (empty.length > 0) {
    return { stages: [empty.flatMap((member) => giveOrder(member, bootstrapOrder(snapshot, identity)))] };
  }
  const prepared = states.every(({ volume }) => volume?.kind === "intact" && volume.epoch === identity.epoch);
  if (!prepared) return NOTHING;
  return {
    stages: [
      markClaims(snapshot.members, identity.epoch),
      [{ kind: "markBootstrapped", epoch: identity.epoch }],
    ],
  };
}

function run(snapshot: Snapshot, identity: Identity): Step {
  const blockers: readonly Blocker[] = volumeProblems(snapshot, identity);
  const starts = snapshot.members.flatMap((member) => {
    const volume = volumeOf(member, identity);
    const mayStart = volume?.kind === "intact" && !volume.started && member.claim?.started === identity.epoch;
    return mayStart
      ? giveOrder(member, { id: `start-${identity.epoch}`, kind: "start", epoch: identity.epoch })
      : [];
  });
  const repairs = rejoin(snapshot, identity, bootstrapOrder(snapshot, identity).voters);
  const step = { stages: [[...starts, ...repairs]].filter((stage) => stage.length > 0), blockers };
  return blockers.length > 0 ? { ...step, recheckAfterMs: 15_000 } : step;
}

/** What the agent found on the volume; undefined while it has not said, or speaks for another identity. */
function volumeOf(member: Member, { clusterId }: Identity) {
  const answer = answerOf(member);
  if (!answer || answer.clusterId !== clusterId || answer.podUid !== member.pod?.uid) return undefined;
  return answer.volume;
}

function markClaims(members: readonly Member[], epoch: number): Action[] {
  return members.flatMap((member) => {
    const { claim } = member;
    return claim && claim.started !== epoch ? [{ kind: "markClaim", member, claim, epoch }] : [];
  });
}
