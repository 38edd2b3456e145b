import { KubeError } from "../../../src/kube/errors.ts";
import { annotations } from "../../../src/model/annotations.ts";
import { kinds } from "../../../src/model/kinds.ts";
import { AGENT_CONTAINER, EVNODE_CONTAINER } from "../../../src/model/member.ts";
import type { Pod } from "../../../src/model/objects.ts";
import { pause, type Session } from "../session.ts";
import { type AgentServer, serveAgent } from "./agent-server.ts";
import { answerOf, type MemberFacts, type MemberState, newMember, obey, run } from "./member.ts";

/** One pod whose containers only exist in its status, with an agent that answers. */
export interface SimulatedPod {
  readonly server: AgentServer;
  /** As a watch shows it now, with the order that stands on it. */
  see(pod: Pod): Promise<void>;
}

const START_MS = 300;
const BLOCK_MS = 1_000;
const WRITE_ATTEMPTS = 10;

export interface Place {
  readonly address: string;
  readonly signal: AbortSignal;
}

export async function newPod(
  session: Session,
  facts: MemberFacts,
  born: Pod,
  place: Place,
): Promise<SimulatedPod> {
  let newest = born;
  const bornMs = Date.now();
  let state: MemberState = newMember;
  let version = 0;
  const moment = () => {
    const height = Math.floor((Date.now() - bornMs) / BLOCK_MS) + 1;
    return { version: `${facts.podUid}.${version}`, height, timeMs: Date.now() };
  };
  const server = await serveAgent(place.address, {
    version: () => moment().version,
    answer: () => answerOf(facts, state, moment()),
  });
  const tell = async () => {
    newest = await writeStatus(session, newest, state, place);
  };
  const become = async (next: MemberState) => {
    state = next;
    version += 1;
    server.changed();
    await tell();
  };
  await tell();
  return {
    server,
    async see(pod) {
      newest = pod;
      const next = obey(state, pod.metadata.annotations?.[annotations.order]);
      if (next === state) return;
      await become(next);
      if (next.stage !== "started") return;
      await pause(START_MS, session);
      await become(run(next));
    },
  };
}

/** As a kubelet: again with the newest version when somebody else wrote the pod meanwhile. Answers what was written. */
async function writeStatus(
  { api }: Session,
  known: Pod,
  state: MemberState,
  { address, signal }: Place,
): Promise<Pod> {
  const { namespace = "", name } = known.metadata;
  let pod: Pod | undefined = known;
  for (let attempt = 1; pod && attempt <= WRITE_ATTEMPTS && !signal.aborted; attempt += 1) {
    try {
      const status = { ...pod.status, ...statusOf(address, state) };
      return await api.replaceStatus(kinds.pod, { ...pod, status });
    } catch (error) {
      const isLate = error instanceof KubeError && ["Conflict", "NotFound"].includes(error.kind);
      if (!isLate) throw error;
      pod = await api.get(kinds.pod, { namespace, name });
    }
  }
  if (pod && !signal.aborted)
    throw new Error(`the status of ${name} was not written in ${WRITE_ATTEMPTS} attempts`);
  return known;
}

export function statusOf(address: string, { stage }: MemberState): NonNullable<Pod["status"]> {
  const isPrepared = stage === "started" || stage === "running";
  const isRunning = stage === "running";
  const startedAt = new Date().toISOString();
  const condition = (type: string, value: boolean) => ({
    type,
    status: value ? ("True" as const) : ("False" as const),
  });
  return {
    phase: isPrepared ? "Running" : "Pending",
    podIP: address,
    podIPs: [{ ip: address }],
    startTime: startedAt,
    conditions: [
      condition("Initialized", isPrepared),
      condition("ContainersReady", isRunning),
      condition("Ready", isRunning),
      condition("PodScheduled", true),
    ],
    initContainerStatuses: [
      container(AGENT_CONTAINER, {
        ready: isRunning,
        started: isPrepared,
        state: { running: { startedAt } },
      }),
    ],
    containerStatuses: [
      container(EVNODE_CONTAINER, {
        ready: isRunning,
        started: isPrepared,
        state: isPrepared ? { running: { startedAt } } : { waiting: { reason: "PodInitializing" } },
      }),
    ],
  };
}

type ContainerStatus = NonNullable<NonNullable<Pod["status"]>["containerStatuses"]>[number];

function container(
  name: string,
  rest: Pick<ContainerStatus, "ready" | "started" | "state">,
): ContainerStatus {
  return { name, image: "simulated", imageID: "simulated", restartCount: 0, ...rest };
}
