import { annotations } from "../model/annotations.ts";
import { kinds } from "../model/kinds.ts";
import { claimOf, type Member, podOf } from "../model/member.ts";
import * as names from "../model/names.ts";
import type { EvNodeClusterObject, Pod, StatefulSet } from "../model/objects.ts";
import { leadership } from "../plan/quorum.ts";
import { isOpen } from "../plan/rollout-scene.ts";
import { recordOn } from "../plan/stored-record.ts";
import { isDeleted, type LookDependencies, type ObserveDependencies, readWatched } from "./look.ts";
import { isOther } from "./revisions.ts";

/** Heights in an older answer are history; agents are asked again, all together within this time. */
const OLD_MS = 5_000;
const LOOK_MS = 1_000;

/** While members are being restarted, what they said a moment ago is history sooner. */
const OLD_IN_ROLLOUT_MS = 400;

export async function readMembers(
  deps: LookDependencies,
  { metadata }: EvNodeClusterObject,
  ordinals: readonly number[],
  statefulSet: StatefulSet | undefined,
) {
  const { agents, clock, isCertain } = deps;
  const { namespace = "", name } = metadata;
  const members = await Promise.all(ordinals.map((ordinal) => readMember(deps, namespace, name, ordinal)));
  if (isCertain) return members;
  const nowMs = clock.monotonicMs();
  const oldMs = isRolling(members, statefulSet) ? OLD_IN_ROLLOUT_MS : OLD_MS;
  const isOld = ({ report }: Member) => report.kind === "answered" && nowMs - report.atMs > oldMs;
  const isNew = ({ pod }: Member) => pod !== undefined && agents.isNew(pod.uid);
  await agents.refresh(podUids(members.filter((member) => isOld(member) || isNew(member))), LOOK_MS);

  const fresh = withReports(deps, members);
  // A member that went silent may still be remembered as the leader: only fresh answers tell.
  return leadership(fresh).kind === "several" ? withFreshAnswers(deps, members) : fresh;
}

const withReports = (deps: ObserveDependencies, members: readonly Member[]): Member[] =>
  members.map((member) => ({ ...member, report: reportOf(deps, member) }));

export async function withFreshAnswers(
  deps: ObserveDependencies,
  members: readonly Member[],
): Promise<Member[]> {
  await deps.agents.confirm(podUids(members), LOOK_MS);
  return withReports(deps, members);
}

const podUids = (members: readonly Member[]) => members.flatMap(({ pod }) => (pod ? [pod.uid] : []));

async function readMember(
  deps: LookDependencies,
  namespace: string,
  cluster: string,
  ordinal: number,
): Promise<Member> {
  const name = names.memberName(cluster, ordinal);
  const claimName = names.claimName(cluster, ordinal);
  // The claim first: it stays while its pod is there, so a pod that the server shows later is not of one before it.
  const claim = await readWatched(deps, kinds.claim, { namespace, name: claimName });
  const layerClaim = { namespace, name: names.executionClaimName(cluster, ordinal) };
  // Nothing is decided by it but what is told.
  const executionClaim = await deps.world.watched(kinds.claim, layerClaim);
  const pod = await readWatched(deps, kinds.pod, { namespace, name });
  const member: Member = {
    ordinal,
    name,
    claimName,
    pod: pod && podOf(pod),
    claim: claim && claimOf(claim),
    executionClaim: executionClaim && claimOf(executionClaim),
    report: { kind: "none", why: "there is no pod" },
  };
  return { ...member, report: reportOf(deps, member) };
}

function reportOf({ agents }: ObserveDependencies, { pod }: Member): Member["report"] {
  return pod ? agents.report(pod.uid) : { kind: "none", why: "there is no pod" };
}

/** Before an identity is made, the server itself says whether there are claims of an earlier life. */
export async function withCertainClaims(
  { world }: ObserveDependencies,
  namespace: string,
  members: readonly Member[],
) {
  return Promise.all(
    members.map(async (member) => {
      const claim = await world.read(kinds.claim, { namespace, name: member.claimName }, 0);
      return { ...member, claim: claim && claimOf(claim) };
    }),
  );
}

/** Every pod that may still run, also one that lost its labels, or is beyond what an invalid spec can tell. */
export async function withCertainPods(
  deps: LookDependencies,
  { metadata }: EvNodeClusterObject,
  members: readonly Member[],
): Promise<Member[]> {
  const { name, namespace = "" } = metadata;
  const ordinals = Array.from({ length: names.MAX_MEMBERS }, (_, ordinal) => ordinal);
  const all = await Promise.all(
    ordinals.map(async (ordinal) => {
      const member = members[ordinal] ?? (await readMember(deps, namespace, name, ordinal));
      return member.pod ? member : { ...member, pod: await podOnServer(deps, namespace, member) };
    }),
  );
  return all.filter(({ ordinal, pod }) => ordinal < members.length || pod !== undefined);
}

/** A pod whose labels were taken off is shown by no watch, and nobody but us puts them back. */
export async function withHiddenPods(
  deps: ObserveDependencies,
  cluster: EvNodeClusterObject,
  members: readonly Member[],
  mayHide: boolean,
): Promise<readonly Member[]> {
  if (!mayHide || isDeleted(cluster)) return members;
  const { namespace = "" } = cluster.metadata;
  return Promise.all(
    members.map(async (member) => {
      if (member.pod) return member;
      const found = { ...member, pod: await podOnServer(deps, namespace, member) };
      return { ...found, report: reportOf(deps, found) };
    }),
  );
}

async function podOnServer({ world }: ObserveDependencies, namespace: string, { name }: Member) {
  const pod = await world.read(kinds.pod, { namespace, name }, 0);
  return pod && isMemberPod(pod) ? podOf(pod) : undefined;
}

/** Made by a StatefulSet of this project, even if its labels were taken off. */
function isMemberPod({ metadata }: Pod): boolean {
  return metadata.annotations?.[annotations.configRevision] !== undefined;
}

function isRolling(members: readonly Member[], statefulSet: StatefulSet | undefined): boolean {
  const { status } = statefulSet ?? {};
  return (
    isOpen(recordOn(statefulSet)) ||
    members.some(({ pod }) => pod && isOther(pod.revision, status?.updateRevision))
  );
}
