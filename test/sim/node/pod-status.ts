import { AGENT_CONTAINER, EVNODE_CONTAINER } from "../../../src/model/member.ts";
import type { Pod } from "../../../src/model/objects.ts";
import type { PodRun } from "../member/pod-run.ts";

type Status = NonNullable<Pod["status"]>;
type Container = NonNullable<Status["containerStatuses"]>[number];

/** What kubelet tells of a pod that it runs. */
export function statusOf(run: PodRun, isReady: boolean, nowMs: number): Status {
  const { ip, agent, process } = run;
  const base = { image: "", imageID: "", restartCount: run.restarts };
  const agentStatus = {
    ...base,
    restartCount: 0,
    name: AGENT_CONTAINER,
    ready: true,
    started: agent.isPrepared,
  };
  return {
    phase: process === undefined && run.restarts === 0 ? "Pending" : "Running",
    podIP: ip,
    conditions: [
      { type: "PodScheduled", status: "True" },
      { type: "Ready", status: isReady ? "True" : "False" },
    ],
    initContainerStatuses: [{ ...agentStatus, state: { running: {} } }],
    containerStatuses: [
      { ...base, name: EVNODE_CONTAINER, ready: isReady, ...stateOf(run, nowMs), ...lastStateOf(run) },
    ],
  };
}

function stateOf(run: PodRun, nowMs: number): Pick<Container, "state"> {
  if (run.process !== undefined) return { state: { running: {} } };
  const waiting = (reason: string) => ({ state: { waiting: { reason } } });
  if (!run.agent.isPrepared) return waiting("PodInitializing");
  if (run.noImageUntilMs > nowMs) return waiting("ImagePullBackOff");
  return run.startAtMs > nowMs && run.restarts > 0
    ? waiting("CrashLoopBackOff")
    : waiting("ContainerCreating");
}

function lastStateOf({ lastExitCode }: PodRun): Pick<Container, "lastState"> {
  return lastExitCode === undefined ? {} : { lastState: { terminated: { exitCode: lastExitCode } } };
}
