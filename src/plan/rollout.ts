import type { Blocker } from "../api/conditions.ts";
import { parseTimestampMs } from "../evnode/timestamp.ts";
import { annotations } from "../model/annotations.ts";
import type { Action } from "./actions.ts";
import { releaseBudget } from "./budget.ts";
import { drillAsked, isDrilling } from "./drill-state.ts";
import { changeOf } from "./membership-state.ts";
import { type Next, nextMember } from "./next-member.ts";
import { endRehearsals } from "./rehearsal.ts";
import {
  isOpen,
  isOutdated,
  isPresent,
  type Present,
  type Scene,
  sceneOf,
  type Target,
} from "./rollout-scene.ts";
import { type RolloutView, viewOf } from "./rollout-view.ts";
import type { Snapshot } from "./snapshot.ts";
import { type Decider, NOTHING, type Step } from "./step.ts";
import { completeRollout, revertWish } from "./turn-rollout.ts";
import { finishedUpdates, updateStep } from "./update-step.ts";
import { type WishState, wishBlockers, wishState } from "./wish-state.ts";

/** While a rollout is under way, heights and readiness move without anybody telling. */
const RECHECK_MS = 500;
const OWNER_MS = 15_000;

/**
 * Takes a change of the spec to the members: one at a time, each back before the next, the leader last.
 *
 * | when | then |
 * | --- | --- |
 * | R0: the change waits (paused, not approved, being tried, taken back) or something is wrong with spec or chain | tell the plan, and touch nobody (`wish-state.ts`) |
 * | the change may go | apply the template, with the way back beside it (`turn-rollout.ts`) |
 * | an update in place is seen to be through | mark its pod as updated |
 * | R1 to R8: a member is next | see `next-member.ts`, and `update-step.ts` for what is done to it |
 * | a touched member does not come up in time | go back (`Revert`), or stay (`Hold`) and say why |
 * | every member runs the template and takes part | note the end, and give the disruption budget back |
 */
export const rollout: Decider = (snapshot, blockers = []) => {
  const scene = sceneOf(snapshot, blockers);
  if (!scene) return NOTHING;
  // What it would be taken to is about to change.
  if (changeOf(snapshot)) return { rollout: waitForMembership(snapshot) };
  const state = wishState(scene);
  const move = moveOf(scene, state);
  const all = [...wishBlockers(state), ...(move.blockers ?? [])];
  const tried = state.kind === "held" && state.actions.length > 0 ? [state.actions] : [];
  const isMoving = move.next.kind !== "done" || tried.length > 0;
  return {
    stages: [...tried, ...(move.stages ?? [])].filter((stage) => stage.length > 0),
    blockers: all,
    rollout: viewOf(scene, state, move.next, all),
    ...(move.needsCertainty ? { needsCertainty: true } : {}),
    ...(isMoving ? { recheckAfterMs: isForOwner(scene, state) ? OWNER_MS : RECHECK_MS } : {}),
  };
};

function waitForMembership({ members }: Snapshot): RolloutView {
  const message = "The number of members is being changed; nothing else is changed meanwhile.";
  return { reason: "RolloutWaiting", message, updated: members.length };
}

/** Nothing but an edit of the EvNodeCluster gets it on, and that is told. */
function isForOwner({ policy }: Scene, state: WishState): boolean {
  return policy?.mode === "Paused" || (state.kind === "held" && state.reason === "PlanAwaitsApproval");
}

/** What is done next, and what is told about it. */
interface Move extends Pick<Step, "stages" | "blockers" | "needsCertainty"> {
  readonly next: Next;
}

const waiting = (why: string, step: Omit<Move, "next"> = {}): Move => ({
  ...step,
  next: { kind: "wait", why },
});

function moveOf(scene: Scene, state: WishState): Move {
  if (state.kind === "apply") return waiting("the template is applied", { stages: state.stages });
  const { target } = scene;
  if (!target && !isOpen(scene.record)) return { next: { kind: "done" } };
  if (!target) return waiting("the StatefulSet's controller has not looked at the template yet");
  const finished = finishedUpdates(scene, target);
  if (finished.length > 0)
    return waiting("what was seen is noted", { stages: [endedRequests(scene, finished), finished] });

  const next: Next = isUnderWay(scene, target)
    ? nextMember(scene, target, askedMember(scene))
    : { kind: "done" };
  if (next.kind === "done") return { next, stages: [[...completeRollout(scene), ...tidied(scene, state)]] };
  if (next.kind === "wait") return waitOrStall(scene, next);
  const held = holdOf(scene, state);
  if (held !== undefined) return waiting(held);
  const step = updateStep(next, target, scene);
  if (step.kind === "wait") return waitOrStall(scene, { ...step, ...begunOn(next.member) });
  return step.kind === "lookAgain" ? { next, needsCertainty: true } : { next, stages: [step.actions] };
}

/** A cluster whose members all run the template is no rollout, whatever else is wrong with it. */
function isUnderWay(scene: Scene, target: Target): boolean {
  const { record, snapshot } = scene;
  if (isDrilling(snapshot)) return true;
  return (
    isOpen(record) ||
    isAnyOutdated(snapshot, target) ||
    snapshot.members.some(({ name }) => name === askedMember(scene))
  );
}

const isAnyOutdated = ({ members }: Scene["snapshot"], target: Target) =>
  members.filter(isPresent).some((member) => isOutdated(member, target));

const askedMember = ({ snapshot }: Scene) =>
  snapshot.cluster.metadata.annotations?.[annotations.restartMember];

/** Why no member may be touched now, whoever is the next. */
function holdOf({ blockers, policy }: Scene, state: WishState): string | undefined {
  const [blocker] = blockers;
  if (blocker) return `nothing is restarted while ${blocker.type} is not true`;
  if (!policy) return "nothing is restarted while the spec is not valid";
  if (policy.mode === "Paused") return "spec.rollout.mode is Paused";
  // A change that failed its trial is as good as none: what was begun before it goes on.
  const isAwaited = state.kind === "held" && state.reason !== "RehearsalFailed";
  return isAwaited ? "a newer change of the spec waits" : undefined;
}

/** Too long is too long: then all go back by themselves, or a person has to look. */
function waitOrStall(scene: Scene, next: Extract<Next, { kind: "wait" }>): Move {
  const { snapshot, policy } = scene;
  const sinceMs = next.sinceMs ?? lastProgressMs(scene);
  const isLate = policy && sinceMs !== undefined && snapshot.nowMs - sinceMs > policy.progressDeadlineMs;
  if (!isLate || next.isFine) return { next };
  const mayGoBack = policy.mode !== "Paused" && policy.onStall === "Revert" && next.isUpdatesFault;
  const revert = mayGoBack ? revertWish(scene, next.why) : undefined;
  if (revert) return { next, stages: [[revert]] };
  const message = `The rollout does not get on: ${next.why}. Nothing else is restarted until that is over, or the spec is edited.`;
  const blocker: Blocker = { type: "RolloutComplete", reason: "RolloutStalled", message };
  return { next, blockers: [blocker] };
}

/** Undefined while nothing was begun. Members that are older than their StatefulSet are outdated since it was made. */
function lastProgressMs({ record, snapshot, statefulSet, target }: Scene): number | undefined {
  const begun = snapshot.members.flatMap(({ pod }) => pod?.update?.at ?? []);
  const starts = snapshot.members.flatMap(({ pod }) => [pod?.createdAt, pod?.startedAt]);
  const { creationTimestamp: madeAt = "" } = statefulSet.metadata;
  const isOlder = snapshot.members.some(({ pod }) => pod !== undefined && (pod.createdAt ?? madeAt) < madeAt);
  const isLeft = isOlder && target !== undefined && isAnyOutdated(snapshot, target);
  const since = isOpen(record) ? record?.startedAt : madeAt;
  const all = isOpen(record) || isLeft ? [since, ...begun, ...starts] : begun;
  const times = all.flatMap((time) => parseTimestampMs(time ?? "") ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
}

/** Once something was begun on a member, that is to blame for not getting on. */
function begunOn({ pod }: Present): Pick<Extract<Next, { kind: "wait" }>, "sinceMs" | "isUpdatesFault"> {
  const sinceMs = parseTimestampMs(pod.update?.at ?? "");
  return sinceMs === undefined ? {} : { sinceMs, isUpdatesFault: true };
}

/** A restart that was asked for is over when it is seen. */
function endedRequests(scene: Scene, finished: readonly Action[]): Action[] {
  const asked = askedMember(scene);
  const isOver = finished.some((action) => {
    return (
      action.kind === "finishUpdate" && action.member.name === asked && action.pod.update?.onDemand === true
    );
  });
  return isOver ? [{ kind: "endRequest", annotation: "restartMember", why: `${asked} was restarted` }] : [];
}

/** What nobody waits for any more. */
function tidied(scene: Scene, state: WishState): Action[] {
  const { snapshot } = scene;
  const asked = askedMember(scene);
  const isStranger = asked !== undefined && !snapshot.members.some(({ name }) => name === asked);
  return [
    // A drill gives back itself what it claimed.
    ...(drillAsked(snapshot) === undefined && !isDrilling(snapshot) ? releaseBudget(snapshot) : []),
    ...(state.kind === "held" ? [] : endRehearsals(snapshot)),
    ...(isStranger
      ? [{ kind: "endRequest", annotation: "restartMember", why: "it names no member" } as const]
      : []),
  ];
}
