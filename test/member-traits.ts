import type { AgentAnswer } from "../src/model/agent-protocol.ts";
import { annotations, labels } from "../src/model/annotations.ts";
import { AGENT_CONTAINER, EVNODE_CONTAINER, type Member, podOf } from "../src/model/member.ts";
import { claimName, memberName } from "../src/model/names.ts";
import type { Pod } from "../src/model/objects.ts";
import type { PodUpdate } from "../src/model/pod-update.ts";
import type { Template } from "../src/plan/update-way.ts";
import { answer, claim, NOW_MS, peer } from "./builders.ts";

/** What may be so with a member while a change is taken to it, one trait at a time. */

export const OLD = "seq-1";
export const NEW = "seq-2";

export const timeAgo = (ms: number) => new Date(NOW_MS - ms).toISOString();
const HOUR_MS = 3_600_000;

/** What pods are made from, before the change and after it. */
export interface Templates {
  readonly old: Template;
  readonly new: Template;
  readonly replicas: number;
}

/** A member in the making: as Kubernetes shows its pod, and as its agent answers. */
export interface Draft {
  readonly pod: Pod | undefined;
  readonly says: AgentAnswer | "nothing";
}
/** One thing that is so with a member. */
export type Trait = (draft: Draft, templates: Templates) => Draft;
export type Traits = Trait | readonly Trait[];

export function memberWith(traits: Traits, ordinal: number, templates: Templates): Member {
  const name = memberName("seq", ordinal);
  const names = Array.from({ length: templates.replicas }, (_, other) => memberName("seq", other));
  const peers = names.filter((other) => other !== name).map((other) => peer(other, { height: 100 }));
  const plain = {
    pod: podFrom(templates.old, name, OLD),
    says: answer(name, { peers, ready: { ok: true, message: "in sync", forMs: HOUR_MS } }),
  };
  const start: Draft = { ...plain, says: { ...plain.says, ...configIn(plain.pod) } };
  const { pod, says } = [traits].flat().reduce((draft, trait) => trait(draft, templates), start);
  const isSilent = says === "nothing" || pod === undefined;
  return {
    ordinal,
    name,
    claimName: claimName("seq", ordinal),
    pod: pod && podOf(pod),
    claim: claim(ordinal),
    executionClaim: undefined,
    report: isSilent ? { kind: "none", why: "no answer" } : { kind: "answered", atMs: 0, answer: says },
  };
}

const configIn = ({ metadata }: Pod) => {
  const configRevision = metadata.annotations?.[annotations.configRevision];
  return configRevision === undefined ? {} : { configRevision };
};

/** A pod as it was made from a template, ready for an hour. */
export function podFrom(template: Template, name: string, revision: string): Pod {
  const runs = { restartCount: 0, ready: true, image: "i", imageID: "i" };
  const state = { running: { startedAt: timeAgo(HOUR_MS) } };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "rollup",
      uid: `uid-of-${name}`,
      resourceVersion: "11",
      creationTimestamp: timeAgo(HOUR_MS),
      labels: { ...template.metadata?.labels, [labels.revision]: revision, [labels.role]: "follower" },
      annotations: { ...template.metadata?.annotations },
    },
    spec: { ...template.spec, containers: template.spec?.containers ?? [], nodeName: `node-of-${name}` },
    status: {
      phase: "Running",
      podIP: `ip-of-${name}`,
      conditions: [{ type: "Ready", status: "True", lastTransitionTime: timeAgo(HOUR_MS) }],
      initContainerStatuses: [{ name: AGENT_CONTAINER, ...runs, state, containerID: `agent-of-${name}` }],
      containerStatuses: [{ name: EVNODE_CONTAINER, ...runs, state, containerID: `container-of-${name}` }],
    },
  };
}

/** Another pod, if there is one. */
const onPod =
  (change: (pod: Pod, templates: Templates) => Pod): Trait =>
  (draft, templates) => ({ ...draft, pod: draft.pod && change(draft.pod, templates) });

export const noted = (notes: Readonly<Record<string, string>>): Trait =>
  onPod((pod) => {
    const { metadata } = pod;
    return { ...pod, metadata: { ...metadata, annotations: { ...metadata.annotations, ...notes } } };
  });

export const labelled = (marks: Readonly<Record<string, string>>): Trait =>
  onPod((pod) => ({ ...pod, metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, ...marks } } }));

export const says =
  (what: Partial<AgentAnswer>): Trait =>
  (draft) => ({ ...draft, says: draft.says === "nothing" ? "nothing" : { ...draft.says, ...what } });

export const leads: Trait = (draft, templates) =>
  says({ node: { kind: "open", isLeader: true, height: 100 } })(
    labelled({ [labels.role]: "leader" })(draft, templates),
    templates,
  );

/** Made from the new template. */
export const updated: Trait = (draft, templates) => {
  const name = draft.pod?.metadata.name ?? "";
  const role = draft.pod?.metadata.labels?.[labels.role] ?? "follower";
  const pod = podFrom(templates.new, name, NEW);
  const made = {
    ...pod,
    metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, [labels.role]: role } },
  };
  return says(configIn(made))({ ...draft, pod: made }, templates);
};

/** Something was begun on it in place, and it still lacks something. */
export const begun = (over: Partial<PodUpdate> = {}): Trait =>
  noted({ [annotations.update]: JSON.stringify({ revision: NEW, at: timeAgo(2_000), ...over }) });

/** It was given all of the new template, and nothing was seen of it yet; its own containers are the ones to go. */
export const touched =
  (over: Partial<PodUpdate> = {}): Trait =>
  (draft, templates) => {
    const name = draft.pod?.metadata.name ?? "";
    const given = onPod((pod, { new: to }) => ({
      ...pod,
      metadata: {
        ...pod.metadata,
        annotations: { ...pod.metadata.annotations, ...to.metadata?.annotations },
      },
      spec: { ...pod.spec, ...to.spec, containers: to.spec?.containers ?? [] },
    }));
    return [given, begun({ container: `container-of-${name}`, given: true, ...over })].reduce(
      (one, trait) => trait(one, templates),
      draft,
    );
  };

type Status = NonNullable<Pod["status"]>;
const onStatus = (change: (status: Status) => Status): Trait =>
  onPod((pod) => ({ ...pod, status: change(pod.status ?? {}) }));

type State = NonNullable<NonNullable<NonNullable<Pod["status"]>["containerStatuses"]>[number]["state"]>;

const inState = (container: "evnode" | "agent", state: State, containerID?: string): Trait =>
  onStatus((status) => {
    const list = container === "evnode" ? "containerStatuses" : "initContainerStatuses";
    const all = status[list] ?? [];
    return { ...status, [list]: all.map((one) => ({ ...one, state, ...(containerID && { containerID }) })) };
  });

/** Its ev-node is another container than before, and started a moment ago. */
export const restarted: Trait = inState("evnode", { running: { startedAt: timeAgo(1_000) } }, "another");
export const agentRestarted: Trait = inState(
  "agent",
  { running: { startedAt: timeAgo(1_000) } },
  "another-agent",
);

export const waits = (container: "evnode" | "agent", reason: string, message = ""): Trait =>
  inState(container, { waiting: { reason, message } });
/** Ends again and again; its agent says so. */
export const broken: Trait = (draft, templates) =>
  closed(waits("evnode", "CrashLoopBackOff", "back-off")(draft, templates), templates);
export const closed: Trait = says({
  node: { kind: "closed", metricsPortOpen: false, raftPortOpen: false, sinceMs: 1 },
  ready: { ok: false, message: "ev-node does not run", forMs: 1_000 },
});
/** It runs in Raft and has known no leader for so long. */
export const leaderless = (forMs = 1): Trait =>
  says({
    mode: { kind: "raft" },
    node: { kind: "closed", metricsPortOpen: true, raftPortOpen: true, sinceMs: forMs },
    ready: { ok: false, message: "it knows no leader", forMs },
  });
/** Prepared, and its ev-node was never started in this pod. */
export const notStarted: Trait = onPod((pod) => ({
  ...pod,
  status: { ...pod.status, containerStatuses: [] },
}));
export const silent: Trait = (draft) => ({ ...draft, says: "nothing" });
export const gone: Trait = () => ({ pod: undefined, says: "nothing" });
export const stopping: Trait = onPod((pod) => ({
  ...pod,
  metadata: { ...pod.metadata, deletionTimestamp: timeAgo(1_000) },
}));
export const unready = (sinceMs = 1_000): Trait =>
  onStatus((status) => ({
    ...status,
    conditions: [{ type: "Ready", status: "False", lastTransitionTime: timeAgo(sinceMs) }],
  }));
export const behind = (blocks: number): Trait =>
  says({ node: { kind: "open", isLeader: false, height: 100 - blocks } });
/** Nothing gets through between its Raft port and one of another member. */
export const cutFrom =
  (other: string): Trait =>
  (draft) => {
    if (draft.says === "nothing") return draft;
    const raft = { kind: "timedOut", ageMs: 100 } as const;
    const peers = draft.says.peers.map((one) => (one.name === other ? { ...one, raft } : one));
    return { ...draft, says: { ...draft.says, peers } };
  };
