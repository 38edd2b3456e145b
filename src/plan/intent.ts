import type { CompleteSpec } from "../api/complete-spec.ts";
import { annotations } from "../model/annotations.ts";
import type { Identity } from "../model/identity.ts";
import type { KubeObject } from "../model/kube-object.ts";
import type { StatefulSet } from "../model/objects.ts";
import type { Blueprint, Intent } from "../resources/blueprint.ts";
import { type MemberConfigs, memberConfigs } from "../resources/member-configs.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * What the cluster runs and what its owner wants. The pod template is rendered from the applied intent for as long
 * as the StatefulSet exists; a wish that would change it is a pending update. What reaches no pod is taken from the
 * wish at once, and kept with the intent: a spec that is no longer valid changes none of it.
 */
export interface Intents {
  /** What the pods run, or will run at the first start. */
  readonly current: Intent;
  /** As it stands on the StatefulSet; absent before the first start. */
  readonly applied: Intent | undefined;
  /** Rendered from `current`; absent when what it was rendered from has changed since, such as a token. */
  readonly configs: MemberConfigs | undefined;
  /** Paths of the spec that differ between what is wanted and what runs. */
  readonly pending: readonly string[];
}

export function intentsOf(snapshot: Snapshot, identity: Identity): Intents | undefined {
  const wanted = snapshot.parsed.kind === "valid" ? snapshot.parsed.spec : undefined;
  const applied = appliedIntent(snapshot.statefulSet);
  if (applied) return appliedIntents(snapshot, identity, applied, wanted);
  if (!wanted) return undefined;
  const configs = configsOf(snapshot, identity, wanted);
  const current: Intent = {
    version: 1,
    spec: wanted,
    agentImage: snapshot.settings.agentImage,
    configRevision: configs.revision,
  };
  return { current, applied: undefined, configs, pending: [] };
}

function appliedIntents(
  snapshot: Snapshot,
  identity: Identity,
  applied: Intent,
  wanted: CompleteSpec | undefined,
): Intents {
  const current = wanted ? { ...applied, spec: withImmediate(applied.spec, wanted) } : applied;
  const configs = configsOf(snapshot, identity, current.spec);
  const same = configs.revision === current.configRevision;
  const pending = wanted ? pendingPaths(current.spec, wanted) : [];
  // The token is the one that the spec asks for now; of an invalid spec none was read.
  const isOtherToken = !wanted || pending.some((path) => path.startsWith(TOKEN));
  return {
    current,
    applied,
    configs: same ? configs : undefined,
    pending: same || isOtherToken ? pending : [...pending, `${TOKEN} (its content)`],
  };
}

const TOKEN = "da.authTokenSecret";

/** With the parts of the wish that reach no pod. */
function withImmediate(applied: CompleteSpec, wanted: CompleteSpec): CompleteSpec {
  const { networkPolicy, disruptionBudget } = wanted;
  const { serviceAccountAnnotations } = wanted.pod;
  return { ...applied, networkPolicy, disruptionBudget, pod: { ...applied.pod, serviceAccountAnnotations } };
}

/** The intent on the StatefulSet, or undefined when there is none or it was made unreadable. */
export function appliedIntent(statefulSet: StatefulSet | undefined): Intent | undefined {
  const text = statefulSet?.metadata.annotations?.[annotations.intent];
  if (text === undefined) return undefined;
  try {
    const intent = JSON.parse(text) as Partial<Intent>;
    return intent.version === 1 && intent.spec !== undefined ? (intent as Intent) : undefined;
  } catch {
    return undefined;
  }
}

function configsOf(snapshot: Snapshot, identity: Identity, spec: CompleteSpec): MemberConfigs {
  const { cluster, references, statefulSet } = snapshot;
  const { name, namespace = "" } = cluster.metadata;
  const { clusterDomain, epoch, peerIds } = identity;
  const { daAuthToken: token } = references;
  const daAuthToken = spec.da.authTokenSecret && token.kind === "found" ? token.value : undefined;
  const input = { name, namespace, clusterDomain, spec, epoch, peerIds, daAuthToken };

  const inputText = JSON.stringify(input);
  const known = rendered.get(statefulSet ?? cluster);
  if (known?.inputText === inputText) return known.configs;
  const configs = memberConfigs(input);
  rendered.set(statefulSet ?? cluster, { inputText, configs });
  return configs;
}

/**
 * What was rendered last for an object that has not changed since. Every config is read back when it is rendered,
 * which takes milliseconds, and several deciders of every reconcile ask for the same ones.
 */
const rendered = new WeakMap<KubeObject, { readonly inputText: string; readonly configs: MemberConfigs }>();

function pendingPaths(applied: CompleteSpec, wanted: CompleteSpec): string[] {
  const paths: string[] = [];
  collectDifferences(applied, wanted, "", paths);
  return paths;
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
export function blueprintOf(snapshot: Snapshot, identity: Identity, intent: Intent): Blueprint {
  const { cluster, settings } = snapshot;
  const { name, namespace = "", uid = "" } = cluster.metadata;
  return {
    name,
    namespace,
    uid,
    intent,
    clusterDomain: identity.clusterDomain,
    operatorNamespace: settings.operatorNamespace,
    peerIds: identity.peerIds,
    epoch: identity.epoch,
  };
}
