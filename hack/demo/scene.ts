import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { AGENT_PORT, type AgentAnswer, agentAnswerSchema } from "../../src/model/agent-protocol.ts";
import { labels } from "../../src/model/annotations.ts";
import { memberName } from "../../src/model/names.ts";
import type { Kubectl } from "./kubectl.ts";

/** All that the demo shows at one moment. */
export interface Scene {
  readonly phase: string;
  readonly quorum: string;
  readonly ready: boolean;
  /** Conditions that are not as they should be, in the operator's words. */
  readonly complaints: readonly string[];
  readonly members: readonly MemberScene[];
}

export interface MemberScene {
  readonly name: string;
  readonly role: "leader" | "follower" | "unknown";
  readonly height: number | undefined;
  readonly ready: boolean;
  /** What the member does or waits for. */
  readonly doing: string;
}

const clusterSchema = z.object({
  spec: z.object({ replicas: z.number().default(3) }),
  status: z
    .object({
      phase: z.string().default("Unknown"),
      quorum: z.string().default("Unknown"),
      members: z
        .array(z.object({ name: z.string(), role: z.string().optional(), height: z.number().optional() }))
        .default([]),
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), message: z.string() }))
        .default([]),
    })
    .prefault({}),
});

const containerStatus = z.object({
  ready: z.boolean(),
  state: z.object({ waiting: z.object({ reason: z.string().default("waiting") }).optional() }).default({}),
});
const podsSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), deletionTimestamp: z.string().optional() }),
      status: z.object({
        phase: z.string().default("Pending"),
        podIP: z.string().optional(),
        conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
        initContainerStatuses: z.array(containerStatus).default([]),
        containerStatuses: z.array(containerStatus).default([]),
      }),
    }),
  ),
});
type Told = z.infer<typeof clusterSchema>["status"]["members"][number];
type Pod = z.infer<typeof podsSchema>["items"][number];

const AGENT_DEADLINE_MS = 800;

/**
 * Looks at the cluster through the API, and at its members through their agents: those know the latest height. Where
 * pods cannot be reached from this machine, as with kind, what the cluster's status tells has to do.
 */
export async function look(kubectl: Kubectl, namespace: string, name: string): Promise<Scene> {
  const selector = `${labels.cluster}=${name}`;
  const [cluster, pods] = await Promise.all([
    kubectl.json(clusterSchema, ["get", "evnodecluster", name, "--namespace", namespace]),
    kubectl.json(podsSchema, ["get", "pods", "--namespace", namespace, "--selector", selector]),
  ]);
  const ordinals = Array.from({ length: cluster.spec.replicas }, (_, ordinal) => ordinal);
  const members = await Promise.all(
    ordinals.map(async (ordinal) => {
      const member = memberName(name, ordinal);
      const pod = pods.items.find(({ metadata }) => metadata.name === member);
      const told = cluster.status.members.find((one) => one.name === member);
      return memberScene(pod, await agentAnswer(pod?.status.podIP), told ?? { name: member });
    }),
  );
  const { phase, quorum, conditions } = cluster.status;
  // Reconciling and Stalled are good when they are False, all others when they are True.
  const good = ({ type, status }: { type: string; status: string }) =>
    status === (["Reconciling", "Stalled"].includes(type) ? "False" : "True");
  return {
    phase,
    quorum,
    ready: conditions.some(({ type, status }) => type === "Ready" && status === "True"),
    complaints: conditions
      .filter((condition) => !good(condition))
      .map(({ type, message }) => `${type}: ${message}`),
    members,
  };
}

async function agentAnswer(address: string | undefined): Promise<AgentAnswer | undefined> {
  if (address === undefined) return undefined;
  try {
    const signal = AbortSignal.timeout(AGENT_DEADLINE_MS);
    const response = await fetch(`http://${address}:${AGENT_PORT}/v1/state`, { signal });
    return agentAnswerSchema.parse(await response.json());
  } catch {
    return undefined;
  }
}

function memberScene(pod: Pod | undefined, answer: AgentAnswer | undefined, told: Told): MemberScene {
  const node = answer?.node;
  const open = node?.kind === "open" ? node : undefined;
  const seen = answer === undefined ? ofStatus(told) : { role: roleOf(open?.isLeader), height: open?.height };
  const ready =
    pod?.status.conditions.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
  return {
    name: told.name,
    ...seen,
    ready,
    doing: ready ? "in sync" : activity(pod, answer),
  };
}

const roleOf = (isLeader: boolean | undefined): MemberScene["role"] =>
  isLeader === undefined ? "unknown" : isLeader ? "leader" : "follower";

function ofStatus({ role, height }: Told): Pick<MemberScene, "role" | "height"> {
  return { role: role === "Leader" ? "leader" : role === "Follower" ? "follower" : "unknown", height };
}

function activity(pod: Pod | undefined, answer: AgentAnswer | undefined): string {
  if (pod === undefined) return "no pod yet";
  if (pod.metadata.deletionTimestamp !== undefined) return "stopping";
  const waiting = [...pod.status.initContainerStatuses, ...pod.status.containerStatuses].find(
    ({ state }) => state.waiting !== undefined && state.waiting.reason !== "PodInitializing",
  );
  if (answer === undefined) return waiting?.state.waiting?.reason ?? `pod is ${pod.status.phase}`;
  const { prepare, ready } = answer;
  if (prepare.kind === "checking") return "the agent checks the member";
  return prepare.kind === "done" ? ready.message : prepare.message;
}

/** Looks again and again until `judge` says that it is over; false when the time is over first. */
export async function follow(
  ask: () => Promise<Scene>,
  judge: (scene: Scene) => boolean,
  { everyMs, timeoutMs }: { readonly everyMs: number; readonly timeoutMs: number },
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (judge(await ask())) return true;
    await sleep(everyMs);
  }
  return false;
}
