import type { DeleteOptions, KubeApi, ListPage, MergePatch, Preconditions } from "../../src/kube/api.ts";
import { KubeError } from "../../src/kube/errors.ts";
import { Store } from "../../src/kube/store.ts";
import { labels, MANAGED_BY } from "../../src/model/annotations.ts";
import { type Kind, kinds } from "../../src/model/kinds.ts";
import { type KubeObject, keyOf, type ObjectRef } from "../../src/model/kube-object.ts";

export type Verb = "get" | "create" | "replace" | "replaceStatus" | "patch" | "delete";

/** One request that reached the server, with what it carried. */
export interface Request {
  readonly verb: Verb;
  readonly kind: string;
  readonly name: string;
  readonly body?: unknown;
  readonly preconditions?: Preconditions;
}

const watchedKinds = [
  kinds.cluster,
  kinds.statefulSet,
  kinds.pod,
  kinds.claim,
  kinds.service,
  kinds.serviceAccount,
  kinds.networkPolicy,
  kinds.disruptionBudget,
];

/**
 * Objects in memory behind the port of the Kubernetes API, with uids, versions and preconditions. What the watches
 * show is brought up to date by `deliver` alone, so that a test decides how far they lag.
 */
export class MemoryApi implements KubeApi {
  readonly requests: Request[] = [];
  readonly caches = new Map(
    watchedKinds.map(({ kind }) => [
      kind,
      new Store<KubeObject>({ label: labels.cluster, onListenerError: raise }),
    ]),
  );
  /** Asked before every request: an error that it returns is the answer. */
  fault: (request: Request) => KubeError | undefined = () => undefined;
  readonly #objects = new Map<string, KubeObject>();
  #version = 100;

  /** Puts an object there, or another version of it, as somebody else would. */
  put<T extends KubeObject>(object: T): T {
    const id = idOf(object, object.metadata);
    const uid = this.#objects.get(id)?.metadata.uid ?? this.#newUid(object);
    return this.#store(id, { ...object, metadata: { uid, ...object.metadata } });
  }

  remove(kind: Kind<KubeObject>, ref: ObjectRef): void {
    this.#objects.delete(idOf(kind, ref));
  }

  /** What the server holds, past all requests. */
  held<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): T | undefined {
    return this.#objects.get(idOf(kind, ref)) as T | undefined;
  }

  all(): KubeObject[] {
    return [...this.#objects.values()];
  }

  /** Shows the watches everything that they select. */
  deliver(): void {
    for (const [kind, store] of this.caches) {
      store.replaceAll(this.all().filter((object) => object.kind === kind && isWatched(object)));
    }
  }

  /** The writes so far, in short, such as `create Service seq-rpc`. */
  get writes(): string[] {
    return this.requests
      .filter(({ verb }) => verb !== "get")
      .map(({ verb, kind, name }) => `${verb} ${kind} ${name}`);
  }

  /** The reads so far, in short. */
  get reads(): string[] {
    return this.requests.filter(({ verb }) => verb === "get").map(({ kind, name }) => `${kind} ${name}`);
  }

  async get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<T | undefined> {
    this.#receive({ verb: "get", kind: kind.kind, name: ref.name });
    return this.held(kind, ref);
  }

  list<T extends KubeObject>(): Promise<ListPage<T>> {
    throw new Error("nothing is listed here: deliver() shows the watches what there is");
  }

  watch(): never {
    throw new Error("nothing is watched here: deliver() shows the watches what there is");
  }

  async create<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T> {
    this.#receive({ verb: "create", kind: kind.kind, name: object.metadata.name, body: object });
    const id = idOf(kind, object.metadata);
    if (this.#objects.has(id)) throw new KubeError("AlreadyExists", `${id} already exists`);
    return this.#store(id, { ...object, metadata: { ...object.metadata, uid: this.#newUid(object) } });
  }

  async replace<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T> {
    this.#receive({ verb: "replace", kind: kind.kind, name: object.metadata.name, body: object });
    this.#current(kind, object.metadata, object.metadata, "Conflict");
    return this.#store(idOf(kind, object.metadata), object);
  }

  async replaceStatus<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T> {
    this.#receive({ verb: "replaceStatus", kind: kind.kind, name: object.metadata.name, body: object });
    const current = this.#current(kind, object.metadata, object.metadata, "Conflict");
    const { status } = object as { status?: unknown };
    return this.#store(idOf(kind, object.metadata), { ...current, status } as unknown as T);
  }

  async patch<T extends KubeObject>(
    kind: Kind<T>,
    ref: ObjectRef,
    patch: MergePatch,
    preconditions: Preconditions,
  ): Promise<T> {
    this.#receive({ verb: "patch", kind: kind.kind, name: ref.name, body: patch, preconditions });
    const current = this.#current(kind, ref, preconditions);
    return this.#store(idOf(kind, ref), merged(current, patch) as T);
  }

  async delete<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, options: DeleteOptions): Promise<void> {
    const { preconditions } = options;
    this.#receive({ verb: "delete", kind: kind.kind, name: ref.name, body: options, preconditions });
    if (!this.#objects.has(idOf(kind, ref))) return;
    this.#current(kind, ref, preconditions, "Conflict");
    this.#objects.delete(idOf(kind, ref));
  }

  evict(): never {
    throw new Error("nothing is evicted here: there is no budget to ask");
  }

  #receive(request: Request): void {
    this.requests.push(request);
    const error = this.fault(request);
    if (error) throw error;
  }

  #current(
    kind: Kind<KubeObject>,
    ref: ObjectRef,
    { uid, resourceVersion }: Partial<Preconditions>,
    onOtherUid: "Conflict" | "Invalid" = "Invalid",
  ): KubeObject {
    const id = idOf(kind, ref);
    const current = this.#objects.get(id);
    if (!current) throw new KubeError("NotFound", `${id} not found`);
    if (uid !== undefined && uid !== current.metadata.uid)
      throw new KubeError(onOtherUid, `${id} is another object`, { details: [{ field: "metadata.uid" }] });
    if (resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion)
      throw new KubeError("Conflict", `${id} was modified`);
    return current;
  }

  #store<T extends KubeObject>(id: string, object: T): T {
    this.#version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.#version) };
    const stored = structuredClone({ ...object, metadata });
    this.#objects.set(id, stored);
    return stored;
  }

  #newUid({ kind, metadata }: KubeObject): string {
    return `uid-${kind}-${metadata.name}-${this.#version}`;
  }
}

const idOf = ({ kind }: { readonly kind: string }, ref: ObjectRef) => `${kind}:${keyOf(ref)}`;

function isWatched({ kind, metadata }: KubeObject): boolean {
  return kind === kinds.cluster.kind || metadata.labels?.[labels.managedBy] === MANAGED_BY;
}

function merged(value: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const base = isRecord(value) ? value : {};
  const fields = { ...base };
  for (const [field, part] of Object.entries(patch)) {
    if (part === null) delete fields[field];
    else fields[field] = merged(base[field], part);
  }
  return fields;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function raise(error: unknown): never {
  throw error;
}
