import type { Spec } from "../src/api/evnodecluster.ts";
import { annotations } from "../src/model/annotations.ts";
import { configSecretName, disruptionBudgetName } from "../src/model/names.ts";
import type { EvNodeClusterObject, PodDisruptionBudget, Secret, StatefulSet } from "../src/model/objects.ts";
import type { RolloutRecord } from "../src/model/rollout-record.ts";
import { intentsOf } from "../src/plan/intent.ts";
import { type Scene, sceneOf, type Target } from "../src/plan/rollout-scene.ts";
import { objectKey, type Settings, type Snapshot } from "../src/plan/snapshot.ts";
import type { Template } from "../src/plan/update-way.ts";
import { cluster, converged, present, snapshot, withNotes } from "./builders.ts";
import { leads, memberWith, NEW, OLD, type Templates, type Traits, timeAgo } from "./member-traits.ts";

/** A cluster whose owner changed its spec, somewhere on the way to the members. */

/** What the default change asks for. */
export const NEW_IMAGE = "example.org/testapp:2";

export interface RollingShape {
  /** What the owner changed; another image, if nothing is said. */
  readonly change?: Partial<Spec>;
  /** What was the same before. */
  readonly spec?: Partial<Spec>;
  /** Annotations of the EvNodeCluster, such as requests of its owner. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** One entry for each member; three that were not touched, of which the first leads, if nothing is said. */
  readonly members?: readonly Traits[];
  /** What stands on the StatefulSet about the rollout. */
  readonly record?: RolloutRecord | "none";
  /** Status of the disruption budget, or that it is switched off. */
  readonly budget?: Partial<NonNullable<PodDisruptionBudget["status"]>> | "off";
  readonly isCertain?: boolean;
  readonly seen?: Partial<Snapshot>;
}

/** A rollout under way: the template is applied, and its controller has looked at it. */
export function rolling(shape: RollingShape = {}): Snapshot {
  const { before, after, wanted, templates } = sidesOf(shape);
  const { record = rollingRecord(before) } = shape;
  const statefulSet = appliedSet(after, 2, NEW, record);
  const seen = withMembers({ ...after, statefulSet, cluster: wanted }, shape, templates);
  return { ...withBothConfigs(seen, before), ...shape.seen };
}

/** The spec was changed, and nothing of it reached the StatefulSet yet. */
export function wished(shape: RollingShape = {}): Snapshot {
  const { before, wanted, templates } = sidesOf(shape);
  const { record = "none" } = shape;
  const statefulSet = appliedSet(before, 1, OLD, record);
  const seen = withMembers({ ...before, statefulSet, cluster: wanted }, shape, templates);
  return { ...seen, ...shape.seen };
}

/** The template was taken back, as the record says, and so the revision is again the one before. */
export function reverting(shape: RollingShape = {}): Snapshot {
  const { before, wanted, templates } = sidesOf(shape);
  const { record = revertedRecord({ wish: digestOf(wished(shape)) }) } = shape;
  const statefulSet = appliedSet(before, 3, OLD, record);
  const seen = withMembers({ ...before, statefulSet, cluster: wanted }, shape, templates);
  return { ...withBothConfigs(seen, rolling(shape)), ...shape.seen };
}

interface Sides {
  readonly before: Snapshot;
  readonly after: Snapshot;
  readonly wanted: EvNodeClusterObject;
  readonly templates: Templates;
}

/** Both sides of a change. Rendering takes its time, so it is done once for each. */
function sidesOf(shape: RollingShape): Sides {
  const { change = { image: NEW_IMAGE }, annotations: notes, seen, budget } = shape;
  const spec = { ...shape.spec, ...(budget === "off" && { disruptionBudget: { enabled: false } }) };
  const { settings } = seen ?? {};
  const key = JSON.stringify({ change, spec, notes, settings });
  const sides = known.get(key) ?? renderSides(change, spec, notes, settings);
  known.set(key, sides);
  return sides;
}

const known = new Map<string, Sides>();

function renderSides(
  change: Partial<Spec>,
  spec: Partial<Spec>,
  notes: Readonly<Record<string, string>> | undefined,
  settings: Settings | undefined,
): Sides {
  const metadata = notes === undefined ? {} : { metadata: { annotations: notes } };
  const [applied, wanted] = [cluster({ spec }), cluster({ ...metadata, spec: { ...spec, ...change } })];
  const replicas = spec.replicas ?? 3;
  const membership = { replicas, raftPort: spec.raft?.port ?? 5001 };
  const identity = present({ membership, hasJwt: spec.execution !== undefined });
  const bare = snapshot({ cluster: wanted, identity, ...(settings && { settings }) });
  const before = converged({ ...bare, cluster: applied, settings: snapshot().settings }, applied);
  const after = converged(bare, wanted);
  const templates = { old: templateOf(before), new: templateOf(after), replicas };
  return { before, after, wanted, templates };
}

function templateOf({ statefulSet }: Snapshot): Template {
  if (!statefulSet?.spec) throw new Error("a converged cluster has a StatefulSet");
  return statefulSet.spec.template;
}

/** The same object for the same content, as a watch holds it: what was rendered for it is remembered by it. */
function appliedSet(
  { statefulSet: rendered }: Snapshot,
  generation: number,
  updateRevision: string,
  record: RolloutRecord | "none",
): StatefulSet {
  if (!rendered) throw new Error("a converged cluster has a StatefulSet");
  const all = sets.get(rendered) ?? new Map<string, StatefulSet>();
  sets.set(rendered, all);
  const key = JSON.stringify([generation, record]);
  const status = { observedGeneration: generation, updateRevision } as NonNullable<StatefulSet["status"]>;
  const seen = { ...rendered, metadata: { ...rendered.metadata, generation }, status };
  const set = all.get(key) ?? withRecord(seen, record);
  all.set(key, set);
  return set;
}

const sets = new WeakMap<StatefulSet, Map<string, StatefulSet>>();

/** Of what the owner asks for, and the members do not run. */
export function digestOf(seen: Snapshot): string {
  const { identity } = seen;
  const wish = identity.kind === "present" ? intentsOf(seen, identity.identity)?.wish : undefined;
  if (!wish) throw new Error("a change waits");
  return wish.digest;
}

export const intentText = ({ statefulSet }: Snapshot) =>
  statefulSet?.metadata.annotations?.[annotations.intent] ?? "";

const CHANGES = {
  version: 1 as const,
  wish: "of-the-change",
  changes: ["image"],
  startedAt: timeAgo(60_000),
};

function rollingRecord(before: Snapshot): RolloutRecord {
  return { kind: "rolling", ...CHANGES, proven: intentText(before) };
}

export const unprovenRecord: RolloutRecord = { kind: "rolling", ...CHANGES };

export const revertedRecord = (over: Partial<Extract<RolloutRecord, { kind: "reverted" }>> = {}) =>
  ({ kind: "reverted", ...CHANGES, why: "seq-2 does not run", ...over }) satisfies RolloutRecord;

export const completedRecord: RolloutRecord = {
  kind: "completed",
  ...CHANGES,
  finishedAt: timeAgo(30_000),
  leaderChanges: 1,
};

function withRecord(statefulSet: StatefulSet, record: RolloutRecord | "none"): StatefulSet {
  if (record === "none") return statefulSet;
  return withNotes(statefulSet, { [annotations.rollout]: JSON.stringify(record) });
}

const threeOld: readonly Traits[] = [leads, [], []];

function withMembers(seen: Snapshot, shape: RollingShape, templates: Templates): Snapshot {
  const members = (shape.members ?? threeOld).map((traits, ordinal) =>
    memberWith(traits, ordinal, templates),
  );
  const key = objectKey("PodDisruptionBudget", disruptionBudgetName("seq"));
  const objects = new Map(seen.objects);
  const budget = objects.get(key) as PodDisruptionBudget | undefined;
  if (budget && shape.budget !== "off") objects.set(key, withStatus(budget, shape.budget ?? {}));
  return {
    ...seen,
    objects,
    members,
    revisions: new Map([
      [OLD, templates.old],
      [NEW, templates.new],
    ]),
    isCertain: shape.isCertain ?? false,
  };
}

function withStatus(budget: PodDisruptionBudget, over: object): PodDisruptionBudget {
  const counts = { currentHealthy: 3, desiredHealthy: 2, disruptionsAllowed: 1, expectedPods: 3 };
  return {
    ...budget,
    metadata: { ...budget.metadata, generation: 1 },
    status: { observedGeneration: 1, ...counts, ...over },
  };
}

/** The budget is claimed for a member since so long. */
export const claimed = (name: string, ageMs = 1_000) => ({
  disruptionsAllowed: 0,
  disruptedPods: { [name]: timeAgo(ageMs).replace(/\.\d+/, "") },
});

function withBothConfigs(seen: Snapshot, other: Snapshot): Snapshot {
  const key = objectKey("Secret", configSecretName("seq"));
  const [secret, before] = [seen.objects.get(key), other.objects.get(key)] as Secret[];
  if (!secret) throw new Error("a converged cluster has its configs");
  const both: Secret = { ...secret, data: { ...before?.data, ...secret.data } };
  return { ...seen, objects: new Map([...seen.objects, [key, both]]) };
}

/** The scene of a snapshot that has one. */
export function sceneIn(seen: Snapshot): Scene & { readonly target: Target } {
  const found = sceneOf(seen, []);
  if (!found?.target) throw new Error("the StatefulSet was looked at by its controller");
  return { ...found, target: found.target };
}
