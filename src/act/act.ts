import type { KubeApi } from "../kube/api.ts";
import { KubeError, toKubeError } from "../kube/errors.ts";
import { annotations } from "../model/annotations.ts";
import { renderMembership } from "../model/identity.ts";
import { type Kind, kinds } from "../model/kinds.ts";
import type { KubeObject } from "../model/kube-object.ts";
import { identitySecretName } from "../model/names.ts";
import type { World } from "../observe/world.ts";
import type { Action } from "../plan/actions.ts";
import { appliedIntent } from "../plan/intent.ts";
import type { Snapshot } from "../plan/snapshot.ts";
import type { Decided, Plan } from "../plan/step.ts";
import type { Random } from "../runtime/random.ts";
import { createIdentity, releaseChainLock, setFinalizer, takeChainLock } from "./foundation.ts";

export interface ActDependencies {
  readonly api: KubeApi;
  readonly world: World;
  readonly random: Random;
  /** False once another operator may lead: then nothing may be written any more. */
  readonly mayWrite: () => boolean;
}

export interface Failure {
  readonly by: string;
  readonly action: Action;
  readonly error: KubeError;
}

export interface Outcome {
  readonly done: readonly { readonly by: string; readonly action: Action }[];
  readonly failures: readonly Failure[];
}

/**
 * Carries out a plan. A failed write ends its decider's later stages, and leaves the other deciders alone.
 * Writes of one stage run at the same time.
 */
export async function actAll(deps: ActDependencies, snapshot: Snapshot, plan: Plan): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  for (const decided of plan.decided) outcomes.push(await actOne(deps, snapshot, decided));
  return {
    done: outcomes.flatMap(({ done }) => done),
    failures: outcomes.flatMap(({ failures }) => failures),
  };
}

async function actOne(deps: ActDependencies, snapshot: Snapshot, { by, stages }: Decided): Promise<Outcome> {
  const done: { by: string; action: Action }[] = [];
  for (const stage of stages) {
    const results = await Promise.all(stage.map((action) => attempt(deps, snapshot, action)));
    const failures = results.flatMap((error, index) => {
      const action = stage[index];
      if (!action) return [];
      if (error) return [{ by, action, error }];
      done.push({ by, action });
      return [];
    });
    if (failures.length > 0) return { done, failures };
  }
  return { done, failures: [] };
}

async function attempt(
  deps: ActDependencies,
  snapshot: Snapshot,
  action: Action,
): Promise<KubeError | undefined> {
  if (!deps.mayWrite()) return new KubeError("Unavailable", "this operator no longer leads");
  try {
    await perform(deps, snapshot, action);
    return undefined;
  } catch (thrown) {
    const error = toKubeError(thrown);
    learn(deps.world, action, error);
    return error;
  }
}

/** One case, one API call; a pod or claim is written only if it still is the one that was looked at. */
async function perform(deps: ActDependencies, snapshot: Snapshot, action: Action): Promise<void> {
  const { api, world } = deps;
  const { namespace = "" } = snapshot.cluster.metadata;
  switch (action.kind) {
    case "addFinalizer":
      return setFinalizer(deps, snapshot, true);
    case "removeFinalizer":
      return setFinalizer(deps, snapshot, false);
    case "createIdentity":
      return createIdentity(deps, snapshot);
    case "takeChainLock":
      return takeChainLock(deps, snapshot, action.takeOver);
    case "releaseChainLock":
      return releaseChainLock(deps, snapshot);
    case "create":
      return world.wrote(action.resource, await api.create(action.resource, action.object));
    case "replace":
      return world.wrote(action.resource, await api.replace(action.resource, action.object));
    case "delete": {
      const { name, uid = "" } = action.object.metadata;
      await api.delete(
        action.resource,
        { namespace, name },
        { preconditions: { uid }, propagation: "Background" },
      );
      return world.forget(action.resource, { namespace, name });
    }
    case "order": {
      const notes = { [annotations.order]: JSON.stringify(action.order) };
      const ref = { namespace, name: action.member.name };
      const patch = { metadata: { annotations: notes } };
      return world.wrote(kinds.pod, await api.patch(kinds.pod, ref, patch, { uid: action.pod.uid }));
    }
    case "labelPod": {
      const ref = { namespace, name: action.member.name };
      const patch = { metadata: { labels: action.labels } };
      return world.wrote(kinds.pod, await api.patch(kinds.pod, ref, patch, { uid: action.pod.uid }));
    }
    case "markClaim": {
      const epoch = String(action.epoch);
      const notes = { [annotations.epoch]: epoch, [annotations.started]: epoch };
      const ref = { namespace, name: action.member.claimName };
      const patch = { metadata: { annotations: notes } };
      return world.wrote(kinds.claim, await api.patch(kinds.claim, ref, patch, { uid: action.claim.uid }));
    }
    case "markBootstrapped":
      return markBootstrapped(deps, snapshot, action.epoch);
  }
}

async function markBootstrapped(
  { api, world }: ActDependencies,
  snapshot: Snapshot,
  epoch: number,
): Promise<void> {
  if (snapshot.identity.kind !== "present") return;
  const { uid } = snapshot.identity.identity;
  const { namespace = "", name } = snapshot.cluster.metadata;
  const ref = { namespace, name: identitySecretName(name) };
  const notes = { [annotations.bootstrapped]: String(epoch), ...membershipNote(snapshot) };
  const patch = { metadata: { annotations: notes } };
  world.wrote(kinds.secret, await api.patch(kinds.secret, ref, patch, { uid }));
}

/** What raft's own log holds from now on, so that a cluster that is applied again cannot ask for something else. */
function membershipNote({ statefulSet }: Snapshot): Record<string, string> {
  const spec = appliedIntent(statefulSet)?.spec;
  if (!spec) return {};
  const { replicas, raft } = spec;
  return { [annotations.membership]: renderMembership({ replicas, raftPort: raft.port }) };
}

/** A refused write often says that what is remembered is wrong. */
function learn(world: World, action: Action, error: KubeError): void {
  const subject = subjectOf(action);
  if (!subject) return;
  if (error.kind === "AlreadyExists") world.lookBehind(subject.resource, subject.object.metadata);
  else world.forget(subject.resource, subject.object.metadata);
}

function subjectOf(action: Action): { resource: Kind<KubeObject>; object: KubeObject } | undefined {
  return action.kind === "create" || action.kind === "replace" || action.kind === "delete"
    ? action
    : undefined;
}
