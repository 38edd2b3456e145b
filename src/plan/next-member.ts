import { parseTimestampMs } from "../evnode/timestamp.ts";
import { majorityOf } from "../model/majority.ts";
import { answerOf, isFailed, type Member } from "../model/member.ts";
import { blocksPerLook } from "./block-pace.ts";
import { isConfigGone } from "./config-entries.ts";
import { messageOf } from "./member-status.ts";
import { nextOfOne, restartOfOne } from "./next-of-one.ts";
import { soleOf } from "./quorum.ts";
import {
  isBegun,
  isOutdated,
  isPresent,
  isRestarting,
  type Present,
  type Scene,
  standing,
  type Target,
  wayFor,
} from "./rollout-scene.ts";
import { agedMs } from "./snapshot.ts";
import { behindAll, executionBehind } from "./standing.ts";
import { lostMembers } from "./volumes.ts";

export type Next =
  /** Every member is of the template and takes part. */
  | { readonly kind: "done" }
  | {
      readonly kind: "wait";
      readonly why: string;
      /** Since when, as far as that is known. */
      readonly sinceMs?: number;
      /** An updated member holds it up: going back may help. */
      readonly isUpdatesFault?: true;
      /** Only time has to pass. */
      readonly isFine?: true;
    }
  | {
      readonly kind: "update";
      readonly member: Present;
      readonly rule: Rule;
      readonly why: string;
      readonly isBroken: boolean;
    };

/** The row of the table below that chose a member. */
type Rule = "R2" | "R6" | "R7" | "R8";

/** A member that is away for this long while nobody leads does not come back by itself. */
const STUCK_MS = 30_000;

/**
 * Which member is updated next. The first row that fits decides; "updated" includes those that were touched and are on
 * their way up.
 *
 * | rule | when | then |
 * | --- | --- | --- |
 * | R1 | a member has no pod, or its pod stops | wait |
 * | R2 | an outdated member cannot run, as Kubernetes or its agent shows | update it: it can lose nothing |
 * | R2 | an outdated member does not run, and its config is gone | update it: nobody can render that config again |
 * | R2 | the agent of an outdated member cannot run, beside its ev-node | update it: that is another agent, to begin with |
 * | R2 | nobody leads, everybody answers, no member is broken that was updated to something new, but by a lost volume, and an outdated one is away for long | update it: there is no quorum to lose |
 * | R3 | an updated member does not take part, or not for long enough | wait; it is to blame when the time is over |
 * | R4 | not exactly one member leads | wait |
 * | R5 | any other member does not take part, or is silent | wait: silence is not death |
 * | R5 | the leader was told to restart for something else before | wait: two would be away at once |
 * | R6 | an outdated follower | update the one that does not take part, then one that was told to restart, then one that was begun, then the highest ordinal |
 * | R7 | only the leader is outdated | update it when an updated follower is level with it, its execution layer too |
 * | R7 | the only member is outdated | see `next-of-one.ts` |
 * | R8 | its owner asked for a restart of a member, or for a drill of the leader | update that; the leader when a follower is level with it |
 */
export function nextMember(scene: Scene, target: Target, asked: string | undefined): Next {
  const { members } = scene.snapshot;
  const absent = members.find((member) => !isPresent(member));
  if (absent?.pod) return wait(`the pod of ${absent.name} stops`);
  // The server may refuse to make it as the new template has it.
  if (absent) return { ...wait(`${absent.name} has no pod`), isUpdatesFault: true };
  const present = members.filter(isPresent);
  const outdated = present.filter((member) => isOutdated(member, target));
  const broken = outdated.find(isBroken) ?? stuckIn(present, outdated, scene);
  if (broken)
    return { kind: "update", rule: "R2", member: broken, isBroken: true, why: brokenMessage(broken, scene) };
  const bare = outdated.find((member) => lacksConfig(member, scene));
  if (bare)
    return {
      kind: "update",
      rule: "R2",
      member: bare,
      isBroken: true,
      why: `the config of ${bare.name} is gone`,
    };
  const mute = outdated.find((member) => needsAgent(member, target, scene));
  if (mute)
    return {
      kind: "update",
      rule: "R2",
      member: mute,
      isBroken: false,
      why: `the agent of ${mute.name} does not run`,
    };
  const sole = soleOf(scene.snapshot.members) && present[0];
  if (sole && asked === sole.name && sole.pod.update === undefined) return restartOfOne(sole);
  const lack = waitForUpdated(present, outdated, scene);
  return lack ?? (sole ? nextOfOne(sole, target, scene) : choose(present, outdated, scene, asked));
}

/** Its agent cannot run, and it is to have another one: that takes nothing away. */
function needsAgent(member: Present, target: Target, scene: Scene): boolean {
  if (!isFailed(member.pod.agent)) return false;
  const way = wayFor(member, target, scene);
  return way.kind === "inPlace" && way.parts.includes("agent");
}

/** It cannot run as it is: the word of Kubernetes or of its own agent, never its silence. */
function isBroken(member: Member): boolean {
  const { pod } = member;
  if (!pod) return false;
  const prepare = answerOf(member)?.prepare;
  const isRefused = prepare?.kind === "refused" && prepare.reason === "Config";
  if (isFailed(pod.evnode) || typeof pod.scheduling === "object") return true;
  // ev-node goes on beside an agent that does not, and for a while beside an execution client.
  const isHeldUp = isFailed(pod.agent) || isFailed(pod.execution) || isRefused;
  return pod.evnode.kind !== "running" && isHeldUp;
}

/** Somebody took it away with the whole Secret. An ev-node that runs has its own copy. */
function lacksConfig({ name, pod }: Present, { snapshot }: Scene): boolean {
  const { evnode, configRevision } = pod;
  if (configRevision === undefined || evnode.kind === "running") return false;
  return isConfigGone(snapshot, name, configRevision);
}

function stuckIn(
  present: readonly Present[],
  outdated: readonly Present[],
  scene: Scene,
): Present | undefined {
  if (scene.leadership.kind !== "none" || present.some((member) => !answerOf(member))) return undefined;
  const broken = present.filter((member) => !outdated.includes(member) && isBroken(member));
  // An updated member that cannot run speaks against the update, unless that is what all ran before, or its volume
  // is what it cannot run on.
  const isProven = scene.record?.kind === "reverted" && !broken.some(isRestarting);
  if (!isProven && !broken.every((member) => isLostIn(scene, member))) return undefined;
  // Whoever started a moment ago may still bring the majority that is missing.
  const others = present.filter((member) => !broken.includes(member));
  if (!others.every((member) => hasRunFor(STUCK_MS, member, scene))) return undefined;
  const voters = present.filter(isInRaft);
  // Without a majority in Raft nobody can lead, and what is missing is no member's update.
  if (voters.length < majorityOf(scene.snapshot.members.length)) return undefined;
  // A leader that went a moment ago has another one in the next.
  if (voters.some((member) => leaderlessForMs(member, scene) < STUCK_MS)) return undefined;
  return outdated.find(isInRaft);
}

function isLostIn({ snapshot }: Scene, member: Member): boolean {
  const { identity } = snapshot;
  return (
    identity.kind === "present" &&
    lostMembers(snapshot, identity.identity).some((lost) => lost.member === member)
  );
}

function isInRaft(member: Member): boolean {
  const answer = answerOf(member);
  return answer?.prepare.kind === "done" && answer.mode?.kind === "raft";
}

/** For how long it has known no leader: only then its HTTP server is closed. */
function leaderlessForMs({ report }: Present, { snapshot }: Scene): number {
  if (report.kind !== "answered" || report.answer.node.kind !== "closed") return 0;
  return agedMs(report.answer.node.sinceMs, report, snapshot);
}

/** One that nothing keeps from its start is about to start, however long that takes. */
function hasRunFor(ms: number, member: Present, { snapshot }: Scene): boolean {
  const { startedAt, createdAt } = member.pod;
  const isDue = startedAt === undefined && answerOf(member)?.prepare.kind === "done";
  const startedMs = isDue ? undefined : parseTimestampMs(startedAt ?? createdAt ?? "");
  return startedMs !== undefined && snapshot.nowMs - startedMs >= ms;
}

function brokenMessage(member: Present, { snapshot }: Scene): string {
  const why = messageOf(member, snapshot.cluster.status) ?? "it knows no leader";
  return `${member.name} does not run with image ${member.pod.image ?? "?"}: ${why}`;
}

/** For how long the member's readiness has been as it is; undefined when its agent does not tell. */
function readyForMs({ report }: Present, { snapshot }: Scene): number | undefined {
  if (report.kind !== "answered" || report.answer.ready.forMs === undefined) return undefined;
  return agedMs(report.answer.ready.forMs, report, snapshot);
}

function waitForUpdated(
  present: readonly Present[],
  outdated: readonly Present[],
  scene: Scene,
): Next | undefined {
  for (const member of present) {
    if (outdated.includes(member)) continue;
    const lack = lackOf(member, scene);
    if (lack) return lack;
    // An agent of an earlier version does not tell for how long.
    const minReadyMs = scene.policy?.minReadyMs ?? 0;
    if ((readyForMs(member, scene) ?? minReadyMs) < minReadyMs)
      return { ...wait(`${member.name} has to take part for some time`), isFine: true };
  }
  return undefined;
}

/** What an updated member lacks before another one may be restarted, and since when it is to blame for that. */
function lackOf(member: Present, scene: Scene): Next | undefined {
  const { name, pod } = member;
  const answer = answerOf(member);
  const lacks = (why: string, since: string | undefined): Next => {
    // Whatever it is, an update under way is to blame from its beginning on.
    const sinceMs = parseTimestampMs(pod.update?.at ?? since ?? "");
    return sinceMs === undefined ? wait(why) : { ...wait(why), sinceMs, isUpdatesFault: true };
  };
  const unready = pod.ready ? undefined : (pod.readySince ?? pod.createdAt);
  if (isBroken(member)) return lacks(brokenMessage(member, scene), unready);
  const seen = standing(member, scene);
  const hasLeader = scene.leadership.kind === "one";
  // Silence blames nobody, but for a pod in which no agent runs that could speak.
  if (!answer && hasLeader)
    return lacks(
      seen.kind === "takesPart" ? "" : seen.why,
      pod.agent.kind === "running" ? undefined : unready,
    );
  if (answer && !answer.ready.ok)
    return lacks(
      `${name} is not ready: ${withoutNumbers(answer.ready.message)}`,
      unreadySince(member, scene),
    );
  if (hasLeader && seen.kind !== "takesPart") return lacks(seen.why, undefined);
  if (!hasLeader && soleOf(scene.snapshot.members)) return soleLack(member, lacks);
  if (pod.update !== undefined) return lacks(`${name} restarts`, undefined);
  return hasFollowed(member, scene)
    ? undefined
    : lacks(`${name} has stored no block since its start`, pod.startedAt);
}

/** A single sequencer that does not lead makes no blocks. */
function soleLack(
  { name, pod, report }: Present,
  lacks: (why: string, since: string | undefined) => Next,
): Next {
  return report.kind === "answered"
    ? lacks(`${name} makes no blocks`, pod.startedAt)
    : lacks(`the agent of ${name} does not answer`, undefined);
}

/** Since when its agent says that it is not ready. */
function unreadySince(member: Present, scene: Scene): string | undefined {
  const forMs = readyForMs(member, scene);
  return forMs === undefined ? undefined : new Date(scene.snapshot.nowMs - forMs).toISOString();
}

/**
 * A member that stores nothing is no further behind than is tolerated, for a while. Blocks that were made before it
 * started prove nothing; where the leader has made none since, there is nothing to prove it by.
 */
function hasFollowed(member: Present, { leadership, snapshot, intents }: Scene): boolean {
  const startedMs = parseTimestampMs(member.pod.startedAt ?? "");
  const [own, leaders] = [member, leadership.kind === "one" ? leadership.leader : undefined].map(blockTimeMs);
  if (startedMs === undefined || own === undefined || leaders === undefined) return true;
  // It has to make the block itself. Of a lazy chain that may take as long as the interval.
  if (soleOf(snapshot.members) && intents.current.spec.chain.lazy === undefined) return own > startedMs;
  return own > startedMs || leaders <= startedMs;
}

function blockTimeMs(member: Member | undefined): number | undefined {
  const node = member && answerOf(member)?.node;
  return node?.kind === "open" ? node.blockTimeMs : undefined;
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
  // It has been told to, and may do it at any moment.
  if (victim !== leader && outdated.some((member) => member === leader && isRestarting(member)))
    return wait(`${leader.name} restarts`);
  const own = standing(victim, scene);
  if (own.kind === "unknown") return wait(own.why);
  if (victim === leader && !isAnyLevel(present, victim, scene))
    return wait(`no follower is level with ${leader.name}, the leader`);
  const rule = !outdated.includes(victim) ? "R8" : victim === leader ? "R7" : "R6";
  const why = own.kind === "away" ? own.why : reasons[rule];
  return { kind: "update", rule, member: victim, isBroken: false, why };
}

const reasons = { R6: "a follower", R7: "the leader, last", R8: "asked for by its owner" } as const;

/**
 * One that does not take part can lose nothing more; what was begun is finished before something else is, also where it
 * was begun for a template before this one.
 */
function firstOf(followers: readonly Present[], scene: Scene): Present | undefined {
  const { target } = scene;
  const away = followers.find((member) => standing(member, scene).kind === "away");
  const begun = target && followers.find((member) => isBegun(member, target));
  return (
    away ?? followers.find(isRestarting) ?? begun ?? followers.toSorted((a, b) => b.ordinal - a.ordinal)[0]
  );
}

function isAnyLevel(present: readonly Present[], leader: Present, { intents }: Scene): boolean {
  const tolerated = blocksPerLook(intents.current.spec);
  const isLevel = (behind: number | undefined) => behind !== undefined && behind <= tolerated;
  return present.some(
    (member) => member !== leader && isLevel(behindAll(member, leader)) && isLevel(executionBehind(member)),
  );
}

const withoutNumbers = (text: string) => text.replaceAll(/\d+/g, "…");

const wait = (why: string): Extract<Next, { kind: "wait" }> => ({ kind: "wait", why });
