import { annotations } from "../model/annotations.ts";
import { kinds } from "../model/kinds.ts";
import { boundedChanges, type RolloutRecord } from "../model/rollout-record.ts";
import type { Intent } from "../resources/blueprint.ts";
import { configSecret } from "../resources/member-configs.ts";
import { statefulSet as rendered } from "../resources/statefulset.ts";
import type { Action, Stages } from "./actions.ts";
import { configSecretIn, wantedEntries } from "./config-entries.ts";
import type { Wish } from "./intent.ts";
import { nextVersion } from "./next-version.ts";
import { SPEC_CHANGED } from "./notices.ts";
import { bestHeight } from "./quorum.ts";
import { blueprintOf } from "./rendering.ts";
import { isOpen, type Scene } from "./rollout-scene.ts";
import { gapSince } from "./rollout-status.ts";
import { provenIn } from "./stored-record.ts";

/**
 * The template of a wish, applied to the StatefulSet. The configs come first: a pod that is made from the new template
 * must find its own. What all members ran before is kept as the way back.
 */
export function applyWish(scene: Scene, wish: Wish): Stages {
  const { snapshot, identity, intents } = scene;
  const startedAt = new Date(snapshot.nowMs).toISOString();
  const proven = provenIntent(scene);
  const record: RolloutRecord = {
    version: 1,
    kind: "rolling",
    wish: wish.digest,
    changes: boundedChanges(wish.changes),
    startedAt,
    ...(proven === undefined ? {} : { proven }),
  };
  const secret = configSecret(
    blueprintOf(snapshot, identity, wish.intent),
    wantedEntries(snapshot, intents, wish.configs),
  );
  const live = configSecretIn(snapshot);
  const why = `${wish.changes.join(", ")} changed`;
  const configs: Action[] = live
    ? [{ kind: "replace", resource: kinds.secret, object: nextVersion(live, secret), why: SPEC_CHANGED }]
    : [];
  return [configs, [turnTo(scene, wish.intent, record, why)]].filter((stage) => stage.length > 0);
}

/** As much as the status tells of it. */
const LONGEST_WHY = 1_024;

/** Back to what all members ran before; undefined when that is not known, or is what they are to run now. */
export function revertWish(scene: Scene, why: string): Action | undefined {
  const { record, intents } = scene;
  const proven = provenIn(record);
  if (record?.kind !== "rolling" || !proven || record.proven === JSON.stringify(intents.applied))
    return undefined;
  const { version, wish, changes, startedAt } = record;
  return turnTo(
    scene,
    proven,
    { version, kind: "reverted", wish, changes, startedAt, why: why.slice(0, LONGEST_WHY) },
    why,
  );
}

/** Notes that every member runs the template and takes part. */
export function completeRollout(scene: Scene): Action[] {
  const { record, snapshot, intents } = scene;
  if (!record || !intents.applied || record.kind === "completed") return [];
  if (!isOpen(record)) return withdrawn(scene, intents.applied);
  const finishedAt = new Date(snapshot.nowMs).toISOString();
  const { leaderChanges = 0, longestGapMs: told } = snapshot.cluster.status?.rollout ?? {};
  // What is told just now stands in no status yet.
  const gaps = [told, gapSince(snapshot, record.startedAt)].filter((gap) => gap !== undefined);
  const longestGapMs = gaps.length === 0 ? undefined : Math.max(...gaps);
  const counts = { leaderChanges, ...(longestGapMs === undefined ? {} : { longestGapMs }) };
  const why = "every member takes part";
  if (record.kind === "reverted")
    return [turnTo(scene, intents.applied, { ...record, ...counts, finishedAt }, why)];
  const { version, wish, changes, startedAt } = record;
  const done = { version, kind: "completed", wish, changes, startedAt, finishedAt, ...counts } as const;
  return [turnTo(scene, intents.applied, done, why)];
}

/** Whoever set the spec back may ask for the same again. */
function withdrawn(scene: Scene, applied: Intent): Action[] {
  const { record, intents, policy } = scene;
  // Of an invalid spec nobody knows what it asks for.
  if (record?.kind !== "reverted" || record.isWithdrawn || intents.wish || !policy) return [];
  return [turnTo(scene, applied, { ...record, isWithdrawn: true }, "the spec was set back")];
}

function turnTo(
  { snapshot, identity, statefulSet }: Scene,
  intent: Intent,
  to: RolloutRecord,
  why: string,
): Action {
  const desired = rendered(blueprintOf(snapshot, identity, intent, JSON.stringify(to)));
  return { kind: "turnRollout", statefulSet: nextVersion(statefulSet, desired), to, why };
}

/** What runs now, if it ever ran: a template whose members never made a block proves nothing. */
function provenIntent({ record, snapshot, statefulSet }: Scene): string | undefined {
  const applied = statefulSet.metadata.annotations?.[annotations.intent];
  if (record?.kind === "rolling") return record.proven;
  if (record !== undefined) return applied;
  const { members, cluster } = snapshot;
  // The height of the status is told on while nobody tells one: it may be that of another template.
  const wasTold = cluster.status?.members?.some(({ height }) => height !== undefined) === true;
  return bestHeight(members) !== undefined || wasTold ? applied : undefined;
}
