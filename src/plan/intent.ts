import type { CompleteSpec } from "../api/complete-spec.ts";
import { annotations } from "../model/annotations.ts";
import type { Identity } from "../model/identity.ts";
import type { Blueprint, Intent } from "../resources/blueprint.ts";
import { type MemberConfigs, memberConfigs } from "../resources/member-configs.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * What the cluster runs and what its owner wants. The pod template is rendered from the applied intent for as long
 * as the StatefulSet exists; a wish that would change it is a pending update.
 */
export interface Intents {
  /** What the pods run, or will run at the first start. */
  readonly current: Intent;
  readonly isApplied: boolean;
  /** Rendered from `current`; absent when what it was rendered from has changed since, such as a token. */
  readonly configs: MemberConfigs | undefined;
  /** Paths of the spec that differ between what is wanted and what runs. */
  readonly pending: readonly string[];
}

/** Parts of the spec that reach no pod, so that a change of them is taken at once. */
const immediate = new Set(["networkPolicy", "disruptionBudget"]);
const immediatePod = new Set(["serviceAccountAnnotations"]);

export function intentsOf(snapshot: Snapshot, identity: Identity): Intents | undefined {
  const wanted = snapshot.parsed.kind === "valid" ? snapshot.parsed.spec : undefined;
  const applied = appliedIntent(snapshot);
  if (applied) return appliedIntents(snapshot, identity, applied, wanted);
  if (!wanted) return undefined;
  const configs = configsOf(snapshot, identity, wanted);
  const current: Intent = {
    version: 1,
    spec: wanted,
    agentImage: snapshot.settings.agentImage,
    configRevision: configs.revision,
  };
  return { current, isApplied: false, configs, pending: [] };
}

function appliedIntents(
  snapshot: Snapshot,
  identity: Identity,
  applied: Intent,
  wanted: CompleteSpec | undefined,
): Intents {
  const configs = configsOf(snapshot, identity, applied.spec);
  const same = configs.revision === applied.configRevision;
  const pending = wanted ? pendingPaths(applied.spec, wanted) : [];
  return {
    current: applied,
    isApplied: true,
    configs: same ? configs : undefined,
    pending: same ? pending : [...pending, "da.authTokenSecret (its content)"],
  };
}

/** The intent on the StatefulSet, or undefined when there is none or it was made unreadable. */
function appliedIntent({ statefulSet }: Snapshot): Intent | undefined {
  const text = statefulSet?.metadata.annotations?.[annotations.intent];
  if (text === undefined) return undefined;
  try {
    const intent = JSON.parse(text) as Partial<Intent>;
    return intent.version === 1 && intent.spec !== undefined ? (intent as Intent) : undefined;
  } catch {
    return undefined;
  }
}

function configsOf({ cluster, references }: Snapshot, identity: Identity, spec: CompleteSpec): MemberConfigs {
  const { name, namespace = "" } = cluster.metadata;
  const { clusterDomain, epoch, peerIds } = identity;
  const token = references.daAuthToken.kind === "found" ? references.daAuthToken.value : undefined;
  return memberConfigs({ name, namespace, clusterDomain, spec, epoch, peerIds, daAuthToken: token });
}

export function pendingPaths(applied: CompleteSpec, wanted: CompleteSpec): string[] {
  const paths: string[] = [];
  collectDifferences(applied, wanted, "", paths);
  return paths.filter((path) => !isImmediate(path));
}

function isImmediate(path: string): boolean {
  const [section = "", field = ""] = path.split(".");
  return immediate.has(section) || (section === "pod" && immediatePod.has(field));
}

function collectDifferences(a: unknown, b: unknown, path: string, into: string[]): void {
  if (JSON.stringify(a) === JSON.stringify(b)) return;
  if (!isRecord(a) || !isRecord(b)) {
    into.push(path);
    return;
  }
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    collectDifferences(a[key], b[key], path === "" ? key : `${path}.${key}`, into);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Puts together what the builders need. */
export function blueprintOf(snapshot: Snapshot, identity: Identity, intents: Intents): Blueprint {
  const { cluster, parsed, settings } = snapshot;
  const { name, namespace = "", uid = "" } = cluster.metadata;
  return {
    name,
    namespace,
    uid,
    intent: intents.current,
    spec: parsed.kind === "valid" ? parsed.spec : intents.current.spec,
    clusterDomain: identity.clusterDomain,
    operatorNamespace: settings.operatorNamespace,
    peerIds: identity.peerIds,
    epoch: identity.epoch,
  };
}
