import type { Blocker } from "../api/conditions.ts";
import { votersDigest } from "../model/fingerprints.ts";
import { answerOf, isFailed, type Member } from "../model/member.ts";
import { type MembershipRecord, type OpenChange, openChange } from "../model/membership-record.ts";
import type { Action } from "./actions.ts";
import { lacksConfigs } from "./config-entries.ts";
import { isDrilling } from "./drill-state.ts";
import { lostChange } from "./lost-change.ts";
import { failureText } from "./member-status.ts";
import { cutover } from "./membership-cutover.ts";
import { type MembershipScene, membershipScene, turnMembership, volumeChangeOf } from "./membership-scene.ts";
import { nextEpoch, nextIntent } from "./membership-state.ts";
import { moveMember, takeBack, withdrawal } from "./membership-steps.ts";
import { membershipVoters } from "./orders.ts";
import { joiningOf, ownVolume } from "./own-volume.ts";
import { bestHeight, heightOf, leadership, participation, soleOf } from "./quorum.ts";
import { isOpen, isPresent, isUpdated, sceneOf, standing } from "./rollout-scene.ts";
import { type Decider, NOTHING, type Step } from "./step.ts";
import { recordOn } from "./stored-record.ts";

const RECHECK_MS = 1_000;

/**
 * Takes a change of the number of members to the chain. ev-node fixes its set of members at the first start, so another
 * set is another epoch: new members follow the chain as full nodes, then all members stop making blocks and level, then
 * the new epoch begins at the very block that all of them hold. No pod is replaced by it.
 *
 * | the record on the StatefulSet | seen | then |
 * | --- | --- | --- |
 * | none, or closed | a member is on its way to another epoch | write the record anew: see `lost-change.ts` |
 * | none, or closed | spec.replicas is the number of members | nothing |
 * | none, or closed | this attempt is not approved, or something speaks against it | say so |
 * | none, or closed | anything else | note the change: the StatefulSet makes pods for the new members |
 * | changing | spec.replicas or the approval was taken back, or a suspension asked for | take the change back: nothing was stopped |
 * | changing | a new member joined another set for this epoch, or for a later one | take the change back: the next attempt is another epoch |
 * | changing | a new member has no leave to follow the chain | order `join` |
 * | changing | a new member does not follow closely, or an old one does not take part | wait |
 * | changing | anything else | note that the members stop making blocks from now on |
 * | stopped | anything | see `membership-cutover.ts` |
 * | taking back | the identity names the next epoch | go on with it: see `membership-cutover.ts` |
 * | taking back | a member that is frozen | order `thaw` |
 * | taking back | none is | note the end: the pods of the new members go, their volumes stay |
 */
export const membership: Decider = (snapshot, blockers = []) => {
  const scene = membershipScene(snapshot, blockers);
  if (!scene) return NOTHING;
  const change = openChange(scene.record);
  if (!change) {
    const lost = lostChange(scene);
    return lost ? takeUp(scene, lost) : mayBegin(scene);
  }
  const isDecided = scene.identity.epoch === change.to.epoch;
  if (change.kind === "takingBack" && !isDecided) return takeBack(scene, change);
  // Whatever the record says: what is decided goes on.
  return change.stoppedAt === undefined
    ? join(scene, change)
    : cutover(scene, { ...change, kind: "changing" });
};

const told = (reason: NonNullable<Step["membership"]>["reason"], message: string): Step => ({
  membership: { reason, message },
});

/** What stands still is not left alone, whatever became of the record. */
function takeUp(scene: MembershipScene, lost: OpenChange): Step {
  const { snapshot } = scene;
  const view = told(
    "MembersChanging",
    "The record of a change of the number of members was lost: it is made anew.",
  );
  if (!snapshot.isCertain) return { ...view, stop: true, needsCertainty: true, recheckAfterMs: RECHECK_MS };
  const stages = lost.kind === "takingBack" ? withdrawal(scene, lost) : [[turnMembership(scene, lost)]];
  return { ...view, stop: true, stages, recheckAfterMs: 0 };
}

function mayBegin(scene: MembershipScene): Step {
  const { asked, snapshot, identity, record } = scene;
  const now = snapshot.members.length;
  if (!asked || asked.replicas === now) return NOTHING;
  const epoch = nextEpoch(identity, record);
  const what = `A change from ${now} to ${asked.replicas} members`;
  if (asked.policy.approvedEpoch !== epoch) return notApproved(scene, what, asked.replicas, epoch);
  const obstacle = obstacleTo(scene);
  if (obstacle !== undefined)
    return { ...told("MembershipWaiting", `${what} waits: ${obstacle}.`), recheckAfterMs: RECHECK_MS };
  const to: MembershipRecord = {
    version: 1,
    kind: "changing",
    from: { epoch: identity.epoch, replicas: now },
    to: { epoch, replicas: asked.replicas },
    startedAt: new Date(snapshot.nowMs).toISOString(),
  };
  return {
    ...told("MembersJoining", `${what} begins.`),
    stages: [[turnMembership(scene, to)]],
    recheckAfterMs: RECHECK_MS,
  };
}

/** An attempt that was taken back needs a person; one that nobody approved yet waits. */
function notApproved(scene: MembershipScene, what: string, replicas: number, epoch: number): Step {
  const { record, snapshot } = scene;
  const approve = `Blocks stop for some seconds while it is made. To have it made, set spec.membership.approvedEpoch to ${epoch}.`;
  if (record?.kind !== "takenBack" || record.to.replicas !== replicas)
    return told("MembershipAwaitsApproval", `${what} waits for its approval. ${approve}`);
  const message = `${what} was taken back: ${record.why}. The ${snapshot.members.length} members go on. Set spec.replicas back; or try again. ${approve}`;
  const blocker: Blocker = { type: "MembershipComplete", reason: "MembershipTakenBack", message };
  return { ...told("MembershipTakenBack", message), blockers: [blocker] };
}

function obstacleTo({ snapshot, blockers, intents }: MembershipScene): string | undefined {
  const [blocker] = blockers;
  if (blocker) return `condition ${blocker.type} is not true`;
  if (intents.current.spec.execution) return "it is not supported for an EVM chain yet";
  // They may not know the orders; a restart gives them the operator's own.
  if (intents.current.agentImage !== snapshot.settings.agentImage)
    return `the members run agents of another version than the operator: kubectl evnode restart ${snapshot.cluster.metadata.name}`;
  if (intents.wish) return `a change of ${intents.wish.changes.join(", ")} is taken to the members first`;
  if (isOpen(recordOn(snapshot.statefulSet))) return "a rollout is under way";
  if (isDrilling(snapshot)) return "a failover drill is under way";
  return templateObstacle(snapshot, blockers) ?? membersObstacle(snapshot, blockers);
}

/**
 * Members that go over to another epoch are taken for those of the new template, which differs from the one before in
 * nothing but the epoch. A StatefulSet that was made anew has the spec of today, and its pods may be of an older one.
 */
function templateObstacle(
  snapshot: MembershipScene["snapshot"],
  blockers: MembershipScene["blockers"],
): string | undefined {
  const target = sceneOf(snapshot, blockers)?.target;
  if (!target) return "the StatefulSet's controller has not looked at the template yet";
  const outdated = snapshot.members.filter(isPresent).find((member) => !isUpdated(member, target));
  return outdated && `${outdated.name} is not what the StatefulSet's template says, which a rollout sees to`;
}

/** Why the old members are not all well; undefined when they are. */
function membersObstacle(
  snapshot: MembershipScene["snapshot"],
  blockers: MembershipScene["blockers"],
): string | undefined {
  const { members } = snapshot;
  const sole = soleOf(members);
  if (sole) {
    const leads = leadership(members).kind === "one";
    return leads && participation(sole, 1, 1) === "yes" ? undefined : `${sole.name} makes no blocks`;
  }
  const scene = sceneOf(snapshot, blockers);
  if (!scene) return "the members are not known yet";
  for (const member of members) {
    const stands = standing(member, scene);
    if (stands.kind !== "takesPart") return stands.why;
  }
  return undefined;
}

function join(scene: MembershipScene, change: OpenChange): Step {
  const { asked, snapshot, identity, intents } = scene;
  if (asked?.replicas !== change.to.replicas || asked.policy.approvedEpoch !== change.to.epoch)
    return giveUp(scene, change);
  const what = `Members on their way from ${change.from.replicas} to ${change.to.replicas}`;
  const waits = (why: string, step: Step = {}): Step => ({
    ...told("MembersJoining", `${what}: ${why}.`),
    recheckAfterMs: RECHECK_MS,
    ...step,
  });
  const next = nextIntent(snapshot, identity, intents, change.to);
  if (lacksConfigs(snapshot, next.configs))
    return waits("the configurations of the next epoch are being written");
  const joining = newMembers(scene, change);
  const stranger = joining.find((member) => isOfOtherAttempt(member, scene, change));
  if (stranger) return giveUp(scene, change, `${stranger.name} joined in an attempt whose record was lost`);
  const joins = joining.flatMap((member): Action[] => {
    if (volumeChangeOf(member, identity)?.kind === "joining" && isOfRevision(member, next.configs.revision))
      return [];
    return moveMember(scene, change, member, "join", next.configs.revision);
  });
  if (joins.length > 0) return waits("new members get leave to follow the chain", { stages: [joins] });
  const late = joining.find((member) => !followsClosely(member, scene, change.to.epoch));
  if (late) return waits(lateMessage(late));
  if (joining.length < change.to.replicas - change.from.replicas) return waits("new pods are being made");
  const obstacle = membersObstacle(snapshot, scene.blockers);
  if (obstacle !== undefined) return waits(obstacle);
  if (!snapshot.isCertain) return waits("the members are looked at once more", { needsCertainty: true });
  const stoppedAt = new Date(snapshot.nowMs).toISOString();
  return waits("blocks stop now", {
    stages: [[turnMembership(scene, { ...change, stoppedAt })]],
    recheckAfterMs: 0,
    stop: true,
  });
}

function giveUp(scene: MembershipScene, change: OpenChange, why = "its owner took it back"): Step {
  const { asked, snapshot } = scene;
  // Of a spec that is not valid nobody knows what it asks for.
  if (!asked && snapshot.parsed.kind !== "valid") return told("MembershipWaiting", "The spec is not valid.");
  const finishedAt = new Date(snapshot.nowMs).toISOString();
  return {
    ...told("MembersJoining", "The change of the number of members is taken back."),
    stages: [[turnMembership(scene, { ...change, kind: "takenBack", finishedAt, why })]],
  };
}

function lateMessage({ name, pod, report }: Member): string {
  const { scheduling } = pod ?? {};
  if (typeof scheduling === "object") return `${name} finds no node: ${scheduling.unschedulable}`;
  const refused = report.kind === "answered" ? report.answer.refusedOrder : undefined;
  if (refused) return `the agent of ${name} refuses: ${refused.message}`;
  // It has no row in the status before it is a member, so this is the only place that tells.
  const failed = pod && [pod.agent, pod.evnode].find(isFailed);
  return failed?.kind === "waiting"
    ? `${name} cannot follow the chain: ${failureText(failed)}`
    : `${name} does not follow the chain closely yet`;
}

/** Those that are to come, as far as there are pods of them. */
const newMembers = (
  { snapshot }: MembershipScene,
  { from, to }: Pick<OpenChange, "from" | "to">,
): readonly Member[] =>
  snapshot.nonMembers.filter(
    ({ ordinal, pod }) => ordinal >= from.replicas && ordinal < to.replicas && pod && !pod.terminating,
  );

/**
 * Its agent holds it to the members that it was to join first: each epoch has one set of members. A volume goes to no
 * epoch before its own.
 */
function isOfOtherAttempt(member: Member, scene: MembershipScene, { to }: OpenChange): boolean {
  const { snapshot, identity, intents } = scene;
  const volume = ownVolume(member, identity);
  if (volume?.kind === "foreign") return (volume.epoch ?? 0) > to.epoch;
  if (!joiningOf(member, identity, to.epoch)) return false;
  const voters = membershipVoters(snapshot, identity, intents.current.spec, to.replicas);
  const joined = answerOf(member)?.fingerprints?.voters;
  return joined !== undefined && joined !== votersDigest(voters);
}

const isOfRevision = ({ pod }: Member, revision: string) => pod?.configRevision === revision;

function followsClosely(member: Member, { snapshot, identity }: MembershipScene, epoch: number): boolean {
  if (!joiningOf(member, identity, epoch)?.settled) return false;
  const [height, best] = [heightOf(member), bestHeight(snapshot.members)];
  return height !== undefined && best !== undefined && best - height <= CLOSE_BLOCKS;
}

/** Blocks that a full node has not seen yet, and gets in the moment in which all stand still. */
const CLOSE_BLOCKS = 10;
