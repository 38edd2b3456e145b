import type { MemberStatus, Status } from "../api/evnodecluster.ts";
import { diagnosisOf } from "../evnode/failures.ts";
import {
  answerOf,
  type ContainerState,
  type Exit,
  isFailed,
  type Member,
  type MemberPod,
} from "../model/member.ts";
import { blocksBehind, heightOf } from "./quorum.ts";

/** One row of `status.members`. Messages carry no number that changes by itself. */
export function memberStatus(member: Member, before?: Status): MemberStatus {
  const { name, pod } = member;
  const answer = answerOf(member);
  const height = heightOf(member);
  const message = messageOf(member, before);
  const exit = lastExit(member);
  const reason = lastExitReason(member);
  return {
    name,
    role: roleOf(member),
    state: stateOf(member),
    ready: pod?.ready ?? false,
    ...(height === undefined ? {} : { height, blocksBehind: blocksBehind(member) ?? 0 }),
    ...(answer?.execution?.height === undefined ? {} : { executionHeight: answer.execution.height }),
    ...(answer?.configRevision === undefined ? {} : { configRevision: answer.configRevision }),
    ...(pod?.revision === undefined ? {} : { podRevision: pod.revision }),
    ...(answer ? { peersReached: answer.peers.filter(({ raft }) => raft.kind === "reached").length } : {}),
    ...(answer?.node.kind === "open" && answer.node.peerId !== undefined
      ? { peerId: answer.node.peerId }
      : {}),
    ...(pod?.node === undefined ? {} : { node: pod.node }),
    ...(exit === undefined ? {} : { lastExit: exit }),
    ...(reason === undefined ? {} : { lastExitReason: reason }),
    ...(message === undefined ? {} : { message }),
  };
}

type State = NonNullable<MemberStatus["state"]>;

export function stateOf(member: Member): State {
  const { pod } = member;
  if (!pod) return "Missing";
  if (pod.terminating) return "Terminating";
  if ([pod.evnode, pod.agent, pod.execution].some(isFailed)) return "Failed";
  if (pod.evnode.kind === "running") return "Running";
  return pod.agent.kind === "running" ? "Preparing" : "Waiting";
}

function roleOf(member: Member): NonNullable<MemberStatus["role"]> {
  const answer = answerOf(member);
  if (answer?.node.kind !== "open" || answer.node.isLeader === undefined) return "Unknown";
  return answer.node.isLeader ? "Leader" : "Follower";
}

function lastExit({ pod }: Member): string | undefined {
  if (!pod || pod.evnode.kind === "absent" || !pod.evnode.lastExit) return undefined;
  const { code, lastLine } = pod.evnode.lastExit;
  return `exit ${code}${lastLine === "" ? "" : `: ${lastLine}`}`.slice(0, 2048);
}

function lastExitReason({ pod }: Member): string | undefined {
  if (!pod || pod.evnode.kind === "absent" || !pod.evnode.lastExit) return undefined;
  return diagnosisOf(pod.evnode.lastExit)?.reason;
}

/** What the member waits for, or what is wrong with it. `before` is the status as it was written last. */
export function messageOf(member: Member, before?: Status): string | undefined {
  const message = podMessage(member, before) ?? prepareMessage(member) ?? reportMessage(member);
  return message?.slice(0, 1024);
}

function podMessage(
  { name, pod, claim, executionClaim }: Member,
  before: Status | undefined,
): string | undefined {
  if (!pod) return "there is no pod";
  if (pod.terminating) return "the pod is stopping";
  if (typeof pod.scheduling === "object") return `no node takes the pod: ${pod.scheduling.unschedulable}`;
  if (claim && claim.phase !== "Bound") return `the volume claim is ${claim.phase}`;
  if (executionClaim && executionClaim.phase !== "Bound")
    return `the volume claim of the execution client is ${executionClaim.phase}`;
  const failed = [pod.agent, pod.execution, pod.evnode].find(isFailed);
  if (failed?.kind !== "waiting") return undefined;
  const told = before?.members?.find((row) => row.name === name)?.message;
  if (told !== undefined && isStillWhy(told, pod)) return told;
  // The last words are those of the process before the update.
  return failureText(hasNotRun(pod) ? { ...failed, lastExit: undefined } : failed);
}

/** No other container of ev-node has run since the update began. */
const hasNotRun = ({ update, containerId }: MemberPod) =>
  update?.container !== undefined && update.container === containerId;

/**
 * That an image is not to be had is shown for a moment, and then hidden for minutes by the wait for the next attempt to
 * start the container. As long as no other container has run since the update, it is still the reason.
 */
function isStillWhy(told: string, pod: MemberPod): boolean {
  const { evnode } = pod;
  const isWaiting = evnode.kind === "waiting" && evnode.reason === "CrashLoopBackOff";
  return hasNotRun(pod) && isWaiting && /^(ErrImage|InvalidImage|ImageInspect)/.test(told);
}

type Failed = Pick<Extract<ContainerState, { kind: "waiting" }>, "reason" | "message" | "lastExit">;

/** So much that what it means has room beside it. */
const LONGEST_LINE = 600;

/** Its code, its last words, and what they mean; undefined when there is nothing but the code. */
function endText(exit: Exit): string | undefined {
  const known = diagnosisOf(exit);
  const line = exit.lastLine.trim().slice(0, LONGEST_LINE);
  if (known === undefined && line === "") return undefined;
  const meaning = known === undefined ? "" : ` (${known.reason}: ${known.meaning})`;
  return `${exit.code}${line === "" ? "" : `: ${line}`}${meaning}`;
}

/**
 * Why a container cannot run. Of one that ends again and again Kubernetes only tells how long it waits; the last line
 * of the process says why. While an image is not to be had, the reason alternates between the failure and the wait for
 * the next attempt: told is the failure.
 */
export function failureText({ reason, message, lastExit }: Failed): string {
  const ended = reason === "CrashLoopBackOff" && lastExit ? endText(lastExit) : undefined;
  if (ended !== undefined) return `${reason}: it ended with exit code ${ended}`;
  const [line = ""] = message.split("\n");
  const cause = reason === "ImagePullBackOff" ? line.indexOf("ErrImagePull: ") : -1;
  return cause < 0 ? `${reason}: ${line}` : line.slice(cause);
}

function prepareMessage(member: Member): string | undefined {
  const { prepare, refusedOrder } = answerOf(member) ?? {};
  if (refusedOrder) return refusedOrder.message;
  if (prepare?.kind === "refused") return `not started: ${prepare.message}`;
  return prepare?.kind === "waiting" ? prepare.message : undefined;
}

function reportMessage({ pod, report }: Member): string | undefined {
  if (report.kind === "none") return pod?.agent.kind === "running" ? "the agent does not answer" : undefined;
  const { node, ready, mode } = report.answer;
  if (node.kind === "closed" && pod?.evnode.kind === "running")
    return `ev-node's API is closed${mode?.kind === "single" ? "" : ": it knows no leader"}`;
  return ready.ok ? undefined : ready.message.replaceAll(/\d+/g, "…");
}
