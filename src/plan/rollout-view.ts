import type { Blocker, Finding } from "../api/conditions.ts";
import type { Member } from "../model/member.ts";
import { boundedChanges } from "../model/rollout-record.ts";
import { podTemplate } from "../resources/pod-template.ts";
import type { Next } from "./next-member.ts";
import { soleOf } from "./quorum.ts";
import { blueprintOf } from "./rendering.ts";
import {
  isBegun,
  isOpen,
  isOutdated,
  isPresent,
  isUpdated,
  type Present,
  type Scene,
  type Target,
  wayFor,
} from "./rollout-scene.ts";
import type { Snapshot } from "./snapshot.ts";
import { type Way, wayOf } from "./update-way.ts";
import { planHash, type WishState } from "./wish-state.ts";

type Reason = Finding<"RolloutComplete">["reason"];

/** What is told of a change on its way to the members. Nothing in it may move by itself, such as a height. */
export interface RolloutView {
  readonly reason: Reason;
  readonly message: string;
  /** How many members run what the spec asks for. */
  readonly updated: number;
  /** Absent when all of them do. */
  readonly progress?: Progress;
}

interface Progress {
  readonly target: string;
  readonly changes: readonly string[];
  readonly plan: readonly PlanStep[];
  readonly startedAt?: string;
  readonly planHash?: string;
  readonly next?: string;
  readonly waitingFor?: string;
  readonly refused?: string;
}

interface PlanStep {
  readonly member: string;
  readonly way: "Restart" | "Replace" | "Relabel";
  readonly reason: string;
  readonly state: "Waiting" | "UnderWay" | "Done";
}

export function viewOf(
  scene: Scene,
  state: WishState,
  next: Next,
  blockers: readonly Blocker[],
): RolloutView {
  const { record, target } = scene;
  const plan = planOf(scene, state);
  const updated = state.kind === "none" ? plan.filter((step) => step.state === "Done").length : 0;
  if (state.kind === "none" && next.kind === "done" && !isOpen(record))
    return { reason: "UpToDate", message: "Every member runs the spec.", updated };
  const { reason, message } = tellingOf(scene, state, next, blockers);
  const ofWish =
    state.kind === "none"
      ? isOpen(record)
        ? record
        : undefined
      : { wish: state.wish.digest, changes: state.wish.changes };
  const progress: Progress = {
    target: ofWish?.wish ?? target?.revision ?? "",
    changes: boundedChanges(ofWish?.changes ?? []),
    plan,
    ...(isOpen(record) ? { startedAt: record?.startedAt ?? "" } : {}),
    ...(state.kind === "held" ? { planHash: planHash(scene, state.wish) } : {}),
    ...(next.kind === "update" ? { next: next.member.name } : {}),
    ...(next.kind === "wait" ? { waitingFor: next.why.slice(0, 1024) } : {}),
    ...(state.kind === "refused" ? { refused: state.why.slice(0, 1024) } : {}),
  };
  return { reason, message, updated, progress };
}

function tellingOf(
  { policy, record }: Scene,
  state: WishState,
  next: Next,
  blockers: readonly Blocker[],
): Pick<RolloutView, "reason" | "message"> {
  const problems = blockers.filter((blocker) => blocker.type === "RolloutComplete");
  const [first] = problems;
  // A change that was taken back, and the way back does not get on: both need a person.
  if (first) return { reason: first.reason, message: problems.map(({ message }) => message).join(" ") };
  const ofRecord = isOpen(record) ? (record?.changes ?? []) : [];
  const changes = state.kind === "none" ? ofRecord : state.wish.changes;
  const what = changes.length === 0 ? "A restart" : `A change of ${changes.join(", ")}`;
  if (state.kind === "held") return { reason: state.reason, message: `${what} is not begun: ${state.why}.` };
  if (policy?.mode === "Paused")
    return { reason: "RolloutPaused", message: `${what} is stopped: spec.rollout.mode is Paused.` };
  if (next.kind === "wait")
    return { reason: "RolloutWaiting", message: `${what} is taken to the members: ${next.why}.` };
  const who = next.kind === "update" ? `: ${next.member.name} is next, ${next.why}` : "";
  return { reason: "RollingOut", message: `${what} is taken to the members${who}.` };
}

/**
 * Followers from the highest ordinal on, the leader last; all are still to come of a change that is not applied, or
 * that the StatefulSet's controller has not looked at.
 */
function planOf(scene: Scene, state: WishState): PlanStep[] {
  const { snapshot, leadership } = scene;
  const leader = leadership.kind === "one" ? leadership.leader : undefined;
  const present = snapshot.members.filter(isPresent);
  const ordered = present.toSorted(
    (a, b) => Number(a === leader) - Number(b === leader) || b.ordinal - a.ordinal,
  );
  const target = state.kind === "none" || state.kind === "refused" ? scene.target : undefined;
  return ordered.map((member) => ({
    member: member.name,
    way: target ? wayTold(member, target, scene) : wayToWish(member, scene),
    reason: placeOf(member, leader, snapshot),
    state: target ? stateOf(member, target) : "Waiting",
  }));
}

function placeOf(member: Member, leader: Member | undefined, { members }: Snapshot): string {
  if (soleOf(members)) return "It is the only member: no block is made while it restarts.";
  return member === leader ? "It leads, so it comes last." : "It follows.";
}

function stateOf(member: Present, target: Target): PlanStep["state"] {
  if (isUpdated(member, target) && member.pod.update === undefined) return "Done";
  return isBegun(member, target) || !isOutdated(member, target) ? "UnderWay" : "Waiting";
}

function wayTold(member: Present, target: Target, scene: Scene): PlanStep["way"] {
  if (isUpdated(member, target) || isBegun(member, target)) return "Restart";
  return inAWord(wayFor(member, target, scene));
}

/** As far as it is known before the server has made a revision of it: by what the operator renders, now and then. */
function wayToWish({ pod }: Present, { snapshot, identity, intents }: Scene): PlanStep["way"] {
  const { applied, wish } = intents;
  if (!applied || !wish) return "Restart";
  const [from, to] = [applied, wish.intent].map((one) => podTemplate(blueprintOf(snapshot, identity, one)));
  return from && to ? inAWord(wayOf(pod, from, to, "")) : "Restart";
}

function inAWord(way: Way): PlanStep["way"] {
  if (way.kind === "replace") return "Replace";
  return way.parts.length === 0 ? "Relabel" : "Restart";
}
