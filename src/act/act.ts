import type { KubeApi } from "../kube/api.ts";
import { KubeError } from "../kube/errors.ts";
import { annotations } from "../model/annotations.ts";
import type { DrillRecord } from "../model/drill-record.ts";
import { renderMembership } from "../model/identity.ts";
import { type Kind, kinds } from "../model/kinds.ts";
import type { KubeObject, ObjectRef } from "../model/kube-object.ts";
import { identitySecretName } from "../model/names.ts";
import type { World } from "../observe/world.ts";
import { type Action, FRESH_MS } from "../plan/actions.ts";
import type { Snapshot } from "../plan/snapshot.ts";
import type { Decided, Plan } from "../plan/step.ts";
import { appliedIntent } from "../plan/stored-intent.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Random } from "../runtime/random.ts";
import { createIdentity, releaseChainLock, setFinalizer, takeChainLock } from "./foundation.ts";
import { ensureMayWrite } from "./may-write.ts";
import { labelPod } from "./role-label.ts";
import { orderNotes, performRollout } from "./rollout.ts";

export interface ActDependencies {
  readonly api: KubeApi;
  readonly world: World;
  readonly random: Random;
  readonly clock: Clock;
  /** False once another operator may lead, or the time of this run is over: then nothing may be written any more. */
  readonly mayWrite: () => boolean;
}

interface Attempt {
  readonly by: string;
  readonly action: Action;
}

/** What the API refused, or did not answer. */
export interface Failure extends Attempt {
  readonly error: KubeError;
}

/** What no call of the API throws: a fault of this program. */
export interface Bug extends Attempt {
  readonly error: unknown;
}

export interface Outcome {
  readonly done: readonly Attempt[];
  readonly failures: readonly Failure[];
  readonly bugs: readonly Bug[];
}

/**
 * Carries out a plan. A write that fails, or that a bug ends, ends its decider's later stages, and leaves the other
 * deciders alone. Writes of one stage run at the same time.
 */
export async function actAll(deps: ActDependencies, snapshot: Snapshot, plan: Plan): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  for (const decided of plan.decided) outcomes.push(await actOne(deps, snapshot, decided));
  return joined(outcomes);
}

async function actOne(deps: ActDependencies, snapshot: Snapshot, { by, stages }: Decided): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  for (const stage of stages) {
    const ofStage = joined(await Promise.all(stage.map((action) => attempt(deps, snapshot, { by, action }))));
    outcomes.push(ofStage);
    if (ofStage.failures.length > 0 || ofStage.bugs.length > 0) break;
  }
  return joined(outcomes);
}

const NOTHING: Outcome = { done: [], failures: [], bugs: [] };

function joined(outcomes: readonly Outcome[]): Outcome {
  return {
    done: outcomes.flatMap(({ done }) => done),
    failures: outcomes.flatMap(({ failures }) => failures),
    bugs: outcomes.flatMap(({ bugs }) => bugs),
  };
}

async function attempt(deps: ActDependencies, snapshot: Snapshot, one: Attempt): Promise<Outcome> {
  try {
    ensureMayWrite(deps.mayWrite);
    ensureFresh(deps.clock, snapshot, one.action);
    await perform(deps, snapshot, one.action);
    return { ...NOTHING, done: [one] };
  } catch (error) {
    learn(deps.world, snapshot, one.action, error);
    if (error instanceof KubeError) return { ...NOTHING, failures: [{ ...one, error }] };
    return { ...NOTHING, bugs: [{ ...one, error }] };
  }
}

function ensureFresh(clock: Clock, { monotonicMs, isCertain }: Snapshot, action: Action): void {
  if (!takesAway(action)) return;
  const ageMs = clock.monotonicMs() - monotonicMs;
  if (isCertain && ageMs <= FRESH_MS) return;
  throw new KubeError("Conflict", `what was seen is ${ageMs} ms old, too old to take a member away`);
}

const takesAway = (action: Action) =>
  action.kind === "removePod" || (action.kind === "updatePod" && action.takesAway);

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
      const notes = orderNotes(action.order, snapshot.nowMs);
      const ref = { namespace, name: action.member.name };
      const patch = { metadata: { annotations: notes } };
      return world.wrote(kinds.pod, await api.patch(kinds.pod, ref, patch, { uid: action.pod.uid }));
    }
    case "labelPod":
      return labelPod(deps, snapshot, action);
    case "markClaim": {
      const epoch = String(action.epoch);
      const notes = { [annotations.epoch]: epoch, [annotations.started]: epoch };
      const ref = { namespace, name: action.member.claimName };
      const patch = { metadata: { annotations: notes } };
      return world.wrote(kinds.claim, await api.patch(kinds.claim, ref, patch, { uid: action.claim.uid }));
    }
    case "markBootstrapped":
      return markBootstrapped(deps, snapshot, action.epoch);
    case "decideMembership":
      return decideMembership(deps, snapshot, action);
    case "withdrawMembership":
      return annotateIdentity(deps, snapshot, { [annotations.withdrawn]: action.startedAt });
    case "endApproval":
      return takeOff(deps, snapshot, annotations.approveRejoin);
    case "endRequest":
      return takeOff(deps, snapshot, annotations[action.annotation]);
    case "turnDrill":
      return turnDrill(deps, snapshot, action.record);
    case "updatePod":
    case "finishUpdate":
    case "turnRollout":
    case "turnSuspension":
    case "turnMembership":
    case "moveMember":
    case "removePod":
    case "claimBudget":
    case "rehearse":
    case "endRehearsal":
      return performRollout(deps, snapshot, action);
  }
}

async function markBootstrapped(
  { api, world }: ActDependencies,
  snapshot: Snapshot,
  epoch: number,
): Promise<void> {
  if (snapshot.identity.kind !== "present") return;
  const { uid } = snapshot.identity.identity;
  const notes = { [annotations.bootstrapped]: String(epoch), ...membershipNote(snapshot) };
  const patch = { metadata: { annotations: notes } };
  world.wrote(kinds.secret, await api.patch(kinds.secret, identityOf(snapshot), patch, { uid }));
}

/** Before this write the old epoch may go on, after it only the new one. */
async function decideMembership(
  deps: ActDependencies,
  snapshot: Snapshot,
  { epoch, replicas }: Extract<Action, { kind: "decideMembership" }>,
): Promise<void> {
  if (snapshot.identity.kind !== "present") return;
  const { membership } = snapshot.identity.identity;
  const raftPort = membership?.raftPort ?? appliedIntent(snapshot.statefulSet)?.spec.raft.port;
  return annotateIdentity(deps, snapshot, {
    [annotations.epoch]: String(epoch),
    [annotations.bootstrapped]: String(epoch),
    ...(raftPort === undefined ? {} : { [annotations.membership]: renderMembership({ replicas, raftPort }) }),
  });
}

/** On the very identity that was looked at: of two decisions that exclude each other the server takes the first only. */
async function annotateIdentity(
  { api, world }: ActDependencies,
  snapshot: Snapshot,
  notes: Readonly<Record<string, string>>,
): Promise<void> {
  if (snapshot.identity.kind !== "present") return;
  const { uid, resourceVersion } = snapshot.identity.identity;
  const patch = { metadata: { annotations: notes } };
  world.wrote(
    kinds.secret,
    await api.patch(kinds.secret, identityOf(snapshot), patch, { uid, resourceVersion }),
  );
}

const identityOf = ({ cluster: { metadata } }: Snapshot): ObjectRef => ({
  namespace: metadata.namespace ?? "",
  name: identitySecretName(metadata.name),
});

function takeOff(deps: ActDependencies, snapshot: Snapshot, annotation: string): Promise<void> {
  return annotate(deps, snapshot, { [annotation]: null });
}

/** The request goes with the same write: it is never carried out twice, and never lost without a word. */
function turnDrill(deps: ActDependencies, snapshot: Snapshot, record: DrillRecord): Promise<void> {
  const isTaken = record.kind === "underWay" || record.kind === "refused";
  const notes = { [annotations.lastDrill]: JSON.stringify(record) };
  return annotate(deps, snapshot, isTaken ? { ...notes, [annotations.drill]: null } : notes);
}

/** The version is part of the evidence: what its owner asked for meanwhile is something else. */
async function annotate(
  { api, world }: ActDependencies,
  { cluster }: Snapshot,
  notes: Readonly<Record<string, string | null>>,
): Promise<void> {
  const { namespace = "", name, uid = "", resourceVersion = "" } = cluster.metadata;
  const patch = { metadata: { annotations: notes } };
  const written = await api.patch(kinds.cluster, { namespace, name }, patch, { uid, resourceVersion });
  world.wrote(kinds.cluster, written);
}

/** What raft's own log holds from now on, so that a cluster that is applied again cannot ask for something else. */
function membershipNote({ statefulSet }: Snapshot): Record<string, string> {
  const spec = appliedIntent(statefulSet)?.spec;
  if (!spec) return {};
  const { replicas, raft } = spec;
  return { [annotations.membership]: renderMembership({ replicas, raftPort: raft.port }) };
}

/** A refused write often says that what is remembered is wrong; one that failed otherwise may have been carried out. */
function learn(world: World, snapshot: Snapshot, action: Action, error: unknown): void {
  const subject = subjectOf(action, snapshot);
  if (!subject) return;
  const isUnseen = error instanceof KubeError && error.kind === "AlreadyExists";
  if (isUnseen) world.lookBehind(subject.resource, subject.ref);
  else world.forget(subject.resource, subject.ref);
}

function subjectOf(
  action: Action,
  snapshot: Snapshot,
): { resource: Kind<KubeObject>; ref: ObjectRef } | undefined {
  const { kind } = action;
  if (kind === "create" || kind === "replace" || kind === "delete")
    return { resource: action.resource, ref: action.object.metadata };
  // No watch shows it.
  if (kind === "markBootstrapped" || kind === "decideMembership" || kind === "withdrawMembership")
    return { resource: kinds.secret, ref: identityOf(snapshot) };
  return undefined;
}
