import { createHash } from "node:crypto";
import type { CompleteSpec } from "../api/complete-spec.ts";
import { annotations } from "../model/annotations.ts";
import type { Identity } from "../model/identity.ts";
import { isRecord } from "../model/json.ts";
import type { Intent } from "../resources/blueprint.ts";
import type { MemberConfigs } from "../resources/member-configs.ts";
import { ofBegun, recoveredIntent } from "./recovered-intent.ts";
import { configsOf } from "./rendering.ts";
import type { Snapshot } from "./snapshot.ts";
import { appliedIntent, readIntent } from "./stored-intent.ts";

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
  /** What the owner asks for, when it is something else than what the pods are made from. */
  readonly wish: Wish | undefined;
}

/** A change that has not been applied to the StatefulSet. */
export interface Wish {
  readonly intent: Intent;
  readonly configs: MemberConfigs;
  /** Of what the owner asked for; the version of the operator is no part of it. */
  readonly digest: string;
  /** Paths of the spec that are changed by it. */
  readonly changes: readonly string[];
}

/**
 * Undefined when they are not known: before there is a valid spec, and when the StatefulSet does not tell what its
 * pods are made from. The spec is no answer to that: it may hold what was never applied.
 */
export function intentsOf(snapshot: Snapshot, identity: Identity): Intents | undefined {
  if (!found.has(snapshot)) found.set(snapshot, findIntents(snapshot, identity));
  return found.get(snapshot);
}

/** Several deciders ask for it, of one snapshot. */
const found = new WeakMap<Snapshot, Intents | undefined>();

function findIntents(snapshot: Snapshot, identity: Identity): Intents | undefined {
  const { statefulSet, parsed } = snapshot;
  const asked = parsed.kind === "valid" ? parsed.spec : undefined;
  // Another number of members is for `membership.ts`, also where the StatefulSet has to be made anew.
  const wanted = asked && ofBegun(asked, identity);
  if (statefulSet) {
    const stored = readIntent(statefulSet);
    const applied = stored.kind === "readable" ? stored.intent : recoveredIntent(snapshot, identity);
    return applied && appliedIntents(snapshot, identity, applied, wanted);
  }
  if (!wanted) return undefined;
  const configs = configsOf(snapshot, identity, wanted);
  const current = intentOf(snapshot, wanted, configs);
  return { current, applied: undefined, configs, wish: undefined };
}

function appliedIntents(
  snapshot: Snapshot,
  identity: Identity,
  applied: Intent,
  wanted: CompleteSpec | undefined,
): Intents {
  const current = wanted ? { ...applied, spec: withImmediate(applied.spec, wanted) } : applied;
  const configs = configsOf(snapshot, identity, current.spec);
  const isSame = configs.revision === current.configRevision;
  const wish = wanted && wishOf(snapshot, identity, { current, isSame, wanted });
  return { current, applied, configs: isSame ? configs : undefined, wish };
}

/** `isSame`: what runs is rendered today as it was then. */
function wishOf(
  snapshot: Snapshot,
  identity: Identity,
  { current, isSame, wanted }: { current: Intent; isSame: boolean; wanted: CompleteSpec },
): Wish | undefined {
  // The number of members is no change of what they run: `membership.ts` sees to it.
  const asked = { ...wanted, replicas: current.spec.replicas };
  const configs = configsOf(snapshot, identity, asked);
  const intent = intentOf(snapshot, asked, configs);
  const paths = differences(current.spec, asked);
  const isOtherContent = !isSame && !paths.some((path) => path.startsWith(TOKEN));
  const changes = [
    ...paths,
    ...(isOtherContent ? [`${TOKEN} (its content)`] : []),
    ...(intent.restart === current.restart ? [] : ["a restart of all members"]),
  ];
  if (changes.length === 0) return undefined;
  const text = JSON.stringify([asked, configs.revision, intent.restart]);
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 10);
  return { intent, configs, digest, changes };
}

const TOKEN = "da.authTokenSecret";

function intentOf(
  { cluster, settings, statefulSet }: Snapshot,
  spec: CompleteSpec,
  { revision }: MemberConfigs,
): Intent {
  const asked = cluster.metadata.annotations?.[annotations.restart]?.slice(0, LONGEST_RESTART);
  // Taking the annotation off asks for nothing.
  const restart = asked || (statefulSet && appliedIntent(statefulSet)?.restart);
  const { agentImage } = settings;
  return { version: 1, spec, agentImage, configRevision: revision, ...(restart ? { restart } : {}) };
}

/** Whoever edits an annotation may write more into it than a word. */
const LONGEST_RESTART = 63;

/** With the parts of the wish that reach no pod. */
function withImmediate(applied: CompleteSpec, wanted: CompleteSpec): CompleteSpec {
  const { networkPolicy, disruptionBudget } = wanted;
  const { serviceAccountAnnotations } = wanted.pod;
  return { ...applied, networkPolicy, disruptionBudget, pod: { ...applied.pod, serviceAccountAnnotations } };
}

/** Paths at which two values differ. */
function differences(a: unknown, b: unknown, path = ""): string[] {
  if (JSON.stringify(a) === JSON.stringify(b)) return [];
  if (!isRecord(a) || !isRecord(b)) return [path];
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return keys.flatMap((key) => differences(a[key], b[key], path === "" ? key : `${path}.${key}`));
}
