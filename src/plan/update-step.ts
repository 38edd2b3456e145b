import { annotations, labels } from "../model/annotations.ts";
import { AGENT_CONTAINER, answerOf, EVNODE_CONTAINER, type Member } from "../model/member.ts";
import type { PodUpdate } from "../model/pod-update.ts";
import { hasDisruptionBudget } from "../resources/policies.ts";
import { type Action, FRESH_MS, type UpdatePod } from "./actions.ts";
import { budgetFor, hasBudget, refusalOf, releaseBudget } from "./budget.ts";
import type { Next } from "./next-member.ts";
import { heightOf } from "./quorum.ts";
import {
  isBegun,
  isPresent,
  isRestarting,
  isTouched,
  isUpdated,
  madeFrom,
  type Present,
  type Scene,
  standing,
  type Target,
  wayFor,
} from "./rollout-scene.ts";
import type { Snapshot } from "./snapshot.ts";
import {
  changedPod,
  configIn,
  imageIn,
  metadataChanges,
  type Part,
  type PodChanges,
  type Way,
} from "./update-way.ts";

/** What is written now to bring a member to the template, or what that waits for. */
export type UpdateStep =
  | { readonly kind: "act"; readonly actions: readonly Action[] }
  /** It takes the member away, which is decided on a certain snapshot only. */
  | { readonly kind: "lookAgain" }
  | { readonly kind: "wait"; readonly why: string };

type Chosen = Extract<Next, { kind: "update" }>;

/**
 * | the member | its way | then |
 * | --- | --- | --- |
 * | has not started in its pod, or waits there for its next start | anything that ev-node starts with | take the pod away: a start that comes before the change would be taken for one with it |
 * | cannot run | another image of ev-node alone | give it the image: kubelet starts it at once |
 * | cannot run | anything else | delete the pod: a new one waits for nothing |
 * | runs | labels or annotations alone | write them |
 * | runs | anything in place | claim the disruption budget and look again, and then: |
 * | | another agent, or image and config | give it the agent, and have the config installed: a new image must not start with the old one |
 * | | image, config or a restart | restart ev-node |
 * | runs | a new pod | look again, and evict the old one |
 */
export function updateStep(chosen: Chosen, target: Target, scene: Scene): UpdateStep {
  const { member, isBroken } = chosen;
  const way = wayFor(member, target, scene);
  if (isBroken) return brokenStep(chosen, way, target, scene);
  if (way.kind === "replace") return replaceStep(chosen, way.because, scene);
  const parts = partsFor(chosen, target, way.parts);
  if (parts.length === 0) return act(relabelled(chosen, target, scene));
  const waitsToStart = waitingToStart(member);
  if (waitsToStart !== undefined && parts.some((part) => part !== "agent"))
    return replaceStep(chosen, waitsToStart, scene);
  if (!parts.includes("agent") && !isPrepared(member, target))
    return { kind: "wait", why: pendingMessage(member) };
  if (lacksBudget(scene)) return { kind: "wait", why: BUDGET_MISSING };
  const budget = budgetFor(member, scene.snapshot, (name) => isBack(name, scene));
  if (budget.kind === "wait") return budget;
  if (budget.kind === "claim") return act(budget.action);
  if (!isEvidence(scene.snapshot)) return { kind: "lookAgain" };
  const isAnnounced = chosen.member.pod.configRevision === configIn(target.template);
  const isFirst = parts.includes("agent") || (parts.includes("image") && !isAnnounced);
  return act(isFirst ? announced(chosen, target, scene, parts) : restarted(chosen, target, scene, parts));
}

/** Kubernetes starts it whenever that is due, with what it has seen of the pod by then. */
function waitingToStart({ pod }: Present): string | undefined {
  if (pod.containerId === undefined) return "ev-node has not started in the pod";
  return pod.evnode.kind === "running" ? undefined : "ev-node does not run and may start at any moment";
}

/** Answers that are too old are history, however certain the look was meant to be. */
function isEvidence({ isCertain, members, monotonicMs }: Snapshot): boolean {
  const isFresh = ({ report }: Member) => report.kind !== "answered" || monotonicMs - report.atMs <= FRESH_MS;
  return isCertain && members.every(isFresh);
}

/** What was announced to it before is there: another agent runs, and has the config installed. */
function isPrepared(member: Present, target: Target): boolean {
  const { update, agentContainerId, configRevision } = member.pod;
  const before = isBegun(member, target) ? update?.agent : undefined;
  const isSameAgent = before !== undefined && before === agentContainerId;
  return !isSameAgent && answerOf(member)?.configRevision === configRevision;
}

/** A member that is asked to restart has nothing to be given but that. */
function partsFor({ member }: Chosen, target: Target, parts: readonly Part[]): readonly Part[] {
  return isUpdated(member, target) ? ["restart"] : parts;
}

function brokenStep(chosen: Chosen, way: Way, target: Target, scene: Scene): UpdateStep {
  if (!scene.snapshot.isCertain) return { kind: "lookAgain" };
  const isImageAlone =
    way.kind === "inPlace" &&
    way.parts.includes("image") &&
    !way.parts.includes("config") &&
    !way.parts.includes("agent") &&
    chosen.member.pod.containerId !== undefined;
  if (isImageAlone && chosen.member.pod.scheduling === "scheduled")
    return act(restarted(chosen, target, scene, way.parts));
  const { member } = chosen;
  return act({ kind: "removePod", member, pod: member.pod, by: "deletion", why: reasonOf(chosen, scene) });
}

function replaceStep(chosen: Chosen, because: string, scene: Scene): UpdateStep {
  const { member } = chosen;
  const { snapshot } = scene;
  if (lacksBudget(scene)) return { kind: "wait", why: BUDGET_MISSING };
  const released = releaseBudget(snapshot);
  if (released.length > 0) return { kind: "act", actions: released };
  const refused = refusalOf(member, snapshot);
  if (refused !== undefined) return { kind: "wait", why: refused };
  if (!isEvidence(snapshot)) return { kind: "lookAgain" };
  const by = hasBudget(snapshot) ? "eviction" : "deletion";
  return act({
    kind: "removePod",
    member,
    pod: member.pod,
    by,
    why: `${because}, which takes a new pod. ${reasonOf(chosen, scene)}`,
  });
}

const BUDGET_MISSING = "the disruption budget, which somebody took away, is put back first";

/** Without it, a drain may take any member at any moment. */
const lacksBudget = ({ intents, snapshot }: Scene) =>
  hasDisruptionBudget(intents.current.spec) && !hasBudget(snapshot);

/** The rule, and what was seen when it was applied: what a person wants to know of a restart afterwards. */
function reasonOf({ rule, why }: Chosen, { snapshot, leadership }: Scene): string {
  const leader = leadership.kind === "one" ? `${leadership.leader.name} leads` : "nobody leads";
  const heights = snapshot.members.map((one) => `${one.name} at ${heightOf(one) ?? "?"}`).join(", ");
  return `Rule ${rule}: ${why}. Seen: ${leader}; ${heights}`;
}

const act = (action: Action): UpdateStep => ({ kind: "act", actions: [action] });

function isBack(name: string, scene: Scene): boolean {
  const member = scene.snapshot.members.find((other) => other.name === name);
  return member !== undefined && standing(member, scene).kind === "takesPart";
}

function pendingMessage({ name, report }: Present): string {
  const pending = report.kind === "answered" ? report.answer.pendingConfig?.message : undefined;
  return `the agent of ${name} prepares it${pending === undefined ? "" : `: ${pending}`}`;
}

/** The pod of this template, where nothing has to be restarted for it. What it was told before is still to come. */
function relabelled({ member, why }: Chosen, target: Target, scene: Scene): UpdatePod {
  const { annotations: notes, labels: marks } = templateMetadata(member, target, scene);
  const { container } = member.pod.update ?? {};
  const note = isRestarting(member)
    ? updateNote(member, target, scene, { container, given: true })
    : { [annotations.update]: null };
  const changes = {
    annotations: { ...notes, ...note },
    labels: { ...marks, [labels.revision]: target.revision },
  };
  return { kind: "updatePod", member, object: changedPod(member.pod, changes), takesAway: false, why };
}

/** The pod with what ev-node does not notice: another agent, and the new config if a new image comes with it. */
function announced(chosen: Chosen, target: Target, scene: Scene, parts: readonly Part[]): UpdatePod {
  const { member, why } = chosen;
  const agentImage = parts.includes("agent") ? imageIn(target.template, AGENT_CONTAINER) : undefined;
  const before = agentImage === undefined ? {} : { agent: agentToGo(member, agentImage) };
  const isAll = parts.every((part) => part === "agent");
  // Without another image, what the template says comes with the restart that makes it count.
  const given =
    isAll || parts.includes("image")
      ? templateMetadata(member, target, scene)
      : { annotations: {}, labels: {} };
  const { configRevision, update } = member.pod;
  const config = given.annotations[annotations.configRevision] ?? configRevision;
  const note = updateNote(member, target, scene, {
    ...before,
    ...(isAll ? { given: true } : {}),
    ...(config === configRevision ? {} : { config: update?.config ?? configRevision }),
  });
  const changes: PodChanges = {
    ...(agentImage === undefined ? {} : { agentImage }),
    annotations: { ...given.annotations, ...note },
    labels: given.labels,
  };
  return { kind: "updatePod", member, object: changedPod(member.pod, changes), takesAway: false, why };
}

/** The agent that is there now; none, unless one is on its way out, where the pod has the image already. */
function agentToGo({ pod }: Present, agentImage: string): string | undefined {
  return pod.agentImage === agentImage ? (pod.update?.agent ?? "") : pod.agentContainerId;
}

/** The pod with all that it lacks. Another image makes kubelet restart ev-node, a token makes its agent do it. */
function restarted(chosen: Chosen, target: Target, scene: Scene, parts: readonly Part[]): UpdatePod {
  const { member } = chosen;
  const { annotations: notes, labels: marks } = templateMetadata(member, target, scene);
  const image = parts.includes("image") ? imageIn(target.template, EVNODE_CONTAINER) : undefined;
  // What was begun for another template may have brought the image already: then kubelet restarts nothing.
  const isSameImage = image === undefined || image === member.pod.image;
  const token = `${target.revision} ${timeOf(scene)}`;
  const changes: PodChanges = {
    ...(image === undefined ? {} : { image }),
    annotations: {
      ...notes,
      ...(isSameImage ? { [annotations.restartToken]: token } : {}),
      ...updateNote(member, target, scene, {
        container: member.pod.containerId,
        given: true,
        config: undefined,
        at: timeOf(scene),
      }),
    },
    labels: marks,
  };
  const object = changedPod(member.pod, changes);
  const why = `for ${parts.map((part) => causes[part]).join(" and ")}. ${reasonOf(chosen, scene)}`;
  return { kind: "updatePod", member, object, takesAway: true, why };
}

const causes: Readonly<Record<Part, string>> = {
  agent: "another agent",
  image: "another image",
  config: "another configuration",
  restart: "a restart that was asked for",
};

/** A restart that the template does not ask for is none of its pod, whoever noted it there: it would be due for ever. */
function templateMetadata(member: Present, target: Target, scene: Scene): ReturnType<typeof metadataChanges> {
  const from = madeFrom(member, target, scene) ?? target.template;
  const { annotations: notes, labels: marks } = metadataChanges(from, target.template);
  return { annotations: { [annotations.restart]: null, ...notes }, labels: marks };
}

/** `more` is what is known besides what was begun already. */
function updateNote(
  { pod, ...member }: Present,
  target: Target,
  scene: Scene,
  more: Pick<Loose<PodUpdate>, "container" | "agent" | "given" | "at" | "config">,
): Record<string, string> {
  const begun = pod.update?.revision === target.revision ? pod.update : undefined;
  const update = {
    revision: target.revision,
    at: timeOf(scene),
    ...(pod.update && !begun ? { over: true as const, config: pod.update.config } : {}),
    ...begun,
    ...more,
    ...(isUpdated({ ...member, pod }, target) ? { onDemand: true as const } : {}),
  };
  return { [annotations.update]: JSON.stringify(update satisfies Loose<PodUpdate>) };
}

type Loose<T> = { readonly [K in keyof T]?: T[K] | undefined };

const timeOf = ({ snapshot }: Scene) => new Date(snapshot.nowMs).toISOString();

/** Updates that are seen to be through: another container runs, with the config that it was to get. */
export function finishedUpdates(scene: Scene, target: Target): Action[] {
  return scene.snapshot.members.filter(isPresent).flatMap((member): Action[] => {
    const { pod } = member;
    if (!isTouched(member, target)) return [];
    const { container, agent } = pod.update ?? {};
    const isSeen =
      pod.evnode.kind === "running" &&
      (container === undefined || container !== pod.containerId) &&
      (agent === undefined || agent !== pod.agentContainerId);
    if (!isSeen || answerOf(member)?.configRevision !== pod.configRevision) return [];
    return [{ kind: "finishUpdate", member, pod, revision: target.revision }];
  });
}
