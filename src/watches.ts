import { isDeepStrictEqual } from "node:util";
import type { KubeApi } from "./kube/api.ts";
import { Reflector } from "./kube/reflector.ts";
import { Store } from "./kube/store.ts";
import { labels } from "./model/annotations.ts";
import { strangersFields } from "./model/field-owners.ts";
import { type Kind, kinds } from "./model/kinds.ts";
import { type KubeObject, keyOf } from "./model/kube-object.ts";
import { WATCH_SELECTOR } from "./model/names.ts";
import type { Pod } from "./model/objects.ts";
import type { Clock } from "./runtime/clock.ts";
import type { Random } from "./runtime/random.ts";
import type { Logger } from "./telemetry/log.ts";

export interface WatchesDependencies {
  readonly api: KubeApi;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly namespace: string | undefined;
  /** The cluster with this key may have to be looked at. */
  readonly onChange: (clusterKey: string) => void;
  readonly onPod: (pod: Pod, isGone: boolean) => void;
  /** Told about every watch that broke, for metrics. */
  readonly onWatchFailure?: (kind: string) => void;
}

/** How the watch of one kind is. */
export interface WatchHealth {
  readonly kind: string;
  readonly hasSynced: boolean;
  /** How long ago the server last gave a sign of life. */
  readonly silentMs: number;
}

/** Kinds that are seen as they change. Secrets and ConfigMaps are read by name instead. */
const ownedKinds: readonly Kind<KubeObject>[] = [
  kinds.statefulSet,
  kinds.pod,
  kinds.claim,
  kinds.service,
  kinds.serviceAccount,
  kinds.networkPolicy,
  kinds.disruptionBudget,
];

/** What the API server knows of our objects, kept up to date. */
export class Watches {
  readonly stores = new Map<string, Store<KubeObject>>();
  readonly #reflectors = new Map<string, Reflector<KubeObject>>();
  readonly #clock: Clock;

  constructor(deps: WatchesDependencies) {
    this.#clock = deps.clock;
    this.#watch(deps, kinds.cluster, undefined);
    for (const kind of ownedKinds) this.#watch(deps, kind, WATCH_SELECTOR);
  }

  /** Resolves when the signal aborts and every watch has ended. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#reflectors.values()].map((reflector) => reflector.run(signal)));
  }

  async synced(): Promise<void> {
    await Promise.all([...this.#reflectors.values()].map(({ synced }) => synced));
  }

  get hasSynced(): boolean {
    return [...this.#reflectors.values()].every(({ hasSynced }) => hasSynced);
  }

  health(): readonly WatchHealth[] {
    const nowMs = this.#clock.monotonicMs();
    return [...this.#reflectors].map(([kind, { hasSynced, lastContactMs }]) => {
      return { kind, hasSynced, silentMs: nowMs - lastContactMs };
    });
  }

  all<T extends KubeObject>(kind: Kind<T>): readonly T[] {
    return (this.stores.get(kind.kind)?.all() ?? []) as readonly T[];
  }

  #watch(deps: WatchesDependencies, kind: Kind<KubeObject>, labelSelector: string | undefined): void {
    const { api, clock, random, log, namespace } = deps;
    const onListenerError = (error: unknown) =>
      log.error({ err: error, kind: kind.kind }, "a watch listener failed");
    const store = new Store<KubeObject>({ label: labels.cluster, onListenerError });
    store.subscribe((change) => {
      const { object } = change;
      if (object.kind === kinds.pod.kind) deps.onPod(object as Pod, change.kind === "removed");
      if (change.kind === "changed" && isStatusAlone(change.previous, object)) return;
      // A label that somebody took off or changed is its former cluster's business.
      const seen = change.kind === "changed" ? [object, change.previous] : [object];
      const keys = new Set(seen.map(clusterKeyOf));
      for (const key of keys) if (key !== undefined) deps.onChange(key);
    });
    const reflector = new Reflector<KubeObject>({
      api,
      kind,
      store,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      clock,
      random,
      keep: strangersFields,
      onFailure: (error, waitMs) => {
        deps.onWatchFailure?.(kind.kind);
        log.warn({ kind: kind.kind, reason: error.message, waitMs }, "watch failed");
      },
    });
    this.stores.set(kind.kind, store);
    this.#reflectors.set(kind.kind, reflector);
  }
}

/**
 * The status of a cluster is this operator's own word: to read it back is no reason to look again. Somebody else's word
 * there is replaced at the next look.
 */
function isStatusAlone(before: KubeObject, after: KubeObject): boolean {
  if (after.kind !== kinds.cluster.kind) return false;
  const [one, other] = [before, after].map(({ metadata }) => {
    const { resourceVersion: _, ...rest } = metadata;
    return rest;
  });
  // The generation counts changes of the spec.
  return after.metadata.generation !== undefined && isDeepStrictEqual(one, other);
}

function clusterKeyOf(object: KubeObject): string | undefined {
  if (object.kind === kinds.cluster.kind) return keyOf(object.metadata);
  const name = object.metadata.labels?.[labels.cluster];
  return name === undefined
    ? undefined
    : keyOf({ name, ...(object.metadata.namespace && { namespace: object.metadata.namespace }) });
}
