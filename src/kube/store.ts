import { type KubeObject, keyOf } from "../model/kube-object.ts";

export type Change<T> =
  | { readonly kind: "added"; readonly object: T }
  | { readonly kind: "changed"; readonly object: T; readonly previous: T }
  | { readonly kind: "removed"; readonly object: T };

export type Listener<T> = (change: Change<T>) => void;

export interface StoreOptions {
  /** Objects with this label can be found by its value, in their namespace. */
  readonly label: string;
  /** Told when a listener throws. The other listeners and the store go on. */
  readonly onListenerError: (error: unknown) => void;
}

/**
 * The objects of one kind as they were last seen, with the indexes that are asked for. Results are sorted by key,
 * so that nothing depends on the order in which objects came.
 */
export class Store<T extends KubeObject> {
  readonly #options: StoreOptions;
  readonly #objects = new Map<string, T>();
  readonly #byNamespace = new Map<string, Map<string, T>>();
  readonly #byLabel = new Map<string, Map<string, T>>();
  readonly #listeners = new Set<Listener<T>>();

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#objects.size;
  }

  /** By `namespace/name`. */
  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  all(): readonly T[] {
    return sorted(this.#objects);
  }

  inNamespace(namespace: string): readonly T[] {
    return sorted(this.#byNamespace.get(namespace));
  }

  /** Objects in the namespace whose label has this value. */
  labelled(namespace: string, value: string): readonly T[] {
    return sorted(this.#byLabel.get(`${namespace}/${value}`));
  }

  /** Every later change, in order. The returned function ends it. */
  subscribe(listener: Listener<T>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  put(object: T): void {
    const key = keyOf(object.metadata);
    const previous = this.#objects.get(key);
    if (previous === undefined) {
      this.#index(key, object);
      this.#tell({ kind: "added", object });
      return;
    }
    if (previous.metadata.uid !== object.metadata.uid) {
      // Another object of the same name: what was known of the first one does not hold for it.
      this.remove(key, previous);
      this.put(object);
      return;
    }
    const isSame = previous.metadata.resourceVersion === object.metadata.resourceVersion;
    this.#unindex(key, previous);
    this.#index(key, object);
    if (!isSame) this.#tell({ kind: "changed", object, previous });
  }

  /** `last` is the object in its last state, if that is known better than the store knows it. */
  remove(key: string, last?: T): void {
    const known = this.#objects.get(key);
    if (known === undefined) return;
    this.#unindex(key, known);
    this.#tell({ kind: "removed", object: last ?? known });
  }

  /** Makes the store hold exactly these objects; what is missing among them was removed while nobody looked. */
  replaceAll(objects: readonly T[]): void {
    const present = new Set(objects.map((object) => keyOf(object.metadata)));
    for (const key of this.#objects.keys()) {
      if (!present.has(key)) this.remove(key);
    }
    for (const object of objects) this.put(object);
  }

  #tell(change: Change<T>): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#options.onListenerError(error);
      }
    }
  }

  #index(key: string, object: T): void {
    this.#objects.set(key, object);
    enter(this.#byNamespace, object.metadata.namespace, key, object);
    enter(this.#byLabel, this.#labelKey(object), key, object);
  }

  #unindex(key: string, object: T): void {
    this.#objects.delete(key);
    leave(this.#byNamespace, object.metadata.namespace, key);
    leave(this.#byLabel, this.#labelKey(object), key);
  }

  #labelKey(object: T): string | undefined {
    const value = object.metadata.labels?.[this.#options.label];
    return value === undefined ? undefined : `${object.metadata.namespace ?? ""}/${value}`;
  }
}

function sorted<T>(objects: ReadonlyMap<string, T> | undefined): readonly T[] {
  if (objects === undefined) return [];
  return [...objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
}

function enter<T>(index: Map<string, Map<string, T>>, at: string | undefined, key: string, object: T): void {
  if (at === undefined) return;
  const entry = index.get(at) ?? new Map<string, T>();
  entry.set(key, object);
  index.set(at, entry);
}

function leave<T>(index: Map<string, Map<string, T>>, at: string | undefined, key: string): void {
  if (at === undefined) return;
  const entry = index.get(at);
  entry?.delete(key);
  if (entry?.size === 0) index.delete(at);
}
