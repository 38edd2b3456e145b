import { parseTimestampMs } from "../evnode/timestamp.ts";
import { answerOf, isFailed, type Member } from "../model/member.ts";
import { messageOf } from "./member-status.ts";
import { blocksBehind } from "./quorum.ts";
import {
  isBegun,
  isPresent,
  isTouched,
  isUpdated,
  type Present,
  type Scene,
  standing,
  type Target,
} from "./rollout-scene.ts";

export type Next =
  /** Every member is of the template and takes part. */
  | { readonly kind: "done" }
  | {
      readonly kind: "wait";
      readonly why: string;
      readonly recheckAfterMs?: number;
      readonly blamed?: Blamed;
    }
  | { readonly kind: "update"; readonly member: Present; readonly why: string; readonly isBroken: boolean };

/** An updated member that does not take part, and since when it could. */
export interface Blamed {
  readonly member: Present;
  readonly sinceMs: number;
}

/** A member that is away for this long while nobody leads does not come back by itself. */
const STUCK_MS = 30_000;
/** A follower that lags less than this is as far as the leader: heights are looked at once a second. */
const LEVEL_MS = 1_500;

/**
 * Which member is updated next. The first row that fits decides; "updated" includes those that were touched and are on
 * their way up.
 *
 * | rule | when | then |
 * | --- | --- | --- |
 * | R1 | a member has no pod, or its pod stops | wait |
 * | R2 | an outdated member cannot run, as Kubernetes or its agent shows | update it: it can lose nothing |
 * | R2 | nobody leads, everybody answers, and an outdated member is away for long | update it: there is no quorum to lose |
 * | R3 | an updated member does not take part, or not for long enough | wait; it is to blame when the time is over |
 * | R4 | not exactly one member leads | wait |
 * | R5 | any other member does not take part, or is silent | wait: silence is not death |
 * | R6 | an outdated follower | update the one that does not take part, then one that was begun, then the highest ordinal |
 * | R7 | only the leader is outdated | update it when an updated follower is level with it |
 * | R8 | its owner asked for a restart of a member | update that |
 */
export function nextMember(scene: Scene, target: Target, asked: string | undefined): Next {
  const { members } = scene.snapshot;
  const absent = members.find((member) => !isPresent(member));
  if (absent) return wait(absent.pod ? `the pod of ${absent.name} stops` : `${absent.name} has no pod`);
  const present = members.filter(isPresent);
  const outdated = present.filter((member) => isOutdated(member, target, scene));
  const broken = outdated.find(isBroken) ?? stuckIn(outdated, present, scene);
  if (broken) return { kind: "update", member: broken, isBroken: true, why: brokenMessage(broken) };
  return waitForUpdated(present, outdated, scene) ?? choose(present, outdated, scene, asked);
}

export function isOutdated(member: Present, target: Target, scene: Scene): boolean {
  return !isUpdated(member, target) && !isTouched(member, target, scene);
}

/** It cannot run as it is: the word of Kubernetes or of its own agent, never its silence. */
function isBroken(member: Member): boolean {
  const { pod } = member;
  if (!pod) return false;
  const prepare = answerOf(member)?.prepare;
  const isRefused = prepare?.kind === "refused" && prepare.reason === "Config";
  return isFailed(pod.evnode) || isFailed(pod.agent) || typeof pod.scheduling === "object" || isRefused;
}

function stuckIn(
  outdated: readonly Present[],
  present: readonly Present[],
  scene: Scene,
): Present | undefined {
  if (scene.leadership.kind !== "none" || present.some((member) => !answerOf(member))) return undefined;
  return outdated.find((member) => {
    const answer = answerOf(member);
    const isInRaft = answer?.prepare.kind === "done" && answer.mode?.kind === "raft";
    return isInRaft && !answer.ready.ok && readyForMs(member, scene) >= STUCK_MS;
  });
}

const brokenMessage = (member: Present) =>
  `${member.name} does not run: ${messageOf(member) ?? "it knows no leader"}`;

/** Since when the agent says what it says, as far as it tells. */
function readyForMs(member: Present, { snapshot }: Scene): number {
  const { report } = member;
  if (report.kind !== "answered") return 0;
  const { forMs } = report.answer.ready;
  // An agent that does not tell is one of an earlier version.
  return forMs === undefined ? Number.POSITIVE_INFINITY : forMs + snapshot.monotonicMs - report.atMs;
}

function waitForUpdated(
  present: readonly Present[],
  outdated: readonly Present[],
  scene: Scene,
): Next | undefined {
  for (const member of present) {
    if (outdated.includes(member)) continue;
    const { name } = member;
    const sinceMs = sinceOf(member);
    const seen = standing(member, scene);
    if (member.pod.update !== undefined && isBroken(member))
      return { ...wait(brokenMessage(member)), blamed: { member, sinceMs } };
    if (scene.leadership.kind === "one" && seen.kind !== "takesPart")
      return { ...wait(seen.why), blamed: { member, sinceMs } };
    const { ready } = answerOf(member) ?? {};
    if (ready !== undefined && !ready.ok)
      return {
        ...wait(`${name} is not ready: ${withoutNumbers(ready.message)}`),
        blamed: { member, sinceMs },
      };
    const missingMs = (scene.policy?.minReadyMs ?? 0) - readyForMs(member, scene);
    if (member.pod.update !== undefined) return { ...wait(`${name} restarts`), blamed: { member, sinceMs } };
    if (missingMs > 0) return wait(`${name} has to take part for some time`, Math.max(100, missingMs));
  }
  return undefined;
}

/** The last moment at which it began anew, or was well. */
function sinceOf({ pod }: Present): number {
  const times = [pod.update?.at, pod.createdAt, pod.ready ? undefined : pod.readySince];
  return Math.max(...times.map((time) => parseTimestampMs(time ?? "") ?? 0));
}

function choose(
  present: readonly Present[],
  outdated: readonly Present[],
  scene: Scene,
  asked: string | undefined,
): Next {
  const { leadership } = scene;
  if (leadership.kind === "several") return wait("more than one member says that it leads");
  if (leadership.kind === "none") return wait("no member leads");
  const { leader } = leadership;
  const followers = outdated.filter((member) => member !== leader);
  const victim = firstOf(followers, scene) ?? outdated[0] ?? present.find(({ name }) => name === asked);

  const others = present.filter((member) => member !== victim).map((member) => standing(member, scene));
  for (const other of others) if (other.kind !== "takesPart") return wait(other.why);
  if (!victim) return { kind: "done" };
  const own = standing(victim, scene);
  if (own.kind === "unknown") return wait(own.why);
  if (victim === leader && outdated.includes(victim) && !isAnyLevel(present, victim, scene))
    return wait(`no follower is level with ${leader.name}, the leader`);
  const why = own.kind === "away" ? own.why : victim === leader ? "the leader, last" : "a follower";
  return { kind: "update", member: victim, isBroken: false, why };
}

/** One that does not take part can lose nothing more; what was begun is finished before something else is. */
function firstOf(followers: readonly Present[], scene: Scene): Present | undefined {
  const { target } = scene;
  const away = followers.find((member) => standing(member, scene).kind === "away");
  const begun = target && followers.find((member) => isBegun(member, target));
  return away ?? begun ?? followers.toSorted((a, b) => b.ordinal - a.ordinal)[0];
}

function isAnyLevel(present: readonly Present[], leader: Present, { intents }: Scene): boolean {
  const tolerated = Math.max(1, Math.ceil(LEVEL_MS / intents.current.spec.chain.blockTimeMs));
  return present.some(
    (member) => member !== leader && (blocksBehind(member) ?? Number.MAX_VALUE) <= tolerated,
  );
}

const withoutNumbers = (text: string) => text.replaceAll(/\d+/g, "…");

function wait(why: string, recheckAfterMs?: number): Extract<Next, { kind: "wait" }> {
  return { kind: "wait", why, ...(recheckAfterMs === undefined ? {} : { recheckAfterMs }) };
}
