import type { Kind } from "../../src/model/kinds.ts";
import { type KubeObject, keyOf, type ObjectRef } from "../../src/model/kube-object.ts";
import type { Clock } from "../../src/runtime/clock.ts";

/** One write of one object, as etcd keeps it. A new object has no `before`, a deletion has no `after`. */
export interface Change {
  readonly version: number;
  readonly atMs: number;
  readonly kind: string;
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
}

/** A server is never as old as its first version, so that version 1 is always forgotten. */
const FIRST_VERSION = 1_000;

/**
 * All objects with their history, under one version that grows by one with every write. Objects are frozen: what was
 * handed out is what the server held then, whatever comes later.
 */
export class VersionedStore {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #keepHistoryMs: number;
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  /** The objects of a kind in order, until the next write of one. */
  readonly #sorted = new Map<string, readonly KubeObject[]>();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #changes: Change[] = [];
  #oldestVersion = FIRST_VERSION;

  constructor(clock: Pick<Clock, "monotonicMs">, keepHistoryMs: number) {
    this.#clock = clock;
    this.#keepHistoryMs = keepHistoryMs;
  }

  /** Versions have no gaps, so the number of changes tells the version. */
  get version(): number {
    return this.#oldestVersion + this.#changes.length;
  }

  /** What happened up to this version is forgotten. */
  get oldestVersion(): number {
    return this.#oldestVersion;
  }

  get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): T | undefined {
    return this.#objects.get(kind.kind)?.get(keyOf(ref)) as T | undefined;
  }

  /** In the order of etcd's keys. */
  all<T extends KubeObject>(kind: Kind<T>): readonly T[] {
    return this.#allOf(kind.kind) as readonly T[];
  }

  #allOf(kind: string): readonly KubeObject[] {
    const known = this.#sorted.get(kind) ?? sorted(this.#objects.get(kind) ?? new Map());
    this.#sorted.set(kind, known);
    return known;
  }

  everything(): KubeObject[] {
    return [...this.#objects.keys()].sort().flatMap((kind) => this.#allOf(kind));
  }

  /** The objects of a kind as they were at a version that is not forgotten. */
  at<T extends KubeObject>(kind: Kind<T>, version: number): readonly T[] {
    const objects = new Map(this.#objects.get(kind.kind));
    for (const { before, after } of this.since(kind, version).toReversed()) {
      if (after !== undefined) objects.delete(keyOf(after.metadata));
      if (before !== undefined) objects.set(keyOf(before.metadata), before);
    }
    return sorted(objects) as T[];
  }

  /** The changes of a kind after a version that is not forgotten. */
  since(kind: Kind<KubeObject>, version: number): readonly Change[] {
    if (version < this.#oldestVersion) throw new Error(`version ${version} is forgotten`);
    return this.#changes.slice(version - this.#oldestVersion).filter((change) => change.kind === kind.kind);
  }

  /** Every later change, at the moment of the write. The returned function ends it. */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  put<T extends KubeObject>(object: T): T {
    const { kind, metadata } = object;
    const key = keyOf(metadata);
    const objects = this.#objects.get(kind) ?? new Map<string, KubeObject>();
    this.#objects.set(kind, objects);
    const before = objects.get(key);
    const resourceVersion = String(this.version + 1);
    const after = frozen({ ...object, metadata: { ...metadata, resourceVersion } });
    objects.set(key, after);
    this.#record(kind, before, after);
    return after;
  }

  remove(kind: Kind<KubeObject>, ref: ObjectRef): void {
    const before = this.get(kind, ref);
    if (before === undefined) throw new Error(`there is no ${kind.kind} ${keyOf(ref)} to remove`);
    this.#objects.get(kind.kind)?.delete(keyOf(ref));
    this.#record(kind.kind, before, undefined);
  }

  /** Forgets what happened up to a version, as etcd does every few minutes. */
  compact(version = this.version): void {
    const forgotten = Math.min(version, this.version) - this.#oldestVersion;
    if (forgotten <= 0) return;
    this.#changes.splice(0, forgotten);
    this.#oldestVersion += forgotten;
  }

  #record(kind: string, before: KubeObject | undefined, after: KubeObject | undefined): void {
    const nowMs = this.#clock.monotonicMs();
    this.#sorted.delete(kind);
    const change = { version: this.version + 1, atMs: nowMs, kind, before, after };
    this.#changes.push(change);
    const firstKept = this.#changes.findIndex(({ atMs }) => atMs >= nowMs - this.#keepHistoryMs);
    this.compact(this.#oldestVersion + firstKept);
    for (const listener of this.#listeners) listener(change);
  }
}

function sorted(objects: ReadonlyMap<string, KubeObject>): KubeObject[] {
  return [...objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
}

/** What a store holds or held, and each part of it: it came over the wire, and stays as it is. */
export const isStored = (value: object): boolean => stored.has(value);

const stored = new WeakSet<object>();

function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || stored.has(value)) return value;
  for (const part of Object.values(value)) frozen(part);
  stored.add(value);
  return Object.freeze(value);
}
