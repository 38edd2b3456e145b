import { answerOf } from "../model/member.ts";
import type { Next } from "./next-member.ts";
import { isOpen, isOutdated, type Present, type Scene, type Target } from "./rollout-scene.ts";
import { gapSince } from "./rollout-status.ts";
import { agedMs } from "./snapshot.ts";

/** Some blocks after its start it can tell; where these come slowly, the rollout ends without. */
const TELL_WITHIN_MS = 15_000;

/**
 * A single sequencer in a rollout. Nobody can take over from it, and nobody is waited for: its blocks stop for as long
 * as the update takes, which whoever has one member accepts.
 *
 * | the member | then |
 * | --- | --- |
 * | is outdated, and its agent does not answer | wait: silence is not death |
 * | is outdated | update it, whether it makes blocks or not: that may be what heals it |
 * | took the lead a moment ago, and has not told for how long no block was made | wait for that |
 * | anything else | done |
 */
export function nextOfOne(member: Present, target: Target, scene: Scene): Next {
  if (isOutdated(member, target)) return updateOfOne(member, "R7", "the only member");
  const { record, snapshot } = scene;
  const isTold = gapSince(snapshot, record?.startedAt) !== undefined;
  if (!isOpen(record) || isTold || ledForMs(member, scene) > TELL_WITHIN_MS) return { kind: "done" };
  const why = `${member.name} is about to tell for how long no block was made`;
  return { kind: "wait", why, isFine: true };
}

/** Its owner asked for a restart, which may be what heals it. */
export const restartOfOne = (member: Present): Next => updateOfOne(member, "R8", "asked for by its owner");

function updateOfOne(member: Present, rule: "R7" | "R8", why: string): Next {
  if (!answerOf(member)) return { kind: "wait", why: `the agent of ${member.name} does not answer` };
  return { kind: "update", rule, member, isBroken: false, why };
}

function ledForMs({ report }: Present, { snapshot }: Scene): number {
  const [ageMs] = report.kind === "answered" ? (report.answer.leadAgesMs ?? []) : [];
  if (report.kind !== "answered" || ageMs === undefined) return Number.POSITIVE_INFINITY;
  return agedMs(ageMs, report, snapshot);
}
