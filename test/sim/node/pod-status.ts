import { AGENT_CONTAINER, EVNODE_CONTAINER } from "../../../src/model/member.ts";
import type { Pod } from "../../../src/model/objects.ts";
import type { ContainerExit, PodRun } from "../member/pod-run.ts";
import { timestamp } from "../wire.ts";
import { backOffMs } from "./back-off.ts";

type Status = NonNullable<Pod["status"]>;
type Container = NonNullable<Status["containerStatuses"]>[number];
type Condition = NonNullable<Status["conditions"]>[number];

/** When something is told, on the clock of the simulation and as a date. */
export interface Moment {
  readonly nowMs: number;
  readonly epochMs: number;
}

/** Changes whenever kubelet has something else to tell than before. */
export function meaningOf(run: PodRun, { nowMs }: Moment): string {
  const { container, process, agent, agentImage, agentStarts, agentAwayUntilMs, isReady } = run;
  const { image, starts, backOffs, refusal, startAtMs } = container;
  const isDue = [startAtMs, agentAwayUntilMs].map((atMs) => atMs <= nowMs);
  const parts = [image, starts, backOffs, refusal?.reason, process !== undefined, agent.isPrepared];
  return [...parts, agentImage, agentStarts, isReady, ...isDue].join();
}

/** What kubelet tells of a pod that it runs. What others say of it stays. */
export function statusOf(run: PodRun, before: Status | undefined, at: Moment): Status {
  const { ip, uid, agent, container, agentImage, agentStarts, agentAwayUntilMs, isReady } = run;
  const isAgentUp = agentAwayUntilMs <= at.nowMs;
  const base = { imageID: "" };
  const told: Condition[] = [
    { type: "PodScheduled", status: "True" },
    { type: "Ready", status: isReady ? "True" : "False" },
  ];
  return {
    phase: container.starts === 0 ? "Pending" : "Running",
    podIP: ip,
    conditions: withConditions(before?.conditions, told, at.epochMs),
    initContainerStatuses: [
      {
        ...base,
        name: AGENT_CONTAINER,
        image: agentImage,
        containerID: `containerd://${uid}-agent-${agentStarts}`,
        restartCount: agentStarts - 1,
        ready: isAgentUp,
        started: agent.isPrepared,
        state: isAgentUp ? { running: {} } : { waiting: { reason: "ContainerCreating" } },
      },
    ],
    containerStatuses: [
      {
        ...base,
        name: EVNODE_CONTAINER,
        image: run.process?.image ?? container.image,
        restartCount: Math.max(0, container.starts - 1),
        ready: isReady,
        ...(container.id === undefined ? {} : { containerID: container.id }),
        ...stateOf(run, at),
      },
    ],
  };
}

/** The conditions with these in place of those of their types, and since when each is as it is. */
export function withConditions(
  known: readonly Condition[] | undefined,
  told: readonly Condition[],
  epochMs: number,
): Condition[] {
  const dated = told.map((condition) => {
    const before = known?.find(({ type }) => type === condition.type);
    const since = before?.status === condition.status ? before.lastTransitionTime : undefined;
    return { ...condition, lastTransitionTime: since ?? timestamp(epochMs) };
  });
  const types = told.map(({ type }) => type);
  return [...(known ?? []).filter(({ type }) => !types.includes(type)), ...dated];
}

function stateOf(run: PodRun, at: Moment): Pick<Container, "state" | "lastState"> {
  const { process, container, agent, name, namespace } = run;
  const { lastExit, refusal } = container;
  const ended = lastExit && { terminated: terminatedOf(lastExit, at) };
  const last = ended === undefined ? {} : { lastState: ended };
  const waiting = (reason: string, message?: string) => ({
    state: { waiting: { reason, ...(message === undefined ? {} : { message }) } },
    ...last,
  });
  if (process !== undefined)
    return { state: { running: { startedAt: dateOf(container.startedMs, at) } }, ...last };
  if (!agent.isPrepared) return waiting("PodInitializing");
  if (refusal !== undefined) return waiting(refusal.reason, refusal.message);
  if (ended === undefined) return waiting("ContainerCreating");
  if (container.backOffs <= 1 || container.startAtMs <= at.nowMs) return { state: ended };
  const seconds = backOffMs(container.backOffs - 1) / 1_000;
  const message = `back-off ${seconds}s restarting failed container=${EVNODE_CONTAINER} pod=${name}_${namespace}`;
  return waiting("CrashLoopBackOff", message);
}

function terminatedOf({ code, message, containerId, atMs }: ContainerExit, at: Moment) {
  return {
    exitCode: code,
    reason: code === 0 ? "Completed" : "Error",
    containerID: containerId,
    finishedAt: dateOf(atMs, at),
    ...(message === "" ? {} : { message }),
  };
}

const dateOf = (ms: number, { nowMs, epochMs }: Moment) => timestamp(epochMs - nowMs + ms);
