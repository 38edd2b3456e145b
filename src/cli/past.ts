import type { Status } from "../api/evnodecluster.ts";
import { parseTimestampMs } from "../evnode/timestamp.ts";
import { ago, span } from "./age.ts";

/** What was last, in a line each. */

export function drillText(drill: NonNullable<Status["lastDrill"]>, nowMs: number): string {
  const { result = "Unknown", at, from, message } = drill;
  const when = `${result}, ${ago(at, nowMs)}`;
  if (result === "Succeeded") return `${when}: ${message ?? ""} ${gapText(drill)}`.trimEnd();
  if (result === "UnderWay") return `${when}: ${from} steps down`;
  return `${when}: ${message ?? "no reason is told"}`;
}

/** For how long no block was made. */
export function gapText({ gapMs, blocksMissed }: NonNullable<Status["lastDrill"]>): string {
  if (gapMs === undefined) return "";
  const missed =
    blocksMissed === undefined
      ? ""
      : `, in which ${blocksMissed} ${blocksMissed === 1 ? "block" : "blocks"} would have fitted`;
  return `The gap was ${gapMs} ms${missed}.`;
}

export function rolloutEndText(rollout: NonNullable<Status["lastRollout"]>, nowMs: number): string {
  const { result = "Unknown", changes = [], startedAt, finishedAt, leaderChanges, longestGapMs } = rollout;
  const what = changes.length === 0 ? "a restart" : changes.join(", ");
  const [startMs, endMs] = [startedAt, finishedAt].map((time) => parseTimestampMs(time ?? ""));
  return [
    `${result}, ${ago(finishedAt, nowMs)}: ${what}`,
    ...(startMs === undefined || endMs === undefined ? [] : [`took ${span(endMs - startMs)}`]),
    ...(leaderChanges === undefined ? [] : [`leader changes ${leaderChanges}`]),
    ...(longestGapMs === undefined ? [] : [`longest gap ${longestGapMs} ms`]),
  ].join(", ");
}

export function repairText(repair: NonNullable<Status["repairs"]>[number], nowMs: number): string {
  const { member = "a member", at, doneAt } = repair;
  const ended =
    doneAt === undefined ? "it does not take part yet" : `it took part again ${ago(doneAt, nowMs)}`;
  return `${member} was rebuilt, ordered ${ago(at, nowMs)}; ${ended}`;
}
