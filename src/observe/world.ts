import type { KubeApi } from "../kube/api.ts";
import { strangersFields } from "../model/field-owners.ts";
import { type Kind, kinds } from "../model/kinds.ts";
import { type KubeObject, keyOf, type ObjectRef } from "../model/kube-object.ts";
import { objectNames } from "../model/names.ts";
import type { Clock } from "../runtime/clock.ts";

/** What the watches have delivered of one kind. */
export interface Cache {
  get(key: string): KubeObject | undefined;
  /** Objects in the namespace that belong to the cluster of this name. */
  labelled(namespace: string, cluster: string): readonly KubeObject[];
  subscribe(listener: (change: { readonly kind: string; readonly object: KubeObject }) => void): () => void;
}

interface Remembered {
  readonly object: KubeObject | undefined;
  readonly atMs: number;
}

/** After this long a watch has delivered our own write, or the write is to be read again. */
const OVERLAY_MS = 30_000;

/** Nobody believes a read that is older. */
export const LONGEST_MEMORY_MS = 300_000;

/**
 * The Kubernetes objects as this operator knows them: what the watches delivered, our own writes that they have
 * not delivered yet, and slow reads of what is not watched. Everything here can be lost at any time.
 */
export class World {
  readonly #api: KubeApi;
  readonly #caches: ReadonlyMap<string, Cache>;
  readonly #clock: Clock;
  readonly #written = new Map<string, Remembered>();
  readonly #reads = new Map<string, Remembered>();
  readonly #hidden = new Set<string>();
  /** Uids that the server does not know any more, of objects that a watch which is behind, or mute, still shows. */
  readonly #gone = new Set<string>();

  constructor(api: KubeApi, caches: ReadonlyMap<string, Cache>, clock: Clock) {
    this.#api = api;
    this.#caches = caches;
    this.#clock = clock;
    for (const cache of caches.values()) {
      cache.subscribe(({ kind, object }) => this.#delivered(object, kind === "removed"));
    }
  }

  /**
   * A watched object, in the newest version known. One that the watches do not show although it is there, because
   * its labels were taken off, is read from the server once `lookBehind` was called for it.
   */
  async watched<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<T | undefined> {
    const id = idOf(kind, ref);
    const shown = this.#caches.get(kind.kind)?.get(keyOf(ref));
    const cached = this.#gone.has(shown?.metadata.uid ?? "") ? undefined : shown;
    if (cached) this.#hidden.delete(id);
    const written = this.#written.get(id);
    if (written?.object && (!cached || isNewer(written.object, cached)))
      return this.#isFresh(written, OVERLAY_MS) ? (written.object as T) : this.#readAgain(kind, ref);
    if (cached) return cached as T;
    return this.#hidden.has(id) ? this.#api.get(kind, ref) : undefined;
  }

  /** A watch that does not deliver our own write for so long may be mute: then what it shows is history. */
  async #readAgain<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<T | undefined> {
    const found = await this.#api.get(kind, ref);
    if (found) this.wrote(kind, found);
    else this.#written.delete(idOf(kind, ref));
    return found;
  }

  /** What the watches show of one kind with the label of a cluster. */
  shownOf<T extends KubeObject>(kind: Kind<T>, { namespace = "", name }: ObjectRef): readonly T[] {
    return (this.#caches.get(kind.kind)?.labelled(namespace, name) ?? []) as readonly T[];
  }

  /** An object as the server held it at most `maxAgeMs` ago; 0, and of what is watched any age, asks the server now. */
  async read<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, maxAgeMs: number): Promise<T | undefined> {
    const id = idOf(kind, ref);
    const cache = this.#caches.get(kind.kind);
    const before = cache ? cache.get(keyOf(ref)) : this.#reads.get(id)?.object;
    const known = maxAgeMs > 0 ? this.#fresh(this.#reads, id, maxAgeMs) : undefined;
    if (known) return known.object as T | undefined;
    const found = await this.#api.get(kind, ref);
    // What did not change stays the same object, by which is remembered what it says.
    const object = found && (isSame(found, before) ? before : strangersFields(found));
    // What is watched is held by its watch already: thousands of pods would be held twice.
    if (!cache) this.#reads.set(id, { object, atMs: this.#clock.monotonicMs() });
    return object as T | undefined;
  }

  /** Remembers what one of our own writes returned. */
  wrote(kind: Kind<KubeObject>, object: KubeObject): void {
    const remembered = { object: strangersFields(object), atMs: this.#clock.monotonicMs() };
    const id = idOf(kind, object.metadata);
    if (this.#caches.has(kind.kind)) this.#written.set(id, remembered);
    else this.#reads.set(id, remembered);
  }

  /** The server did not take a write to this object: it is asked what became of it, whatever the watches show. */
  async askAbout<T extends KubeObject>(kind: Kind<T>, { metadata }: T): Promise<void> {
    const found = await this.#readAgain(kind, metadata);
    if (metadata.uid !== undefined && metadata.uid !== found?.metadata.uid) this.#gone.add(metadata.uid);
  }

  /** Forgets what is known besides the watches. */
  forget(kind: Kind<KubeObject>, ref: ObjectRef): void {
    const id = idOf(kind, ref);
    this.#written.delete(id);
    this.#reads.delete(id);
  }

  /** There is an object of this name which the watches do not show. */
  lookBehind(kind: Kind<KubeObject>, ref: ObjectRef): void {
    this.forget(kind, ref);
    this.#hidden.add(idOf(kind, ref));
  }

  /**
   * A cluster is gone, and nobody will ask for its objects again. What others gave it, such as a Secret with a token,
   * goes once it is too old for anybody.
   */
  forgetCluster(key: string): void {
    const [namespace = "", cluster = ""] = key.split("/");
    for (const name of objectNames(cluster)) {
      for (const kind of Object.values(kinds)) {
        this.forget(kind, { namespace, name });
        this.#hidden.delete(idOf(kind, { namespace, name }));
      }
    }
    for (const id of this.#reads.keys()) this.#fresh(this.#reads, id, LONGEST_MEMORY_MS);
  }

  /** How much is remembered besides the watches. */
  get size(): number {
    return this.#written.size + this.#reads.size + this.#hidden.size + this.#gone.size;
  }

  /** What a watch delivers replaces what was remembered of our own writes, and ends it when the object is gone. */
  #delivered(object: KubeObject, isGone: boolean): void {
    if (isGone) this.#gone.delete(object.metadata.uid ?? "");
    const id = idOf(object, object.metadata);
    const written = this.#written.get(id)?.object;
    if (written && (isGone ? written.metadata.uid === object.metadata.uid : !isNewer(written, object))) {
      this.#written.delete(id);
    }
  }

  #fresh(from: Map<string, Remembered>, id: string, maxAgeMs: number): Remembered | undefined {
    const known = from.get(id);
    if (!known) return undefined;
    if (this.#isFresh(known, maxAgeMs)) return known;
    from.delete(id);
    return undefined;
  }

  #isFresh({ atMs }: Remembered, maxAgeMs: number): boolean {
    return this.#clock.monotonicMs() - atMs <= maxAgeMs;
  }
}

const idOf = (kind: { readonly kind: string }, ref: ObjectRef) => `${kind.kind}:${keyOf(ref)}`;

function isSame({ metadata }: KubeObject, before: KubeObject | undefined): boolean {
  const { uid, resourceVersion } = before?.metadata ?? {};
  return uid !== undefined && uid === metadata.uid && resourceVersion === metadata.resourceVersion;
}

/** Versions of one object are ordered numbers. */
function isNewer(a: KubeObject, b: KubeObject): boolean {
  if (a.metadata.uid !== b.metadata.uid) return false;
  const [versionA, versionB] = [a, b].map(({ metadata }) => BigInt(metadata.resourceVersion ?? "0"));
  return (versionA ?? 0n) > (versionB ?? 0n);
}
