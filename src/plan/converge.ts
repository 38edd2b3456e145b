import type { KubeObject } from "../model/kube-object.ts";
import { isMadeFor } from "../model/made-for.ts";
import { configEntry, configSecretName } from "../model/names.ts";
import { type Desired, surroundings, switchedOff, workload } from "../resources/desired.ts";
import { configEntries } from "../resources/member-configs.ts";
import type { Action } from "./actions.ts";
import { driftOf } from "./drift.ts";
import { blueprintOf, type Intents, intentsOf } from "./intent.ts";
import { objectKey, type Snapshot } from "./snapshot.ts";
import { type Decider, NOTHING } from "./step.ts";

/**
 * Makes the objects of the cluster what they should be: creates what is missing, puts back what somebody changed,
 * removes what was switched off. What others need comes first; the StatefulSet, which starts pods, comes last.
 */
export const converge: Decider = (snapshot) => {
  if (snapshot.identity.kind !== "present") return NOTHING;
  const intents = intentsOf(snapshot, snapshot.identity.identity);
  if (!intents) return NOTHING;

  const blueprint = blueprintOf(snapshot, snapshot.identity.identity, intents);
  const before = surroundings(blueprint, wantedEntries(snapshot, intents));
  const first = before.flatMap((desired) => actionFor(desired, liveOf(snapshot, desired.object), snapshot));
  const off = switchedOff(blueprint).flatMap(({ resource, name }) => {
    const live = snapshot.objects.get(objectKey(resource.kind, name));
    if (!live || !isOurs(live, snapshot)) return [];
    return [{ kind: "delete", resource, object: live, why: "switched off in the spec" } as const];
  });
  const last = actionFor(workload(blueprint), snapshot.statefulSet, snapshot);
  return { stages: [[...first, ...off], last].filter((stage) => stage.length > 0) };
};

/**
 * Every member's config of the current revision, and of the revisions that pods still run. A revision that can no
 * longer be rendered is kept as it is.
 */
function wantedEntries(snapshot: Snapshot, { current, configs }: Intents): ReadonlyMap<string, string> {
  const rendered = configs ? configEntries(configs) : new Map<string, string>();
  const running = snapshot.members
    .map(({ pod }) => pod?.configRevision)
    .filter((revision) => revision !== undefined);
  const kept = [current.configRevision, ...running].flatMap((revision) => {
    return snapshot.members.map(({ name }) => configEntry(name, revision));
  });
  const live = liveEntries(snapshot);
  return new Map([...kept.flatMap((entry) => entryOf(live, entry)), ...rendered]);
}

function liveEntries({ objects, cluster }: Snapshot): Readonly<Record<string, string>> {
  const secret = objects.get(objectKey("Secret", configSecretName(cluster.metadata.name)));
  return (secret as { data?: Record<string, string> } | undefined)?.data ?? {};
}

function entryOf(live: Readonly<Record<string, string>>, entry: string): [string, string][] {
  const value = live[entry];
  return value === undefined ? [] : [[entry, Buffer.from(value, "base64").toString("utf8")]];
}

function liveOf({ objects }: Snapshot, { kind, metadata }: KubeObject): KubeObject | undefined {
  return objects.get(objectKey(kind, metadata.name));
}

function actionFor(
  { resource, object }: Desired,
  live: KubeObject | undefined,
  snapshot: Snapshot,
): Action[] {
  if (!live) return [{ kind: "create", resource, object }];
  // The guard has reported a stranger; one that is going away leaves room for ours by and by.
  if (!isOurs(live, snapshot) || live.metadata.deletionTimestamp !== undefined) return [];

  const why = driftOf(object, live);
  return why === undefined ? [] : [{ kind: "replace", resource, object: over(live, object), why }];
}

const isOurs = (object: KubeObject, { cluster }: Snapshot) => isMadeFor(object, cluster.metadata.uid ?? "");

/** The desired object as the next version of the live one. */
function over(live: KubeObject, desired: KubeObject): KubeObject {
  const { uid, resourceVersion, finalizers } = live.metadata;
  const kept = {
    ...(uid && { uid }),
    ...(resourceVersion && { resourceVersion }),
    ...(finalizers && { finalizers }),
  };
  return { ...desired, metadata: { ...desired.metadata, ...kept } };
}
