import type { Kind } from "../model/kinds.ts";
import type { KubeObject, ObjectRef } from "../model/kube-object.ts";

/**
 * All that this project asks of the Kubernetes API. Every call has a deadline and fails with a `KubeError`, whose
 * `kind` is the only thing callers look at. The port exists so that the simulator can stand in for a real server.
 */
export interface KubeApi {
  /** The object as the server holds it now (a quorum read), or undefined when it does not exist. */
  get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<T | undefined>;
  list<T extends KubeObject>(kind: Kind<T>, options: ListOptions): Promise<ListPage<T>>;
  /**
   * Ends without error when the server closes the stream or the signal aborts; an ERROR event is thrown as a
   * `KubeError`.
   */
  watch<T extends KubeObject>(kind: Kind<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  /** Fails with `AlreadyExists` when there is an object of that name. */
  create<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T>;
  /**
   * Writes the object as a whole (PUT). `metadata.resourceVersion` is required and is the precondition: an object
   * that changed since is a `Conflict`. What other field managers added goes, which server-side apply cannot do.
   */
  replace<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T>;
  /** Replaces `.status`; the object's `metadata.resourceVersion` is the precondition. */
  replaceStatus<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T>;
  /** JSON merge patch. `preconditions` make it fail with `Conflict` or `Invalid` on another object. */
  patch<T extends KubeObject>(
    kind: Kind<T>,
    ref: ObjectRef,
    patch: MergePatch,
    preconditions: Preconditions,
  ): Promise<T>;
  /** Deleting what is already gone succeeds; another uid or resourceVersion is a `Conflict`. */
  delete<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, options: DeleteOptions): Promise<void>;
  /**
   * Asks for a pod to go as a drain does: the server deletes it if the pod's disruption budget allows that, and fails
   * with `DisruptionBudget` otherwise. Evicting what is already gone succeeds. Another uid or resourceVersion is a
   * `Conflict`, which comes after the budget: it uses the budget up all the same, for two minutes.
   */
  evict(pod: ObjectRef, options: EvictOptions): Promise<void>;
}

export interface ListOptions {
  /** All namespaces when absent. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  /** "0" allows an answer from the server's cache. */
  readonly resourceVersion?: string;
  readonly limit?: number;
  readonly continueToken?: string;
}

export interface ListPage<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  readonly continueToken: string | undefined;
}

export interface WatchOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly resourceVersion: string;
  /** The server closes the stream after this many seconds. */
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
}

export type WatchEvent<T> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: T }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string };

export type MergePatch = Readonly<Record<string, unknown>>;

export interface Preconditions {
  readonly uid: string;
  readonly resourceVersion?: string;
}

export interface DeleteOptions {
  readonly preconditions: Preconditions;
  readonly propagation: "Background" | "Foreground" | "Orphan";
}

export interface EvictOptions {
  readonly preconditions: Preconditions;
  /** Instead of the pod's own `terminationGracePeriodSeconds`. */
  readonly gracePeriodSeconds?: number;
}
