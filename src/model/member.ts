import type { AgentAnswer } from "./agent-protocol.ts";
import { annotations, labels } from "./annotations.ts";
import type { PersistentVolumeClaim, Pod } from "./objects.ts";
import { type PodUpdate, readPodUpdate } from "./pod-update.ts";

/** One ev-node process with its volume and identity, as Kubernetes and its own agent show it. */
export interface Member {
  readonly ordinal: number;
  readonly name: string;
  readonly claimName: string;
  readonly pod: MemberPod | undefined;
  readonly claim: MemberClaim | undefined;
  /**
   * Of the execution client's volume; only of an EVM chain. Nothing about a start stands on it: what is on that volume,
   * ev-node makes again from its own blocks.
   */
  readonly executionClaim: MemberClaim | undefined;
  readonly report: Report;
}

export interface MemberPod {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly ip: string | undefined;
  readonly node: string | undefined;
  /** Of the template that it was made from, or was brought to in place. */
  readonly revision: string | undefined;
  readonly configRevision: string | undefined;
  /** The image that its ev-node is to run. */
  readonly image: string | undefined;
  readonly agentImage: string | undefined;
  /** The container of ev-node: another one after each start. */
  readonly containerId: string | undefined;
  readonly agentContainerId: string | undefined;
  /** When that container started, as an RFC 3339 time. */
  readonly startedAt: string | undefined;
  readonly update: PodUpdate | undefined;
  /** As an RFC 3339 time, as the next one. */
  readonly createdAt: string | undefined;
  /** Since when Kubernetes says that the pod is ready, or that it is not. */
  readonly readySince: string | undefined;
  /** The pod as it was read, for writes of the whole. */
  readonly object: Pod;
  readonly role: string | undefined;
  readonly order: string | undefined;
  /** When the order was given last, as an RFC 3339 time. */
  readonly orderGivenAt: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly terminating: boolean;
  readonly ready: boolean;
  readonly scheduling: "scheduled" | "pending" | { readonly unschedulable: string };
  readonly agent: ContainerState;
  readonly evnode: ContainerState;
  /** Absent but for members of an EVM chain. */
  readonly execution: ContainerState;
}

export type ContainerState =
  | { readonly kind: "absent" }
  | {
      readonly kind: "waiting";
      readonly reason: string;
      readonly message: string;
      readonly lastExit: Exit | undefined;
    }
  | { readonly kind: "running"; readonly restarts: number; readonly lastExit: Exit | undefined }
  | { readonly kind: "terminated"; readonly lastExit: Exit };

export interface Exit {
  readonly code: number;
  /**
   * The last line that the process wrote; only this line is evidence, the rest may be usage text. Of a stack, the
   * function that panicked, as `panic in <function>`.
   */
  readonly lastLine: string;
  /** When, as an RFC 3339 time in whole seconds. */
  readonly at?: string;
}

export interface MemberClaim {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly phase: string;
  readonly terminating: boolean;
  readonly volume: string | undefined;
  readonly storageClass: string | undefined;
  readonly epoch: number | undefined;
  readonly started: number | undefined;
}

/** What the member's agent said last. Silence is not death: it says nothing about the member. */
export type Report =
  | { readonly kind: "none"; readonly why: string }
  | { readonly kind: "answered"; readonly atMs: number; readonly answer: AgentAnswer };

/** Reasons for which Kubernetes itself shows that a container cannot run as it is. */
const failedWaiting = new Set([
  "CrashLoopBackOff",
  "ImagePullBackOff",
  "ErrImagePull",
  "ErrImageNeverPull",
  "InvalidImageName",
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
]);

/** True when Kubernetes shows the container failed; a silent or starting one is not. */
export function isFailed(state: ContainerState): boolean {
  return state.kind === "waiting" && failedWaiting.has(state.reason);
}

export function answerOf(member: Member): AgentAnswer | undefined {
  return member.report.kind === "answered" ? member.report.answer : undefined;
}

export function podOf(pod: Pod): MemberPod {
  const { metadata, spec, status } = pod;
  const agent = status?.initContainerStatuses?.find(({ name }) => name === AGENT_CONTAINER);
  const evnode = status?.containerStatuses?.find(({ name }) => name === EVNODE_CONTAINER);
  return {
    uid: metadata.uid ?? "",
    resourceVersion: metadata.resourceVersion ?? "",
    ip: status?.podIP,
    node: spec?.nodeName,
    revision: metadata.labels?.[labels.revision],
    configRevision: metadata.annotations?.[annotations.configRevision],
    image: spec?.containers.find(({ name }) => name === EVNODE_CONTAINER)?.image,
    agentImage: spec?.initContainers?.find(({ name }) => name === AGENT_CONTAINER)?.image,
    containerId: evnode?.containerID,
    agentContainerId: agent?.containerID,
    startedAt: evnode?.state?.running?.startedAt,
    update: readPodUpdate(metadata.annotations?.[annotations.update]),
    createdAt: metadata.creationTimestamp,
    readySince: readyCondition(pod)?.lastTransitionTime,
    object: pod,
    role: metadata.labels?.[labels.role],
    order: metadata.annotations?.[annotations.order],
    orderGivenAt: metadata.annotations?.[annotations.orderGivenAt],
    labels: metadata.labels ?? {},
    terminating: metadata.deletionTimestamp !== undefined,
    ready: readyCondition(pod)?.status === "True",
    scheduling: schedulingOf(pod),
    agent: containerState(agent),
    evnode: containerState(evnode),
    execution: stateIn(pod, EXECUTION_CONTAINER),
  };
}

const readyCondition = ({ status }: Pod) => status?.conditions?.find(({ type }) => type === "Ready");

export const AGENT_CONTAINER = "agent";
export const EVNODE_CONTAINER = "evnode";
/** The execution client of an EVM chain. */
export const EXECUTION_CONTAINER = "execution";

function schedulingOf({ spec, status }: Pod): MemberPod["scheduling"] {
  if (spec?.nodeName) return "scheduled";
  const refusal = status?.conditions?.find(
    ({ type, status }) => type === "PodScheduled" && status === "False",
  );
  return refusal?.reason === "Unschedulable"
    ? { unschedulable: refusal.message ?? "no reason given" }
    : "pending";
}

type ContainerStatus = NonNullable<NonNullable<Pod["status"]>["containerStatuses"]>[number];

/** How a container of the pod is. */
export function stateIn({ status }: Pod, container: string): ContainerState {
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return containerState(all.find(({ name }) => name === container));
}

function containerState(status: ContainerStatus | undefined): ContainerState {
  if (!status?.state) return { kind: "absent" };
  const lastExit = exitOf(status.lastState?.terminated);
  if (status.state.running) return { kind: "running", restarts: status.restartCount, lastExit };
  const exit = exitOf(status.state.terminated);
  if (exit) return { kind: "terminated", lastExit: exit };
  const { reason = "Unknown", message = "" } = status.state.waiting ?? {};
  return { kind: "waiting", reason, message, lastExit };
}

interface Terminated {
  readonly exitCode: number;
  readonly message?: string;
  readonly finishedAt?: string;
}

function exitOf(terminated: Terminated | undefined): Exit | undefined {
  if (!terminated) return undefined;
  const lines = (terminated.message ?? "").trimEnd().split("\n");
  const { exitCode: code, finishedAt } = terminated;
  return { code, lastLine: panicOf(lines) ?? lines.at(-1) ?? "", ...(finishedAt ? { at: finishedAt } : {}) };
}

const STACK_PLACE = /^\t\S+:\d+ \+0x[0-9a-f]+$/;
const STACK_FUNCTION = /^(?:created by )?([\w.-]+(?:\/[\w.@-]+)*\.[\w.()*[\]]+?)\(.*\)$/;

/**
 * A Go program that panics ends its output with a stack. Kubernetes keeps the end of that, without the panic's own
 * words: the innermost function in it says most.
 */
function panicOf(lines: readonly string[]): string | undefined {
  if (!STACK_PLACE.test(lines.at(-1) ?? "")) return undefined;
  for (const line of lines) {
    const [, frame] = STACK_FUNCTION.exec(line) ?? [];
    if (frame !== undefined) return `panic in ${frame}`;
  }
  return undefined;
}

export function claimOf(claim: PersistentVolumeClaim): MemberClaim {
  const { metadata, spec, status } = claim;
  return {
    uid: metadata.uid ?? "",
    resourceVersion: metadata.resourceVersion ?? "",
    phase: status?.phase ?? "Unknown",
    terminating: metadata.deletionTimestamp !== undefined,
    volume: spec?.volumeName,
    storageClass: spec?.storageClassName,
    epoch: epochFrom(metadata.annotations?.[annotations.epoch]),
    started: epochFrom(metadata.annotations?.[annotations.started]),
  };
}

/** An epoch as written into an annotation, or undefined when there is none or it is no whole number. */
export function epochFrom(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}
