import { defaultsV1 } from "../api/defaults.ts";
import { parseTimestampMs } from "../evnode/timestamp.ts";
import { answerOf, type Member } from "../model/member.ts";
import type { OpenChange } from "../model/membership-record.ts";
import type { Action, Stages } from "./actions.ts";
import { headOf, inequalityOf } from "./last-block.ts";
import { isStartedIn, type MembershipScene, turnMembership, volumeChangeOf } from "./membership-scene.ts";
import { nextIntent } from "./membership-state.ts";
import { freeze, isWithdrawn, moveMember, prepareNext, unheld, withdrawal } from "./membership-steps.ts";
import { ownVolume } from "./own-volume.ts";
import { heightOf, leadership } from "./quorum.ts";
import { isPresent, type Scene, sceneOf, wayFor } from "./rollout-scene.ts";
import { gapSince } from "./rollout-status.ts";
import type { Step } from "./step.ts";

/** The chain stands still: nobody waits longer than he has to. */
const RECHECK_MS = 250;
/** Some blocks after its start a leader can tell how long none was made. Waited for until so long after the time is over. */
const TELL_WITHIN_MS = 15_000;
/** As long as it is where nothing is said, also while the spec is not valid. */
const STOP_WITHIN_MS = defaultsV1.membership.stopWithinSeconds * 1_000;

/** What is looked at while the chain stands still. */
interface Cut extends MembershipScene {
  readonly change: OpenChange;
  /** Members of the old epoch, and those that are to come. */
  readonly all: readonly Member[];
  /** The members of the next epoch. */
  readonly next: readonly Member[];
}

/**
 * From the stop of the old epoch to the first block of the next one. Before the identity names the next epoch nothing
 * of it can start anywhere, and the way back is open; from then on nothing of the old one can, and there is only the
 * way on.
 *
 * | identity | seen | then |
 * | --- | --- | --- |
 * | old epoch | the identity says that it was withdrawn | take the change back |
 * | old epoch | the time is over | withdraw it on the identity, and take the change back |
 * | old epoch | a volume of it was lost | take the change back |
 * | old epoch | a member of it that is not frozen | order `freeze` |
 * | old epoch | a pod of a new member that was made meanwhile | order `join` |
 * | old epoch | a process that could make a block, or blocks that are not equal everywhere | wait |
 * | old epoch | all hold the same last block | note it |
 * | old epoch | a member of the next one is not prepared | order `bootstrap` of the next epoch |
 * | old epoch | all of them are, and nothing has moved | the identity names the next epoch: it is decided |
 * | next epoch | the StatefulSet, or a claim, is of the old one | write them |
 * | next epoch | a member on its way to it that is not prepared any more | order `bootstrap` of it once more: it never ran in it |
 * | next epoch | a member of it is not started | order `start`, with the config of the next epoch |
 * | next epoch | one leads, has made a block, and all are started | note the end |
 */
export function cutover(scene: MembershipScene, change: OpenChange): Step {
  const cut = cutOf(scene, change);
  return scene.identity.epoch === change.to.epoch ? finish(cut) : decide(cut);
}

function cutOf(scene: MembershipScene, change: OpenChange): Cut {
  const { members, nonMembers } = scene.snapshot;
  const all = [...members, ...nonMembers].filter(
    ({ ordinal }) => ordinal < Math.max(change.from.replicas, change.to.replicas),
  );
  return { ...scene, change, all, next: all.filter(({ ordinal }) => ordinal < change.to.replicas) };
}

function waits({ change }: Cut, why: string, step: Step = {}): Step {
  const { from, to } = change;
  const message = `The chain stands still while ${from.replicas} members become ${to.replicas}: ${why}.`;
  return {
    stop: true,
    recheckAfterMs: RECHECK_MS,
    membership: { reason: "MembersChanging", message },
    ...step,
  };
}

function decide(cut: Cut): Step {
  const { change, snapshot, all, next, identity } = cut;
  const old = all.filter(({ ordinal }) => ordinal < change.from.replicas);
  if (isWithdrawn(change, identity)) return giveUp(cut, "it was withdrawn");
  const lost = old.find(hasLostVolume);
  if (lost) return losing(cut, lost);
  const freezes = old
    .filter((member) => !isFrozen(member, cut))
    .flatMap((member) => freeze(cut, change, member));
  if (freezes.length > 0) return waits(cut, "the old members stop making blocks", { stages: [freezes] });
  const joins = rejoins(cut);
  if (joins.length > 0) return waits(cut, "a new pod of a new member is told to follow", { stages: [joins] });
  const obstacle = obstacleTo(cut);
  if (obstacle !== undefined) return isLate(cut) ? giveUp(cut, obstacle) : hurry(cut, all, obstacle);
  if (!snapshot.isCertain) return waits(cut, "all are looked at once more", { needsCertainty: true });
  const level = headOf(all[0]);
  if (!level) return waits(cut, "a member does not tell its last block");
  if (!change.level) {
    const { height, hash } = level;
    const record = { ...change, level: { height, hash } };
    return waits(cut, "all hold the same last block", {
      stages: [[turnMembership(cut, record)]],
      recheckAfterMs: 0,
    });
  }
  if (change.level.height !== level.height || change.level.hash !== level.hash)
    return giveUp(cut, `block ${change.level.height} was the last one, and now ${level.height} is`);
  const unprepared = next.filter((member) => !volumeChangeOf(member, identity)?.prepared);
  const orders = unprepared.flatMap((member) => prepareNext(cut, change, member));
  if (unprepared.length > 0) {
    const why = "the members of the next epoch prepare for it";
    if (isLate(cut)) return giveUp(cut, `${unprepared[0]?.name} was not prepared for the next epoch in time`);
    return waits(cut, why, { stages: [orders].filter((stage) => stage.length > 0) });
  }
  const { epoch, replicas } = change.to;
  const decision: Action = { kind: "decideMembership", epoch, replicas };
  return waits(cut, "the next epoch is decided", { stages: [[decision]], recheckAfterMs: 0 });
}

/** It can be rebuilt only from members that make blocks. */
function hasLostVolume(member: Member): boolean {
  const answer = answerOf(member);
  if (!answer || answer.podUid !== member.pod?.uid) return false;
  return answer.volume.kind === "empty" || answer.volume.kind === "damaged";
}

function losing(cut: Cut, { name }: Member): Step {
  const why = `the volume of ${name} is not what it was`;
  return cut.snapshot.isCertain ? giveUp(cut, why) : waits(cut, why, { needsCertainty: true });
}

/** A pod that was made meanwhile is of the old epoch, in which a new member has no config. */
function rejoins(cut: Cut): Action[] {
  const { all, change, snapshot, identity, intents } = cut;
  const { configRevision } = nextIntent(snapshot, identity, intents, change.to).intent;
  return all
    .filter(({ ordinal }) => ordinal >= change.from.replicas)
    .filter((member) => volumeChangeOf(member, identity)?.kind !== "joining")
    .flatMap((member) => moveMember(cut, change, member, "join", configRevision));
}

/** Waits for members to come up, and gives those a new pod that Kubernetes holds back. */
function hurry(cut: Cut, members: readonly Member[], why: string, stages: Stages = []): Step {
  const held = unheld(members);
  if (held.length === 0) return waits(cut, why, { stages });
  if (!cut.snapshot.isCertain) return waits(cut, why, { stages, needsCertainty: true });
  return waits(cut, why, { stages: [...stages, held] });
}

const isFrozen = (member: Member, { identity, change }: Cut) => {
  const found = volumeChangeOf(member, identity);
  return found?.kind === "frozen" && found.to === change.to.epoch;
};

/** What keeps the members from being level, with nobody among them that could make a block; undefined when nothing does. */
function obstacleTo(cut: Cut): string | undefined {
  const { all, change, identity } = cut;
  const expected = Math.max(change.from.replicas, change.to.replicas);
  if (all.length < expected) return `${expected - all.length} members are not there`;
  for (const member of all) {
    const { name, ordinal, pod } = member;
    if (!pod || pod.terminating) return `${name} has no pod`;
    const found = volumeChangeOf(member, identity);
    if (ordinal < change.from.replicas ? !isFrozen(member, cut) : found?.kind !== "joining")
      return `${name} has not told that it is ${ordinal < change.from.replicas ? "frozen" : "joining"}`;
    if (!found?.settled) return `ev-node of ${name} does not run as a full node yet`;
    const mode = answerOf(member)?.mode;
    const height = heightOf(member);
    if (height === undefined || headOf(member) === undefined) return `${name} does not tell its last block`;
    const isShort = mode?.kind === "level" && mode.loggedHeight !== undefined && height < mode.loggedHeight;
    if (isShort) return `${name} lacks blocks of its Raft log`;
  }
  return inequalityOf(all);
}

const isLate = (cut: Cut) => overdueMs(cut) > 0;

/** For how long it takes longer than it may: before that, less than nothing. */
function overdueMs({ change, asked, snapshot }: Cut): number {
  const sinceMs = parseTimestampMs(change.stoppedAt ?? "") ?? snapshot.nowMs;
  return snapshot.nowMs - sinceMs - (asked?.policy.stopWithinMs ?? STOP_WITHIN_MS);
}

function giveUp(cut: Cut, why: string): Step {
  const record = { ...cut.change, kind: "takingBack", why } as const;
  return waits(cut, why, { stages: withdrawal(cut, record), recheckAfterMs: 0 });
}

function finish(cut: Cut): Step {
  const { snapshot, identity, intents, change, next } = cut;
  const { epoch, replicas } = change.to;
  const claims = next.flatMap((member): Action[] => {
    const { claim } = member;
    // A volume that came in place of one that was prepared is a loss, and rebuilt as one.
    const isOurs = volumeChangeOf(member, identity)?.prepared || isStartedIn(member, identity, epoch);
    return claim && claim.started !== epoch && isOurs ? [{ kind: "markClaim", member, claim, epoch }] : [];
  });
  const { intent } = nextIntent(snapshot, identity, intents, change.to);
  const { current } = intents;
  const isWritten = current.spec.replicas === replicas && current.configRevision === intent.configRevision;
  const write = isWritten ? [] : [turnMembership(cut, change, intent)];
  // What one watch tells of a claim can be newer than what the other tells of its pod.
  if (claims.length > 0 && !snapshot.isCertain)
    return waits(cut, "all are looked at once more", { needsCertainty: true });
  if (claims.length + write.length > 0)
    return waits(cut, "the next epoch is written down", {
      stages: [[...claims, ...write]],
      recheckAfterMs: 0,
    });
  const rolling = sceneOf(snapshot, []);
  if (!rolling?.target) return waits(cut, "the StatefulSet's controller has not looked at the template yet");
  const { configRevision } = intent;
  const late = next.find((member) => !isStartedIn(member, identity, epoch));
  const known = leadership(snapshot.members);
  const isBegun =
    known.kind === "one" && isStartedIn(known.leader, identity, epoch) && hasGoneOn(cut, known.leader);
  const starts = next
    .filter((member) => !isBegun || !isLeftToBootstrap(member, cut, configRevision))
    .flatMap((member) => startOf(cut, member, configRevision, rolling));
  const stages = [starts].filter((stage) => stage.length > 0);
  if (!isBegun) return hurry(cut, next, awaitedIn(cut), stages);
  if (late || starts.length > 0) {
    const message = `Blocks are made by ${replicas} members; ${late?.name ?? "a member"} is on its way.`;
    return { membership: { reason: "MembersChanging", message }, stages, recheckAfterMs: 1_000 };
  }
  return end(cut);
}

/** Whom the next block waits for. There is no way back, so past the deadline its owner is told where to look. */
function awaitedIn(cut: Cut): string {
  const { next, identity, change, snapshot } = cut;
  const late = next.filter((member) => !isStartedIn(member, identity, change.to.epoch));
  if (late.length === 0) return "all members of the next epoch run, and none of them has made a block yet";
  const why = `the members of the next epoch start, and no word of it came yet from ${namesOf(late, ", ")}`;
  if (!isLate(cut)) return why;
  const { namespace } = snapshot.cluster.metadata;
  return `${why}. It is decided, so there is only the way on. What keeps them: kubectl describe -n ${namespace} pods ${namesOf(late, " ")}`;
}

const namesOf = (members: readonly Member[], between: string) =>
  members.map(({ name }) => name).join(between);

function startOf(cut: Cut, member: Member, configRevision: string, rolling: Scene): Action[] {
  const { identity, change } = cut;
  const onItsWay = volumeChangeOf(member, identity);
  if (onItsWay && !onItsWay.prepared) return prepareNext(cut, change, member);
  const revision = revisionOf(member, rolling);
  const isDone = isStartedIn(member, identity, change.to.epoch) && member.pod?.revision === revision;
  return isDone ? [] : moveMember(cut, change, member, "start", configRevision, revision);
}

/**
 * Blocks are made again, and its volume is on no way to anywhere: it was lost meanwhile. Then it is rebuilt and started
 * by orders of `bootstrap.ts`, and a pod carries one order only.
 */
function isLeftToBootstrap(member: Member, { identity, change }: Cut, configRevision: string): boolean {
  const volume = ownVolume(member, identity);
  const isKnown = volume !== undefined && volume.kind !== "unchecked";
  const hasNowhereToGo = isKnown && volumeChangeOf(member, identity) === undefined;
  const isStarted = isStartedIn(member, identity, change.to.epoch);
  return hasNowhereToGo && !isStarted && member.pod?.configRevision === configRevision;
}

/**
 * With the config of the epoch it is of the new template, unless that differs in more: the StatefulSet may have been
 * made anew meanwhile, from the spec of today. Then a rollout sees to it afterwards.
 */
function revisionOf(member: Member, scene: Scene): string | undefined {
  const { target } = scene;
  if (!target || !isPresent(member)) return member.pod?.revision;
  const way = wayFor(member, target, scene);
  const isAlike = way.kind === "inPlace" && way.parts.every((part) => part === "config");
  return isAlike ? target.revision : member.pod.revision;
}

const hasGoneOn = ({ change }: Cut, leader: Member) => (heightOf(leader) ?? 0) > (change.level?.height ?? 0);

/** The leader tells for how long no block was made some blocks later. */
function end(cut: Cut): Step {
  const { snapshot, change } = cut;
  const { stoppedAt } = change;
  const gapMs = gapSince(snapshot, stoppedAt);
  const message = `Blocks are made by ${change.to.replicas} members.`;
  const view = { membership: { reason: "MembersChanging", message } as const, recheckAfterMs: 1_000 };
  if (gapMs === undefined && overdueMs(cut) < TELL_WITHIN_MS) return view;
  const finishedAt = new Date(snapshot.nowMs).toISOString();
  const gap = gapMs === undefined ? {} : { gapMs };
  return { ...view, stages: [[turnMembership(cut, { ...change, kind: "changed", finishedAt, ...gap })]] };
}
