import type { CompleteSpec } from "../api/complete-spec.ts";
import { annotations } from "../model/annotations.ts";
import type { Identity } from "../model/identity.ts";
import type { MigrationRecord } from "../model/migration-record.ts";
import type { SuspensionRecord } from "../model/suspension-record.ts";
import type { Blueprint, Intent } from "../resources/blueprint.ts";
import { type MemberConfigs, memberConfigs } from "../resources/member-configs.ts";
import type { Snapshot } from "./snapshot.ts";

export function configsOf(snapshot: Snapshot, identity: Identity, spec: CompleteSpec): MemberConfigs {
  const { cluster, references } = snapshot;
  const { name, namespace = "" } = cluster.metadata;
  const { clusterDomain, epoch, peerIds } = identity;
  const { daAuthToken: token } = references;
  const daAuthToken = spec.da.authTokenSecret && token.kind === "found" ? token.value : undefined;
  const input = { name, namespace, clusterDomain, spec, epoch, peerIds, daAuthToken };

  const inputText = JSON.stringify(input);
  const known = rendered.get(identity) ?? new Map<string, MemberConfigs>();
  rendered.set(identity, known);
  const configs = known.get(inputText) ?? memberConfigs(input);
  // The last one asked for is the last to go.
  known.delete(inputText);
  known.set(inputText, configs);
  for (const oldest of [...known.keys()].slice(0, -MOST_KNOWN)) known.delete(oldest);
  return configs;
}

/**
 * What was rendered for an identity, by its input: what runs, what is wanted, and some that came before. Every config
 * is read back when it is rendered, which takes milliseconds, and every reconcile asks for it.
 */
const rendered = new WeakMap<Identity, Map<string, MemberConfigs>>();
const MOST_KNOWN = 4;

/** Puts together what the builders need. The records on the StatefulSet stay as they are, unless another one is given. */
export function blueprintOf(
  snapshot: Snapshot,
  identity: Identity,
  intent: Intent,
  rollout = snapshot.statefulSet?.metadata.annotations?.[annotations.rollout],
): Blueprint {
  const { cluster, settings, statefulSet } = snapshot;
  const { name, namespace = "", uid = "" } = cluster.metadata;
  return {
    name,
    namespace,
    uid,
    intent,
    clusterDomain: identity.clusterDomain,
    operatorNamespace: settings.operatorNamespace,
    peerIds: identity.peerIds,
    rollout,
    suspension: statefulSet
      ? statefulSet.metadata.annotations?.[annotations.suspension]
      : firstSuspension(snapshot),
    membershipChange: statefulSet?.metadata.annotations?.[annotations.membershipChange],
    migration: statefulSet
      ? statefulSet.metadata.annotations?.[annotations.migration]
      : firstMigration(snapshot, identity),
  };
}

/** Before there are pods it is written down where their chain comes from. */
function firstMigration({ parsed }: Snapshot, { bootstrapped }: Identity): string | undefined {
  if (parsed.kind !== "valid" || !parsed.migration || bootstrapped !== undefined) return undefined;
  const record: MigrationRecord = { version: 1 };
  return JSON.stringify(record);
}

/** A cluster that is to be suspended before it has members does not begin with any. */
function firstSuspension({ parsed, nowMs }: Snapshot): string | undefined {
  if (parsed.kind !== "valid" || !parsed.suspend) return undefined;
  const suspendedAt = new Date(nowMs).toISOString();
  const record: SuspensionRecord = { version: 1, kind: "suspended", suspendedAt, heads: [] };
  return JSON.stringify(record);
}
