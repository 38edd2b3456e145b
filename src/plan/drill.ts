import type { Blocker } from "../api/conditions.ts";
import { parseTimestampMs } from "../evnode/timestamp.ts";
import { annotations } from "../model/annotations.ts";
import { type DrillRecord, LONGEST_DRILL_MESSAGE } from "../model/drill-record.ts";
import type { Member } from "../model/member.ts";
import type { Action } from "./actions.ts";
import { isBudgetFree, releaseBudget } from "./budget.ts";
import { drillAsked, drillRecordOn } from "./drill-state.ts";
import { missedBlocks } from "./missed-blocks.ts";
import { nextMember } from "./next-member.ts";
import { leadership } from "./quorum.ts";
import { isOpen, type Scene, sceneOf, standing } from "./rollout-scene.ts";
import type { RolloutView } from "./rollout-view.ts";
import { agedMs, type Snapshot } from "./snapshot.ts";
import { NOTHING, type Step } from "./step.ts";
import { isSuspended } from "./suspension-state.ts";
import { updateStep } from "./update-step.ts";

/** What the deciders before it came to. */
export interface Before {
  readonly blockers: readonly Blocker[];
  /** Undefined when nothing was decided about rollouts. */
  readonly rollout: RolloutView | undefined;
}

type UnderWay = Extract<DrillRecord, { kind: "underWay" }>;

const RECHECK_MS = 500;
/** A restart that was noted and not begun within this time, as the operator was away, is none that anybody awaits. */
const BEGIN_WITHIN_MS = 30_000;
/** A leader that has not told by then how it took the lead cannot. */
const TELL_WITHIN_MS = 30_000;
/** Where the spec, which has the deadline, is not valid by now. */
const DEADLINE_MS = 300_000;
/** With fewer there is no majority without the leader. */
const FEWEST = 3;

/**
 * The failover drill: the leader steps down once because its owner asks for it, by a restart of its ev-node in place,
 * with the same looks and the same disruption budget as every other restart. A request waits for nothing but a member
 * that has to take part for some time: anything else is a moment at which nobody wants a drill. Whatever stopped the
 * other deciders, it is asked.
 *
 * | record on the EvNodeCluster | request | seen | then |
 * | --- | --- | --- | --- |
 * | not under way | none | anything | nothing |
 * | ended with this request | it | anything | take the request away: somebody applied it again |
 * | not under way | any | not certain | look again |
 * | not under way | any | only time has to pass, as a member is back since a moment | wait: it passes by itself |
 * | not under way | any | something speaks against it (`obstacleOf`) | refuse: the record, and the request goes, in one write |
 * | not under way | any | nothing does | claim the budget, look again; then the record, and after that the restart |
 * | under way | | the leader's container is still there, and was not asked to end | begin again, within half a minute; else it failed |
 * | under way | | that container is gone, and the old leader is back | give the budget back, so that the next drill is not refused for this one |
 * | under way | | so it was, and one member leads and tells how it took the lead | it succeeded |
 * | under way | | not so until the rollouts' deadline | it failed; or it succeeded where one leads and tells |
 */
export function drill(snapshot: Snapshot, before: Before): Step {
  if (snapshot.cluster.metadata.deletionTimestamp !== undefined) return NOTHING;
  const record = drillRecordOn(snapshot);
  if (record?.kind === "underWay") return follow(record, snapshot, before);
  const request = drillAsked(snapshot);
  if (request === undefined) return NOTHING;
  if (record?.request === request && record.kind !== "refused") {
    const why = `the drill ${request} was at ${record.at}: ask for another one with another text`;
    return { stages: [[{ kind: "endRequest", annotation: "drill", why }]] };
  }
  if (!snapshot.isCertain) return { needsCertainty: true };
  const asked = { version: 1, request, at: timeOf(snapshot) } as const;
  const start = begin(snapshot, before);
  if (start.kind === "refused") return ended({ kind: "refused", ...asked, message: bounded(start.why) });
  if (start.kind === "later") return start.step;
  const { name: from, pod } = start.leader;
  const underWay = { kind: "underWay", ...asked, from, container: pod?.containerId ?? "" } as const;
  return { stages: [[turnTo(underWay)], start.actions], recheckAfterMs: RECHECK_MS };
}

type Start =
  | { readonly kind: "refused"; readonly why: string }
  /** Not yet: the budget is claimed first, or only time has to pass. */
  | { readonly kind: "later"; readonly step: Step }
  | { readonly kind: "restarts"; readonly leader: Member; readonly actions: readonly Action[] };

const TEMPLATE_UNSEEN = "the StatefulSet's controller has not looked at the template yet";
const refused = (why: string): Start => ({ kind: "refused", why });

/** On a certain snapshot. */
function begin(snapshot: Snapshot, before: Before): Start {
  const scene = sceneOf(snapshot, []);
  const why = obstacleOf(snapshot, scene, before);
  if (why !== undefined) return refused(why);
  if (!scene?.target) return refused(TEMPLATE_UNSEEN);
  const leader = scene.leadership.kind === "one" ? scene.leadership.leader : undefined;
  const next = nextMember(scene, scene.target, leader?.name);
  if (next.kind === "wait" && next.isFine) return { kind: "later", step: { recheckAfterMs: RECHECK_MS } };
  if (next.kind === "wait") return refused(next.why);
  if (!leader || next.kind === "done" || next.rule !== "R8")
    return refused("another member has to be restarted first");
  const step = updateStep({ ...next, why: "a failover drill that its owner asked for" }, scene.target, scene);
  if (step.kind === "wait") return refused(step.why);
  if (step.kind === "lookAgain") return { kind: "later", step: { needsCertainty: true } };
  if (step.actions.some(({ kind }) => kind === "claimBudget"))
    return { kind: "later", step: { stages: [step.actions], recheckAfterMs: RECHECK_MS } };
  return { kind: "restarts", leader, actions: step.actions };
}

/**
 * What speaks against a drill before any member is looked at. That every member takes part, that a follower is level
 * with the leader and that the budget has room is asked by `nextMember` and `updateStep`, as before every restart; of
 * three members and more that all take part, a majority remains.
 */
function obstacleOf(
  snapshot: Snapshot,
  scene: Scene | undefined,
  { blockers, rollout }: Before,
): string | undefined {
  const { members, parsed, cluster } = snapshot;
  const [blocker] = blockers;
  if (blocker) return `nothing is restarted while ${blocker.type} is not true`;
  if (!scene || !rollout || parsed.kind !== "valid") return "the cluster is not set up yet";
  if (isSuspended(snapshot)) return "spec.suspend is true";
  if (members.length < FEWEST) return `it takes ${FEWEST} members, and there are ${members.length}`;
  if (scene.policy?.mode === "Paused") return "spec.rollout.mode is Paused";
  if (cluster.metadata.annotations?.[annotations.restartMember] !== undefined)
    return "the restart of a member was asked for, too";
  if (scene.intents.wish || isOpen(scene.record))
    return `a change of the spec comes first: ${rollout.message}`;
  return undefined;
}

/** Until the lead is somebody's again, and the old leader is back. */
function follow(record: UnderWay, snapshot: Snapshot, before: Before): Step {
  const member = snapshot.members.find(({ name }) => name === record.from);
  const ageMs = snapshot.nowMs - (parseTimestampMs(record.at) ?? 0);
  const isStillThere = member?.pod?.containerId === record.container && !member.pod.terminating;
  const isLate = ageMs > deadlineMs(snapshot);
  if (isStillThere && member.pod.update?.onDemand !== true)
    return beginAgain(record, ageMs, snapshot, before);
  if (isStillThere)
    return isLate ? failed(record, `ev-node of ${record.from} did not end`) : { recheckAfterMs: RECHECK_MS };

  const isBack = isMemberBack(member, snapshot);
  const isAtRest = before.rollout?.reason === "UpToDate";
  const left = isBack && isAtRest ? releaseBudget(snapshot) : [];
  if (left.length > 0) return { stages: [left], recheckAfterMs: RECHECK_MS };
  // A rollout that began meanwhile has its own use for the budget.
  const isOver = isBack && (!isAtRest || isBudgetFree(snapshot));
  const taken = takenSince(record, snapshot);
  const isSilent = taken.kind === "silent" && ageMs > TELL_WITHIN_MS;
  if ((taken.kind === "told" || isSilent) && (isOver || isLate)) return succeeded(record, taken, snapshot);
  if (!isLate) return { recheckAfterMs: RECHECK_MS };
  return failed(record, "no member is known to lead since");
}

/** The record was written, and then the operator ended, or the pod was another one by then. */
function beginAgain(record: UnderWay, ageMs: number, snapshot: Snapshot, before: Before): Step {
  if (ageMs > BEGIN_WITHIN_MS) return failed(record, "it was not begun in time, and no member was touched");
  if (!snapshot.isCertain) return { needsCertainty: true };
  const start = begin(snapshot, before);
  if (start.kind === "refused") return failed(record, `no member was touched: ${start.why}`);
  if (start.kind === "later") return start.step;
  if (start.leader.name !== record.from)
    return failed(record, `no member was touched: ${start.leader.name} leads by now`);
  return { stages: [start.actions], recheckAfterMs: RECHECK_MS };
}

type Taken =
  | { readonly kind: "told"; readonly to: string; readonly gapMs: number }
  /** One leads, and does not tell how it came to that. */
  | { readonly kind: "silent"; readonly to: string }
  | { readonly kind: "nobody" };

/** Who took the lead since the drill began, by the new leader's own account. It may be the old one again. */
function takenSince({ at }: UnderWay, snapshot: Snapshot): Taken {
  const known = leadership(snapshot.members);
  if (known.kind !== "one") return { kind: "nobody" };
  const { name: to, report } = known.leader;
  const handover = report.kind === "answered" ? report.answer.handover : undefined;
  if (report.kind !== "answered" || !handover) return { kind: "silent", to };
  const takenMs = snapshot.nowMs - agedMs(handover.ageMs, report, snapshot);
  if (takenMs < (parseTimestampMs(at) ?? 0)) return { kind: "silent", to };
  return { kind: "told", to, gapMs: Math.max(0, Math.round(handover.gapMs)) };
}

/** It takes part again, and nothing is left of the restart. */
function isMemberBack(member: Member | undefined, snapshot: Snapshot): boolean {
  const scene = sceneOf(snapshot, []);
  if (!member?.pod?.ready || member.pod.update !== undefined || !scene) return false;
  return standing(member, scene).kind === "takesPart";
}

function succeeded(record: UnderWay, taken: Exclude<Taken, { kind: "nobody" }>, snapshot: Snapshot): Step {
  const { version, request, at, from } = record;
  const { to } = taken;
  const who = to === from ? `${from} stepped down and leads again` : `${from} stepped down and ${to} leads`;
  const measured =
    taken.kind === "told" ? { gapMs: taken.gapMs, ...missedBlocks(taken.gapMs, snapshot) } : {};
  const message =
    taken.kind === "told" ? `${who}.` : `${who}. It cannot tell for how long no block was made.`;
  return ended({ kind: "succeeded", version, request, at, from, to, message, ...measured });
}

function failed({ version, request, at, from }: UnderWay, why: string): Step {
  return ended({ kind: "failed", version, request, at, from, message: bounded(why) });
}

/** A moment later what was claimed for it is given back. */
const ended = (record: DrillRecord): Step => ({
  stages: [[turnTo(record)]],
  recheckAfterMs: GIVE_BACK_AFTER_MS,
});

const GIVE_BACK_AFTER_MS = 4_000;

const turnTo = (record: DrillRecord): Action => ({ kind: "turnDrill", record });

function deadlineMs({ parsed }: Snapshot): number {
  return parsed.kind === "valid" ? parsed.rollout.progressDeadlineMs : DEADLINE_MS;
}

const timeOf = ({ nowMs }: Snapshot) => new Date(nowMs).toISOString();
const bounded = (text: string) => text.slice(0, LONGEST_DRILL_MESSAGE);
