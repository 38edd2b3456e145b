import { isDeepStrictEqual } from "node:util";
import type { MergePatch, Preconditions } from "../../src/kube/api.ts";
import type { Kind } from "../../src/model/kinds.ts";
import type { KubeObject, ObjectRef } from "../../src/model/kube-object.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import type { Random } from "../../src/runtime/random.ts";
import { namespaceKind } from "../namespace-kind.ts";
import { requireReadable } from "./decoding.ts";
import { endingOf, isReleased, type Propagation } from "./deletion.ts";
import { type KindRules, rulesOf } from "./kind-rules.ts";
import { mergePatched } from "./merge-patch.ts";
import { newMetadata } from "./metadata.ts";
import { alreadyExists, badRequest, conflict, noSuchResource, notFound } from "./refused.ts";
import { nextState, type Part, withStatus } from "./update.ts";
import type { VersionedStore } from "./versioned-store.ts";
import { wired } from "./wire.ts";

export interface RemovalOptions {
  readonly preconditions?: Partial<Preconditions>;
  readonly propagation?: Propagation;
  /** Zero is how kubelet says that a pod has stopped, which removes it. */
  readonly gracePeriodSeconds?: number;
}

/**
 * The reads and writes of an API server, each carried out at once and as a whole, or `Refused`. Clients come through
 * `SimulatedServer`; the controllers of Kubernetes itself, which are not what is tried here, use it directly.
 */
export class Registry {
  readonly store: VersionedStore;
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #random: Random;

  constructor(store: VersionedStore, clock: Pick<Clock, "nowMs">, random: Random) {
    this.store = store;
    this.#clock = clock;
    this.#random = random;
  }

  get nowMs(): number {
    return this.#clock.nowMs();
  }

  /** Fails for a kind that the server does not serve, as without its CRD. */
  requireServed(kind: Kind<KubeObject>): void {
    served(kind);
  }

  get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): T | undefined {
    served(kind);
    return this.store.get(kind, ref);
  }

  create<T extends KubeObject>(kind: Kind<T>, object: T): T {
    const { hasStatus, firstStatus, hasGeneration = false } = served(kind);
    const { metadata, ...content } = wired({ ...object, apiVersion: kind.apiVersion, kind: kind.kind });
    requireReadable(object);
    this.#requireNamespace(kind, metadata);
    if (this.store.get(kind, metadata) !== undefined) throw alreadyExists(kind, metadata.name);
    const given = { uid: newUid(this.#random), nowMs: this.nowMs, hasGeneration };
    const made = { ...content, metadata: newMetadata(metadata, given) };
    return this.store.put((hasStatus ? withStatus(made, firstStatus) : made) as unknown as T);
  }

  replace<T extends KubeObject>(kind: Kind<T>, object: T): T {
    return this.#replace(kind, object, "object");
  }

  replaceStatus<T extends KubeObject>(kind: Kind<T>, object: T): T {
    if (!served(kind).hasStatus) throw noSuchResource();
    return this.#replace(kind, object, "status");
  }

  patch<T extends KubeObject>(
    kind: Kind<T>,
    ref: ObjectRef,
    patch: MergePatch,
    { uid, resourceVersion }: Partial<Preconditions> = {},
  ): T {
    served(kind);
    const current = this.require(kind, ref);
    const metadata = { ...(patch["metadata"] as object | undefined), uid, resourceVersion };
    // The preconditions are a part of the patch, so it is the rule against changes of the uid that refuses another one.
    return this.#update(kind, current, mergePatched(current, wired({ ...patch, metadata })) as T, "object");
  }

  delete(kind: Kind<KubeObject>, ref: ObjectRef, options: RemovalOptions = {}): void {
    const rules = served(kind);
    // It would have to end what is in it first.
    if (kind.kind === namespaceKind.kind) throw new Error("the deletion of namespaces is not simulated");
    const { preconditions = {}, propagation, gracePeriodSeconds } = options;
    const current = this.require(kind, ref);
    this.requireMatch(kind, current, preconditions);
    const ending = endingOf(current, rules, { propagation, gracePeriodSeconds, nowMs: this.nowMs });
    if (ending.kind === "marked" || ending.kind === "markedAndGone") this.#putChanged(current, ending.object);
    if (ending.kind === "gone" || ending.kind === "markedAndGone") this.store.remove(kind, ref);
  }

  require<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): T {
    const current = this.store.get(kind, ref);
    if (current === undefined) throw notFound(kind, ref.name);
    return current;
  }

  /** The preconditions of deletions: another object is a conflict like another version. */
  requireMatch(kind: Kind<KubeObject>, { metadata }: KubeObject, wanted: Partial<Preconditions>): void {
    const differs = (field: string, precondition: string, recorded = "") =>
      `the ${field} in the precondition (${precondition}) does not match the ${field} in record (${recorded})`;
    const { uid = metadata.uid, resourceVersion = metadata.resourceVersion } = wanted;
    if (uid !== undefined && uid !== metadata.uid)
      throw conflict(kind, metadata.name, differs("UID", uid, metadata.uid));
    if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
      const why = differs("ResourceVersion", resourceVersion, metadata.resourceVersion);
      throw conflict(kind, metadata.name, why);
    }
  }

  #replace<T extends KubeObject>(kind: Kind<T>, object: T, part: Part): T {
    served(kind);
    const wanted = wired({ ...object, apiVersion: kind.apiVersion, kind: kind.kind });
    const current = this.require(kind, wanted.metadata);
    const { uid, resourceVersion } = wanted.metadata;
    if (resourceVersion === undefined)
      throw badRequest("metadata.resourceVersion must be specified for an update");
    if (uid !== undefined && uid !== current.metadata.uid) {
      const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`;
      throw conflict(kind, wanted.metadata.name, why);
    }
    return this.#update(kind, current, wanted, part);
  }

  #update<T extends KubeObject>(kind: Kind<T>, current: T, wanted: T, part: Part): T {
    requireReadable(wanted);
    const next = nextState(kind, served(kind), { current, wanted, part });
    if (!isReleased(current, next)) return this.#putChanged(current, next);
    this.store.remove(kind, current.metadata);
    return next;
  }

  /** Nothing is written when nothing differs: the version stays, and no watch is told. */
  #putChanged<T extends KubeObject>(current: T, next: T): T {
    return isDeepStrictEqual(next, current) ? current : this.store.put(next);
  }

  #requireNamespace(kind: Kind<KubeObject>, { namespace }: ObjectRef): void {
    if (!kind.namespaced || namespace === undefined) return;
    if (this.store.get(namespaceKind, { name: namespace }) === undefined)
      throw notFound(namespaceKind, namespace);
  }
}

function served(kind: Kind<KubeObject>): KindRules {
  const rules = rulesOf(kind);
  if (rules === undefined) throw noSuchResource();
  return rules;
}

function newUid(random: Random): string {
  const hex = Buffer.from(random.bytes(16)).toString("hex");
  // The version and the variant of a random uid, as the server's own uids have them.
  const [, a, b, c, d, e] = /^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/.exec(hex) ?? [];
  return `${a}-${b}-4${c}-8${d}-${e}`;
}
