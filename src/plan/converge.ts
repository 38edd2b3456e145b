import { kinds } from "../model/kinds.ts";
import type { KubeObject } from "../model/kube-object.ts";
import { isMadeFor } from "../model/made-for.ts";
import { type Desired, surroundings, switchedOff, workload } from "../resources/desired.ts";
import type { Action } from "./actions.ts";
import { wantedEntries } from "./config-entries.ts";
import { driftOf } from "./drift.ts";
import { intentsOf } from "./intent.ts";
import { changeOf, nextIntent } from "./membership-state.ts";
import { followingConfigs } from "./migration-scene.ts";
import { nextVersion } from "./next-version.ts";
import { SPEC_CHANGED } from "./notices.ts";
import { blueprintOf } from "./rendering.ts";
import { objectKey, type Snapshot } from "./snapshot.ts";
import { type Decider, NOTHING } from "./step.ts";

/**
 * Makes the objects of the cluster what they should be: creates what is missing, puts back what somebody changed,
 * removes what was switched off. What others need comes first; the StatefulSet, which starts pods, comes last.
 */
export const converge: Decider = (snapshot) => {
  if (snapshot.identity.kind !== "present") return NOTHING;
  const { identity } = snapshot.identity;
  const intents = intentsOf(snapshot, identity);
  if (!intents) return NOTHING;

  const change = changeOf(snapshot);
  const next = change
    ? nextIntent(snapshot, identity, intents, change.to).configs
    : followingConfigs(snapshot, identity, intents);
  const entries = wantedEntries(snapshot, intents, next);
  const blueprint = blueprintOf(snapshot, identity, intents.current);
  const earlier = () => {
    const before = intents.applied && blueprintOf(snapshot, identity, intents.applied);
    return before ? [...surroundings(before, entries), workload(before)] : [];
  };
  const act = (desired: Desired) => actionFor(desired, snapshot, earlier);
  const off = switchedOff(blueprint).flatMap(({ resource, name }) => {
    const live = snapshot.objects.get(objectKey(resource.kind, name));
    if (!live || !isOurs(live, snapshot)) return [];
    return [{ kind: "delete", resource, object: live, why: "switched off in the spec" } as const];
  });
  const first = surroundings(blueprint, entries).flatMap(act);
  return { stages: [[...first, ...off], act(workload(blueprint))].filter((stage) => stage.length > 0) };
};

/** `earlier` tells what was wanted before the owner changed what is taken at once. */
function actionFor(
  { resource, object }: Desired,
  snapshot: Snapshot,
  earlier: () => readonly Desired[],
): Action[] {
  const live = liveOf(snapshot, object);
  if (!live) return [{ kind: "create", resource, object }];
  // The guard has reported a stranger; one that is going away leaves room for ours by and by.
  if (!isOurs(live, snapshot) || live.metadata.deletionTimestamp !== undefined) return [];

  const drift = driftOf(object, live);
  if (drift === undefined) return [];
  const wasWanted = earlier().find(({ object: other }) => isSame(other, object))?.object;
  const why = wasWanted && driftOf(wasWanted, live) === undefined ? SPEC_CHANGED : drift;
  return [{ kind: "replace", resource, object: nextVersion(live, object), why }];
}

function liveOf({ objects, statefulSet }: Snapshot, { kind, metadata }: KubeObject): KubeObject | undefined {
  return kind === kinds.statefulSet.kind ? statefulSet : objects.get(objectKey(kind, metadata.name));
}

const isSame = (a: KubeObject, b: KubeObject) => a.kind === b.kind && a.metadata.name === b.metadata.name;
const isOurs = (object: KubeObject, { cluster }: Snapshot) => isMadeFor(object, cluster.metadata.uid ?? "");
