import type { Blocker } from "../api/conditions.ts";
import type { AgentAnswer } from "../model/agent-protocol.ts";
import { type Identity, isBootstrapped } from "../model/identity.ts";
import type { Member } from "../model/member.ts";
import type { Action } from "./actions.ts";
import { endApproval } from "./approval.ts";
import { connectionFinding } from "./connection.ts";
import { changeOf } from "./membership-state.ts";
import { isMigrating } from "./migration-scene.ts";
import { giveOrder, REPEAT_AFTER_MS, votersOf } from "./orders.ts";
import { isAnyStarted, ownVolume, volumeIn } from "./own-volume.ts";
import { closedRaftPaths, stateOf } from "./paths.ts";
import { rejoin } from "./rejoin.ts";
import type { Snapshot } from "./snapshot.ts";
import { type Decider, NOTHING, type Step } from "./step.ts";
import { appliedIntent } from "./stored-intent.ts";
import { hasBegun, rebuildMessage, volumeProblems } from "./volumes.ts";

/**
 * Lets members start, and only those that may. No member starts on an empty volume by its own judgement: whether
 * that is a first start or a lost volume is written on the identity and on the claims, outside the volumes.
 *
 * | identity says | seen | then |
 * | --- | --- | --- |
 * | anything | another cluster holds the chain lock | nothing |
 * | not bootstrapped | a volume that is neither empty nor as this cluster prepares it | say which |
 * | not bootstrapped | empty volumes, and every claim, none of them marked; every agent answers | order `bootstrap`: raft's directory is written, nothing runs |
 * | not bootstrapped | every volume prepared, a Raft path without an answer or an address, or not looked at yet | wait; when it lasts, say which |
 * | not bootstrapped | every volume prepared, and no Raft path known to be closed | mark every claim, then the identity |
 * | not bootstrapped | the chain comes from outside, and no volume was started | nothing, as `migration.ts` decides |
 * | not bootstrapped | a claim is marked or a volume was started; every agent answers | mark the claims of the volumes that are there, then the identity |
 * | bootstrapped | a prepared volume whose claim is marked | order `start` |
 * | bootstrapped | an empty, damaged or unusable volume, an unmarked claim | a lost volume: rebuild it, or wait for the owner's approval (`leave.ts`) |
 * | bootstrapped | an approval for a member that has its volume | take the approval away |
 * | bootstrapped | an approval, and the member runs on its volume | take the approval away |
 */
export const bootstrap: Decider = (snapshot) => {
  if (snapshot.identity.kind !== "present" || !snapshot.statefulSet) return NOTHING;
  if (snapshot.chainLock.kind !== "ours") return NOTHING;
  const { identity } = snapshot.identity;
  return isBootstrapped(identity) ? run(snapshot, identity) : prepare(snapshot, identity);
};

function prepare(snapshot: Snapshot, identity: Identity): Step {
  const blockers = volumeProblems(snapshot, identity);
  if (blockers.length > 0) return { blockers, recheckAfterMs: 15_000 };
  // How many members there are goes into raft's log for ever, so it is not guessed.
  if (!appliedIntent(snapshot.statefulSet)) return NOTHING;
  // A chain that comes from outside is not begun: see `migration.ts`.
  if (isMigrating(snapshot, identity) && !isAnyStarted(snapshot.members, identity)) return NOTHING;

  const states = snapshot.members.map((member) => ({ member, volume: ownVolume(member, identity) }));
  const intact = states.filter(({ volume }) => isPrepared(volume, identity)).map(({ member }) => member);
  const allAnswer = states.every(({ volume }) => volume !== undefined && volume.kind !== "unchecked");
  if (hasBegun(snapshot, identity)) {
    // The mark was lost with an older copy of the identity, or not written yet. What is empty now is a lost volume.
    return allAnswer && intact.every(({ claim }) => claim) ? markAll(intact, snapshot, identity) : NOTHING;
  }
  // A claim that was not seen yet may be marked already.
  if (snapshot.members.some(({ claim }) => !claim)) return NOTHING;
  // Members that are prepared look for each other: a name server that is asked too early remembers that for long.
  if (!allAnswer) return NOTHING;
  const empty = states.filter(({ volume }) => volume?.kind === "empty").map(({ member }) => member);
  if (empty.length > 0) return orderBootstrap(snapshot, identity, empty);
  if (intact.length < states.length) return NOTHING;
  return waitForPaths(snapshot) ?? markAll(intact, snapshot, identity);
}

/**
 * A group that is begun with cut paths elects again and again, and before its first start nobody misses it. Paths that
 * nobody can tell of hold nothing back: an agent of an older version never tells, and silence is no evidence. One that
 * an agent is about to look at is waited for: the look ends within seconds, whatever it finds.
 */
export function waitForPaths(snapshot: Snapshot): Step | undefined {
  const closed = closedRaftPaths(snapshot.members);
  if (closed.length === 0) return undefined;
  const finding = connectionFinding(snapshot);
  const lasts = closed.some((path) => stateOf(path) !== "unknown");
  const isBlocker = finding.reason === "PathBlocked" || finding.reason === "NameUnresolved";
  const message = `No member is started before all Raft paths are open. ${finding.message}`;
  const blockers: readonly Blocker[] =
    lasts && isBlocker ? [{ type: "Connected", reason: finding.reason, message }] : [];
  return { blockers, recheckAfterMs: REPEAT_AFTER_MS };
}

function orderBootstrap(snapshot: Snapshot, identity: Identity, empty: readonly Member[]): Step {
  const voters = votersOf(snapshot, identity);
  if (!voters) return NOTHING;
  const { epoch } = identity;
  const order = { id: `bootstrap-${epoch}`, kind: "bootstrap", epoch, voters } as const;
  const orders = empty.flatMap((member) => giveOrder(member, order, snapshot.nowMs));
  return { stages: orders.length === 0 ? [] : [orders], recheckAfterMs: REPEAT_AFTER_MS };
}

function run(snapshot: Snapshot, identity: Identity): Step {
  const blockers: readonly Blocker[] = volumeProblems(snapshot, identity);
  const { epoch } = identity;
  const isChanging = changeOf(snapshot) !== undefined;
  const startable = snapshot.members.filter((member) => {
    const volume = volumeIn(member, identity);
    // One that is on its way there has its order from `membership-cutover.ts`, and a pod carries one only.
    const isElsewhere = isChanging && volume?.change !== undefined;
    return volume?.started === false && !isElsewhere && member.claim?.started === epoch;
  });
  const order = { id: `start-${epoch}`, kind: "start", epoch } as const;
  const starts = startable.flatMap((member) => giveOrder(member, order, snapshot.nowMs));
  const rejoining = rejoin(snapshot, identity);
  const ends = endApproval(snapshot, identity);
  const repairs = [...rejoining.actions, ...(snapshot.isCertain ? ends : [])];
  const needsCertainty = rejoining.needsCertainty === true || (ends.length > 0 && !snapshot.isCertain);
  const rebuilding = rebuildMessage(snapshot, identity);
  const step = {
    stages: [[...starts, ...repairs]].filter((stage) => stage.length > 0),
    blockers,
    ...(rebuilding === undefined ? {} : { rebuilding }),
    ...(needsCertainty ? { needsCertainty } : {}),
  };
  const waits = startable.length > 0 || repairs.length > 0 || rebuilding !== undefined;
  if (blockers.length === 0 && !waits) return step;
  return { ...step, recheckAfterMs: waits ? REPEAT_AFTER_MS : 15_000 };
}

type Volume = AgentAnswer["volume"];

function isPrepared(volume: Volume | undefined, { epoch }: Identity): boolean {
  // What a volume on its way from elsewhere waits for, `migration.ts` and `membership.ts` know.
  return volume?.kind === "intact" && volume.epoch === epoch && volume.change === undefined;
}

/**
 * The claims first: a crash in between leaves marked claims, which are enough to know that a start was allowed. Watches
 * may show a new claim beside the pod of the one before, whose agent still tells of its volume: the server is asked.
 */
export function markAll(members: readonly Member[], { isCertain }: Snapshot, { epoch }: Identity): Step {
  const claims = members.flatMap((member): Action[] => {
    const { claim } = member;
    return claim && claim.started !== epoch ? [{ kind: "markClaim", member, claim, epoch }] : [];
  });
  if (claims.length > 0 && !isCertain) return { needsCertainty: true };
  return {
    stages: [claims, [{ kind: "markBootstrapped", epoch } as const]].filter((stage) => stage.length > 0),
    // No watch shows the identity.
    recheckAfterMs: 0,
  };
}
