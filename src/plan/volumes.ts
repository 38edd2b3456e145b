import type { Blocker } from "../api/conditions.ts";
import { type Cure, diagnoseExit } from "../evnode/failures.ts";
import { annotations } from "../model/annotations.ts";
import { type Identity, isBootstrapped } from "../model/identity.ts";
import { majorityOf } from "../model/majority.ts";
import { answerOf, type Member } from "../model/member.ts";
import { isAcceptedCopy } from "./copied-volumes.ts";
import { type Leave, leaveFor } from "./leave.ts";
import { isNewsAfterOrder, isRejoinIn } from "./orders.ts";
import { soleOf } from "./quorum.ts";
import { rejoinObstacle } from "./rejoin-obstacle.ts";
import type { Snapshot } from "./snapshot.ts";

/** What is wrong with members' volumes, one sentence for each, and what to do about it. */
export function volumeProblems(snapshot: Snapshot, identity: Identity): Blocker[] {
  const foreign = snapshot.members
    .filter((member) => !isAcceptedCopy(snapshot, identity, member))
    .flatMap((member) => foreignVolume(member, snapshot, identity));
  if (isBootstrapped(identity)) return [...lostVolumes(snapshot, identity), ...foreign];
  const spoilt = hasBegun(snapshot, identity) ? [] : snapshot.members.flatMap(spoiltVolume);
  return [...spoilt, ...foreign];
}

/** Whether members were allowed to start in this epoch, by what stands on their claims and volumes. */
export function hasBegun({ members }: Snapshot, { epoch, clusterId }: Identity): boolean {
  return members.some((member) => {
    const answer = answerOf(member);
    const volume = answer?.clusterId === clusterId ? answer.volume : undefined;
    return member.claim?.started === epoch || (volume?.kind === "intact" && volume.started);
  });
}

function lostVolumes(snapshot: Snapshot, identity: Identity): Blocker[] {
  const all = lostMembers(snapshot, identity);
  const lost = all.filter(({ leave }) => leave.kind !== "policy");
  return lost.map((one) =>
    volumeBlocker("VolumeLost", `${one.what} ${remedyFor(snapshot, identity, one, all)}`),
  );
}

/** What is told of a member that the policy allows to be rebuilt, and what that waits for. */
export function rebuildMessage(snapshot: Snapshot, identity: Identity): string | undefined {
  const all = lostMembers(snapshot, identity);
  const one = all.find(({ leave }) => leave.kind === "policy");
  if (!one) return undefined;
  const obstacle = obstacleTo(one, all, snapshot, identity);
  const waits = obstacle === undefined ? "" : ` That waits: ${obstacle}.`;
  return `${one.what} It is rebuilt from the other members.${waits}`;
}

/**
 * What an order to rebuild this one waits for. Given to a member that still runs on files that are gone, it would be
 * carried out when that stops one day, however the others are by then.
 */
export function obstacleTo(
  { member, runs }: LostMember,
  all: readonly LostMember[],
  snapshot: Snapshot,
  identity: Identity,
): string | undefined {
  const answer = answerOf(member);
  // A copy that somebody brought back is told from an empty volume by its agent alone.
  if (!answer || answer.podUid !== member.pod?.uid || answer.volume.kind === "unchecked")
    return `the agent of ${member.name} has not told what is on its volume`;
  // A single sequencer has no others: all that can be accepted is the copy on which it runs.
  if (soleOf(snapshot.members)) return runs ? undefined : "no other member has what it lost";
  const { node } = answer;
  const isUp = node.kind === "open" || node.metricsPortOpen || node.raftPortOpen;
  if (isUp && !runs) return `ev-node of ${member.name} still runs`;
  return rejoinObstacle(othersThan(all, snapshot), snapshot, identity);
}

const othersThan = (lost: readonly LostMember[], { members }: Snapshot) =>
  members.filter((other) => !lost.some(({ member }) => member === other));

export interface Loss {
  readonly member: Member;
  readonly what: string;
  /** Whether its agent found a volume of its own there and lets it run: a copy that somebody brought back. */
  readonly runs: boolean;
  /** What ev-node cannot use of a volume that looks intact to its agent. */
  readonly unusable: "raft" | "all" | undefined;
  /** Its blocks are others than those of the members that run. */
  readonly isFork?: true;
}

export interface LostMember extends Loss {
  readonly leave: Leave;
}

/**
 * Members whose claim was replaced, or whose volume was emptied, damaged or made unusable, since the cluster was
 * bootstrapped.
 */
export function lostMembers(snapshot: Snapshot, identity: Identity): LostMember[] {
  const losses = lossesOf(snapshot, identity);
  return losses.map((loss) => ({ ...loss, leave: leaveFor(loss, losses.length, snapshot) }));
}

function lossesOf({ members }: Snapshot, identity: Identity): Loss[] {
  return members.flatMap((member): Loss[] => {
    const what = lossOf(member, identity);
    if (what !== undefined) return [{ member, what, runs: runsOn(member, identity), unusable: undefined }];
    return unusableVolume(member, identity);
  });
}

function lossOf(
  { name, claimName, claim, report }: Member,
  { epoch, clusterId }: Identity,
): string | undefined {
  if (!claim) return `${name} has lost its volume: claim ${claimName} is gone.`;
  const answer =
    report.kind === "answered" && report.answer.clusterId === clusterId ? report.answer : undefined;
  if (answer?.volume.kind === "empty") {
    return claim.started === epoch
      ? `${name} has lost its data: the volume of claim ${claimName} is empty.`
      : `${name} has lost its volume: claim ${claimName} is a new one.`;
  }
  if (answer?.volume.kind === "damaged") return `${name} has lost data: ${answer.volume.message}.`;
  if (claim.started !== epoch)
    return `${name} has another volume than it was started on: claim ${claimName} is a new one.`;
  return undefined;
}

/** By the last words of ev-node. */
function unusableVolume(member: Member, identity: Identity): Loss[] {
  const { pod, name } = member;
  const evnode = pod?.evnode;
  if (!pod || evnode === undefined || evnode.kind === "absent" || evnode.kind === "running") return [];
  const answer = answerOf(member);
  const isOld = isRejoinIn(pod, answer?.executedOrder) && !isNewsAfterOrder(pod);
  // An agent that tells no fingerprints is of a version that refuses to write an intact volume anew, for ever.
  if (!runsOn(member, identity) || isOld || answer?.fingerprints === undefined) return [];
  const failure = evnode.lastExit && diagnoseExit(evnode.lastExit.lastLine);
  const unusable = failure && cures.get(failure.cure);
  const isFork = failure?.reason === "Diverged";
  // The execution client has executed the other blocks, and is not rebuilt with it.
  if (!failure || !unusable || (isFork && member.executionClaim)) return [];
  const loss = { member, what: `${name} does not run: ${failure.meaning}`, runs: false, unusable };
  return [isFork ? { ...loss, isFork } : loss];
}

const cures: ReadonlyMap<Cure, "raft" | "all"> = new Map([
  ["RewriteRaftState", "raft"],
  ["Rebuild", "all"],
]);

function runsOn(member: Member, { clusterId }: Identity): boolean {
  const answer = answerOf(member);
  return answer?.clusterId === clusterId && answer.volume.kind === "intact" && answer.volume.started;
}

/**
 * | the member | the members that lost nothing | then |
 * | --- | --- | --- |
 * | is the only one | | see `remedyForOne` |
 * | runs on a copy | are a majority | its owner approves the copy |
 * | runs on a copy | are none | its owner says so on the claim: an approval waits for a majority that may never be |
 * | does not run | are a majority | its owner approves the rebuild |
 * | does not run | are one together with those that run on copies | the copies come first |
 * | does not run | are none | volumes have to be brought back |
 */
function remedyFor(
  snapshot: Snapshot,
  identity: Identity,
  one: LostMember,
  all: readonly LostMember[],
): string {
  const { cluster, members } = snapshot;
  const { member, runs, leave } = one;
  const others = othersThan(all, snapshot).length;
  const { name, namespace = "default" } = cluster.metadata;
  const annotate = `kubectl annotate --overwrite -n ${namespace}`;
  const approve = `${annotate} evnodeclusters/${name} ${annotations.approveRejoin}=${member.name}`;
  if (soleOf(members)) return remedyForOne(runs, member.claimName, approve);
  const majority = majorityOf(members.length);
  if (others < majority) {
    const mark = `${annotate} persistentvolumeclaims/${member.claimName} ${annotations.started}=${identity.epoch}`;
    const copies = all.filter(({ runs: onCopy }) => onCopy).length;
    const lost = `${members.length - others} of ${members.length}`;
    return runs ? `${runsOnCopies(lost)} ${mark}` : remedyWithoutMajority(lost, others + copies >= majority);
  }
  const obstacle = leave.kind === "approved" ? obstacleTo(one, all, snapshot, identity) : undefined;
  if (obstacle !== undefined)
    return `It is approved to ${runs ? "stay on it" : "be rebuilt from the others"}, and waits: ${obstacle}.`;
  if (runs)
    return `It runs on it, because the volume is its own and intact; what came after the copy was made, it has from the others. To accept that: ${approve}`;
  const why = leave.kind === "ask" && leave.why !== undefined ? `${leave.why} ` : "";
  if (leave.kind === "ask" && leave.isFinal) return `It will not start on it. ${why.trimEnd()}`;
  return `It will not start on it. ${why}To rebuild it from the other members: ${approve}`;
}

const runsOnCopies = (lost: string) =>
  `It runs on it, because the volume is its own and intact. But ${lost} members have another volume than they were started on or none, so the rest is no majority: blocks that came after the copies were made are lost where no volume has them. To accept that, say on the claim that the member was started on it:`;

function remedyWithoutMajority(lost: string, wouldBeOne: boolean): string {
  const found = `It will not start on it, and ${lost} members are lost, so the rest is no majority:`;
  return wouldBeOne
    ? `${found} accept first the copies on which others run. Then it can be rebuilt from the other members.`
    : `${found} bring the volumes back from a snapshot or a backup. Starting again without them could replace blocks that were already served.`;
}

/** The volume of a single sequencer is the only one that has the chain. */
function remedyForOne(runs: boolean, claim: string, approve: string): string {
  if (runs)
    return `It runs on it, because the volume is its own and intact. What came after the copy was made is lost, and other blocks come in its place, which nodes that have the old ones refuse. To accept that: ${approve}`;
  return `It is not started, and nothing is rebuilt: as the only member it had the only copy of the chain. Bring volume claim ${claim} back from a snapshot or a backup. Started without, it would begin the chain again at block 1, in place of blocks that were already served.`;
}

/** A volume that was prepared and damaged before any member started: nothing is lost with it. */
function spoiltVolume(member: Member): Blocker[] {
  const answer = answerOf(member);
  if (answer?.volume.kind !== "damaged") return [];
  const { name, claimName } = member;
  const text = `${name} does not start: ${answer.volume.message}. No member has started yet: delete claim ${claimName} and pod ${name} to have its volume prepared anew.`;
  return [volumeBlocker("VolumeLost", text)];
}

function foreignVolume(member: Member, { parsed }: Snapshot, identity: Identity): Blocker[] {
  const answer = answerOf(member);
  if (answer?.volume.kind !== "foreign") return [];
  const isBefore = parsed.kind === "valid" && parsed.migration && !isBootstrapped(identity);
  const copied = answer.volume.copy && isBefore ? ` ${TO_ACCEPT}` : "";
  const { name, claimName } = member;
  const text = `${name} does not start: the volume of claim ${claimName} is not its own: ${answer.volume.message}. Give it back its own volume, or delete claim ${claimName} and pod ${name} to have the member rebuilt.${copied}`;
  return [volumeBlocker("VolumeForeign", text)];
}

const TO_ACCEPT =
  "When they are a copy of the old sequencer's data, set spec.migration.copies to Accept, and the member follows from there.";

type VolumeReason = Extract<Blocker, { type: "VolumesReady" }>["reason"];

function volumeBlocker(reason: VolumeReason, message: string): Blocker {
  return { type: "VolumesReady", reason, message };
}
