import type { MigrationPolicy } from "../api/migration-policy.ts";
import { annotations } from "../model/annotations.ts";
import { type Identity, isBootstrapped } from "../model/identity.ts";
import { kinds } from "../model/kinds.ts";
import { type MigrationRecord, readMigrationRecord } from "../model/migration-record.ts";
import type { StatefulSet } from "../model/objects.ts";
import type { OldSequencer, ToldBlock } from "../model/old-sequencer.ts";
import type { MemberConfigs } from "../resources/member-configs.ts";
import { statefulSet as rendered } from "../resources/statefulset.ts";
import type { Action } from "./actions.ts";
import { type Ground, groundOf } from "./ground.ts";
import type { Intents } from "./intent.ts";
import { nextVersion } from "./next-version.ts";
import { NOTED } from "./notices.ts";
import { joiningOf } from "./own-volume.ts";
import { blueprintOf, configsOf } from "./rendering.ts";
import type { Snapshot } from "./snapshot.ts";

/** All that the deciders of a migration look at. */
export interface MigrationScene extends Ground {
  /** Absent where the spec names no sequencer outside, or is not valid. */
  readonly wanted: MigrationPolicy | undefined;
  readonly record: MigrationRecord | undefined;
  /** What is known of the sequencer outside; absent where none is named. */
  readonly old: OldSequencer | undefined;
  /** The highest block that it ever told, as far as that was noted or is remembered. */
  readonly told: ToldBlock | undefined;
}

export function migrationScene(snapshot: Snapshot): MigrationScene | undefined {
  const { parsed, oldSequencer } = snapshot;
  const ground = groundOf(snapshot);
  if (!ground) return undefined;
  const record = migrationOn(ground.statefulSet);
  return {
    ...ground,
    wanted: parsed.kind === "valid" ? parsed.migration : undefined,
    record,
    old: oldSequencer,
    told: higher(record?.told, oldSequencer?.highest),
  };
}

const higher = (noted: ToldBlock | undefined, told: ToldBlock | undefined) =>
  (noted?.height ?? -1) >= (told?.height ?? -1) ? noted : told;

const migrationOn = ({ metadata }: StatefulSet) =>
  readMigrationRecord(metadata.annotations?.[annotations.migration]);

/** Whether the chain of this cluster comes from outside, by its spec, its StatefulSet or its volumes. */
export function isMigrating({ parsed, statefulSet, members }: Snapshot, identity: Identity): boolean {
  if (isBootstrapped(identity)) return false;
  if (parsed.kind === "valid" && parsed.migration) return true;
  return (
    (statefulSet && migrationOn(statefulSet)) !== undefined ||
    members.some((member) => joiningOf(member, identity))
  );
}

/**
 * What the members run while they follow the old sequencer: their own configs, with it as one peer more. Nobody starts
 * with them: a sequencer that comes back later is to find no member that listens to it.
 */
export function followingConfigs(
  snapshot: Snapshot,
  identity: Identity,
  { current }: Intents,
): MemberConfigs | undefined {
  const { parsed } = snapshot;
  if (parsed.kind !== "valid" || !parsed.migration || isBootstrapped(identity)) return undefined;
  const { p2p } = current.spec;
  const extraPeers = [...new Set([...p2p.extraPeers, parsed.migration.peer])];
  return configsOf(snapshot, identity, { ...current.spec, p2p: { ...p2p, extraPeers } });
}

/**
 * Notes what the old sequencer told: once as soon as it tells anything, so that it is known to have been there, and
 * again when it tells no more. While it makes blocks, a note of each would be a write of each.
 */
export function noteTold(scene: MigrationScene): Action[] {
  const { snapshot, identity, intents, statefulSet, record, old, told } = scene;
  if (record && told === record.told) return [];
  if (record?.told && old?.last.kind === "told") return [];
  const noted: MigrationRecord = { version: 1, ...(told ? { told } : {}) };
  const blueprint = { ...blueprintOf(snapshot, identity, intents.current), migration: JSON.stringify(noted) };
  const object = nextVersion(statefulSet, rendered(blueprint));
  return [{ kind: "replace", resource: kinds.statefulSet, object, why: NOTED }];
}
