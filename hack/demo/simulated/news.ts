import type { MemberLook, Verdict } from "./look.ts";
import type { Frame } from "./play.ts";
import { tagOf } from "./story.ts";

/** What is new since the moment before, one line each. Heights rise all the time and are no news. */
export function newsIn(before: Frame | undefined, frame: Frame): readonly string[] {
  const stamp = `${(frame.nowMs / 1000).toFixed(1).padStart(6)} s`;
  const opening =
    before === undefined ? ["SIMULATION: the real operator, on a simulated Kubernetes cluster"] : [];
  const scene = frame.now === before?.now ? [] : ["", `--- ${frame.now}`];
  const ends = frame.scenes
    .filter(({ told }, at) => told !== (before?.scenes[at]?.told ?? ""))
    .map(({ title, state, told }) => `--- ${title} ${state === "failed" ? "failed" : "has ended"}: ${told}`);
  const news = [
    ...eventsSince(before, frame),
    ...changed(clusterLine, before, frame),
    ...frame.look.members.flatMap((_, at) =>
      changed((one) => memberLine(one.look.members[at]), before, frame),
    ),
    ...changed(({ look }) => verdictLine("RolloutComplete", look.rolloutComplete), before, frame),
    ...changed(({ look }) => verdictLine("Stalled", look.stalled), before, frame),
  ];
  return [...opening, ...scene, ...news.map((line) => `${stamp}  ${line}`), ...ends];
}

function changed(line: (frame: Frame) => string, before: Frame | undefined, frame: Frame): readonly string[] {
  const now = line(frame);
  return before !== undefined && line(before) === now ? [] : [now];
}

function eventsSince(before: Frame | undefined, { events }: Frame): readonly string[] {
  return events
    .slice(before?.events.length ?? 0)
    .map(({ type, reason, note }) => `event      ${type} ${reason}: ${note}`);
}

function clusterLine({ look }: Frame): string {
  const { name, phase, leader = "nobody", quorum, ready, updated } = look;
  return `cluster    ${name}: ${phase}, leader ${leader}, quorum ${quorum}, ready ${ready}, updated ${updated}`;
}

function memberLine(member: MemberLook | undefined): string {
  if (member === undefined) return "";
  const { name, role, state, image, doing } = member;
  return `member     ${name}: ${role}, ${state}, image ${image === undefined ? "-" : tagOf(image)}, ${doing}`;
}

const verdictLine = (type: string, { status, reason, message }: Verdict) =>
  `condition  ${type} ${status} ${reason}: ${message}`;
