import { parseTimestampMs } from "../evnode/timestamp.ts";
import type { Identity } from "../model/identity.ts";
import { EXECUTION_CONTAINER, isFailed, stateIn } from "../model/member.ts";
import type { Pod } from "../model/objects.ts";
import { rehearsalPod } from "../resources/rehearsal-pod.ts";
import type { Action } from "./actions.ts";
import type { Intents, Wish } from "./intent.ts";
import { failureText } from "./member-status.ts";
import { blueprintOf } from "./rendering.ts";
import type { Snapshot } from "./snapshot.ts";

export type Rehearsal =
  | { readonly kind: "passed" }
  | { readonly kind: "underWay"; readonly actions: readonly Action[]; readonly why: string }
  | { readonly kind: "failed"; readonly actions: readonly Action[]; readonly why: string };

/**
 * Whether the images of a wish were pulled and started on every node that a member is on. A wrong name, a missing pull
 * secret and another machine's architecture all show there, and no member was touched.
 *
 * | on a node | then |
 * | --- | --- |
 * | no pod for this image | make one |
 * | it ended well, or ended and is an app that may not know the argument | passed |
 * | the image is not to be had, or does not start, or not in time | failed, for as long as it is so |
 * | the node did not take the pod | try again |
 * | anything else | wait |
 */
export function rehearsalOf(
  snapshot: Snapshot,
  identity: Identity,
  wish: Wish,
  deadlineMs: number,
): Rehearsal {
  const blueprint = blueprintOf(snapshot, identity, wish.intent);
  const nodes = [...new Set(snapshot.members.flatMap(({ pod }) => (pod?.node ? [pod.node] : [])))].sort();
  // Pods that are being made will be on nodes that were not tried; before the first block nothing is lost by that, and
  // nothing by one that no node takes: the change may be what heals it.
  const homeless = snapshot.members.find(({ pod }) => !pod?.node && typeof pod?.scheduling !== "object");
  if (homeless && snapshot.cluster.status?.height !== undefined)
    return { kind: "underWay", actions: [], why: `nobody knows yet on which node ${homeless.name} will be` };
  const wanted = nodes.map((node) => rehearsalPod(blueprint, node));
  const trials = wanted.map((pod) => trialOf(pod, snapshot, wish, deadlineMs));
  const actions = [
    ...trials.flatMap(({ actions }) => actions),
    ...endRehearsals(
      snapshot,
      wanted.map(({ metadata }) => metadata.name),
    ),
  ];
  const bad = trials.find(({ kind }) => kind === "failed");
  if (bad) return { kind: "failed", actions, why: bad.why };
  const open = trials.find(({ kind }) => kind === "underWay");
  return open ? { kind: "underWay", actions, why: open.why } : { kind: "passed" };
}

/** Whether a wish needs a trial: it brings another image, or another way to get it. */
export function needsRehearsal({ current }: Intents, { intent }: Wish): boolean {
  const imageOf = ({ spec }: Wish["intent"]) => [
    spec.image,
    spec.imagePullPolicy,
    spec.imagePullSecrets,
    spec.app,
    spec.execution?.image,
  ];
  return JSON.stringify(imageOf(current)) !== JSON.stringify(imageOf(intent));
}

/** Takes away pods of rehearsals that nobody waits for. */
export function endRehearsals({ rehearsals }: Snapshot, kept: readonly string[] = []): Action[] {
  return rehearsals
    .filter(({ metadata }) => !kept.includes(metadata.name) && metadata.deletionTimestamp === undefined)
    .map((pod) => ({ kind: "endRehearsal", pod }));
}

type Trial = { readonly kind: Rehearsal["kind"]; readonly actions: readonly Action[]; readonly why: string };

const trial = (kind: Trial["kind"], why: string, actions: readonly Action[] = []): Trial => ({
  kind,
  actions,
  why,
});

function trialOf(wanted: Pod, { rehearsals, nowMs }: Snapshot, { intent }: Wish, deadlineMs: number): Trial {
  const node = wanted.spec?.nodeName ?? "?";
  const images = wanted.spec?.containers ?? [];
  const where = `${images.map(({ image }) => `image ${image}`).join(" and ")} on node ${node}`;
  const pod = rehearsals.find(({ metadata }) => metadata.name === wanted.metadata.name);
  if (!pod) return trial("underWay", `${where} is tried`, [{ kind: "rehearse", pod: wanted }]);
  if (pod.metadata.deletionTimestamp !== undefined)
    return trial("underWay", `an earlier trial of ${where} ends`);

  for (const { name, image } of images) {
    const state = stateIn(pod, name);
    if (isFailed(state) && state.kind === "waiting")
      return trial("failed", `image ${image} on node ${node}: ${failureText(state)}`);
  }
  const { phase } = pod.status ?? {};
  if (phase === "Succeeded") return trial("passed", "");
  if (phase !== "Failed") {
    const createdMs = parseTimestampMs(pod.metadata.creationTimestamp ?? "") ?? nowMs;
    return nowMs - createdMs <= deadlineMs
      ? trial("underWay", `${where} is tried`)
      : trial("failed", `${where} has not started in time: ${phase ?? "Unknown"}`);
  }
  const ends = images.map(({ name, image }) => ({ name, image, ended: endOf(pod, name) }));
  // The node did not want the pod, or not any more: that says nothing about the image.
  if (ends.some(({ ended }) => !ended))
    return trial("underWay", `${where} is tried again`, [{ kind: "endRehearsal", pod }]);
  const bad = ends.find(({ name, ended }) => ended && !isWell(ended, isKnown(name, intent.spec)));
  if (!bad?.ended) return trial("passed", "");
  const { exitCode, message = "", reason = "" } = bad.ended;
  const lastLine = message.trimEnd().split("\n").at(-1) ?? "";
  return trial(
    "failed",
    `image ${bad.image} on node ${node}: it ended with exit code ${exitCode}: ${lastLine || reason}`,
  );
}

const endOf = ({ status }: Pod, container: string) =>
  status?.containerStatuses?.find(({ name }) => name === container)?.state?.terminated;

/**
 * Whether the container's program is known to end well at what it is asked. An app of somebody else may not know what a
 * version is, and images of evm are built without one, which that program takes for an error: that it ran is enough.
 */
const isKnown = (container: string, { app }: Wish["intent"]["spec"]) =>
  container === EXECUTION_CONTAINER || app.kind === "testapp";

function isWell({ exitCode, reason = "", message = "" }: Ended, isProgramKnown: boolean): boolean {
  return exitCode === 0 || (!isProgramKnown && !cannotStart.test(`${reason} ${message}`));
}

type Ended = NonNullable<ReturnType<typeof endOf>>;

const cannotStart = /StartError|ContainerCannotRun|exec format error/;
