import type { CompleteSpec } from "../api/complete-spec.ts";
import type { Identity } from "../model/identity.ts";
import type { Intent } from "../resources/blueprint.ts";
import type { MemberConfigs } from "../resources/member-configs.ts";
import { isRecord } from "./record.ts";
import { recoveredIntent } from "./recovered-intent.ts";
import { configsOf } from "./rendering.ts";
import type { Snapshot } from "./snapshot.ts";
import { readIntent } from "./stored-intent.ts";

/**
 * What the cluster runs and what its owner wants. The pod template is rendered from the applied intent for as long
 * as the StatefulSet exists; a wish that would change it is a pending update. What reaches no pod is taken from the
 * wish at once, and kept with the intent: a spec that is no longer valid changes none of it.
 */
export interface Intents {
  /** What the pods run, or will run at the first start. */
  readonly current: Intent;
  /** As it stands, or stood, on the StatefulSet; absent before the first start. */
  readonly applied: Intent | undefined;
  /** Rendered from `current`; absent when what it was rendered from has changed since, such as a token. */
  readonly configs: MemberConfigs | undefined;
  /** Paths of the spec that differ between what is wanted and what runs. */
  readonly pending: readonly string[];
}

/**
 * Undefined when they are not known: before there is a valid spec, and when the StatefulSet does not tell what its
 * pods are made from. The spec is no answer to that: it may hold what was never applied.
 */
export function intentsOf(snapshot: Snapshot, identity: Identity): Intents | undefined {
  const { statefulSet, parsed, settings } = snapshot;
  const wanted = parsed.kind === "valid" ? parsed.spec : undefined;
  if (statefulSet) {
    const stored = readIntent(statefulSet);
    const applied = stored.kind === "readable" ? stored.intent : recoveredIntent(snapshot, identity);
    return applied && appliedIntents(snapshot, identity, applied, wanted);
  }
  if (!wanted) return undefined;
  const configs = configsOf(snapshot, identity, wanted);
  const { agentImage } = settings;
  const current: Intent = { version: 1, spec: wanted, agentImage, configRevision: configs.revision };
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
