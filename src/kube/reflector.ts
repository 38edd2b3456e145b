import type { Kind } from "../model/kinds.ts";
import { type KubeObject, keyOf } from "../model/kube-object.ts";
import { exponentialMs, jitteredMs } from "../runtime/backoff.ts";
import type { Clock } from "../runtime/clock.ts";
import { orAborted } from "../runtime/deadline.ts";
import type { Random } from "../runtime/random.ts";
import type { KubeApi, WatchEvent } from "./api.ts";
import { KubeError, type KubeErrorKind, toKubeError } from "./errors.ts";
import type { Store } from "./store.ts";
import { type Verdict, Watchdog } from "./watchdog.ts";

export interface ReflectorOptions<T extends KubeObject> {
  readonly api: Pick<KubeApi, "list" | "watch">;
  readonly kind: Kind<T>;
  readonly store: Store<T>;
  /** All namespaces when absent. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly clock: Clock;
  readonly random: Random;
  /** What of an object is worth keeping; without managed fields if absent, which are half of an object's size. */
  readonly keep?: (object: T) => T;
  /** Told about every failure, before the reflector waits and tries again. */
  readonly onFailure: (error: KubeError, waitMs: number) => void;
}

/** What the reflector does next. */
type State =
  | { readonly kind: "list"; readonly resourceVersion: "0" | undefined }
  | { readonly kind: "watch"; readonly resourceVersion: string }
  | { readonly kind: "wait"; readonly delayMs: number; readonly next: State };

const PAGE_SIZE = 500;
/** More pages than any cluster has objects for: a server that never ends its list. */
const MAX_PAGES = 10_000;

/** The server ends a watch after 300 to 600 seconds, so that the watches of all reflectors do not end together. */
const MIN_WATCH_SECONDS = 300;
const WATCH_SECONDS_SPREAD = 300;
/** A server that does not end the watch in time is not there any more. */
const OVERDUE_MS = 15_000;
/** Servers send a bookmark about every minute; silence that long means that the stream or its version is dead. */
const SILENCE_MS = 150_000;
/** A watch that ends sooner without an event did not work. */
const SHORTEST_WATCH_MS = 1_000;

/** With the jitter between 0.8 and 30 s. */
const growth = { baseMs: 800, maxMs: 20_000 };
const JITTER = 0.5;

/** Troubles of the moment, which say nothing about the version. */
const passing: ReadonlySet<KubeErrorKind> = new Set(["Unavailable", "Throttled", "Timeout"]);
/** Then it may be the version after all, for example one that the server does not have yet or never had. */
const TRIES_WITH_ONE_VERSION = 5;

/**
 * Keeps a store like the server: lists, then watches from the version of the list, and never gives up. A watch is
 * renewed from the version of its last event; the list is read again only when that version is of no use.
 */
export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #synced = Promise.withResolvers<void>();
  #hasSynced = false;
  readonly #keep: (object: T) => T;
  #contactMs: number;
  /** Failures since the last watch that worked. */
  #failures = 0;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#keep = options.keep ?? trimmed;
    this.#contactMs = options.clock.monotonicMs();
  }

  /** Whether the store has held a complete list once. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Resolves when `hasSynced` becomes true. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  /** When the server last gave a sign of life, on the monotonic clock. Healthy is less than three minutes ago. */
  get lastContactMs(): number {
    return this.#contactMs;
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    // The first list may come from the server's cache; later ones follow trouble and have to be up to date.
    let state: State = { kind: "list", resourceVersion: "0" };
    while (!signal.aborted) {
      try {
        state = await this.#step(state, signal);
      } catch (error) {
        if (signal.aborted) return;
        state = this.#retry(toKubeError(error), { kind: "list", resourceVersion: undefined });
      }
    }
  }

  async #step(state: State, signal: AbortSignal): Promise<State> {
    if (state.kind === "watch") return this.#watch(state.resourceVersion, signal);
    if (state.kind === "list") {
      return { kind: "watch", resourceVersion: await this.#list(state.resourceVersion, signal) };
    }
    await this.#options.clock.sleep(state.delayMs, signal);
    return state.next;
  }

  /** Fills the store and returns the version from which to watch. */
  async #list(resourceVersion: "0" | undefined, signal: AbortSignal): Promise<string> {
    const { api, kind, store, namespace, labelSelector } = this.#options;
    const scope = { ...(namespace && { namespace }), ...(labelSelector && { labelSelector }) };
    const first = resourceVersion === undefined ? {} : { resourceVersion };
    const objects: T[] = [];
    let page = await orAborted(api.list(kind, { ...scope, ...first, limit: PAGE_SIZE }), signal);
    for (let pages = 1; ; pages++) {
      this.#touch();
      for (const item of page.items) objects.push(this.#keep(item));
      const { continueToken } = page;
      if (continueToken === undefined) break;
      if (pages === MAX_PAGES) throw new Error(`the list of ${kind.kind} does not end`);
      page = await orAborted(api.list(kind, { ...scope, limit: PAGE_SIZE, continueToken }), signal);
    }
    store.replaceAll(objects);
    this.#hasSynced = true;
    this.#synced.resolve();
    return page.resourceVersion;
  }

  async #watch(startVersion: string, signal: AbortSignal): Promise<State> {
    const { api, kind, clock, random, namespace, labelSelector } = this.#options;
    const timeoutSeconds = MIN_WATCH_SECONDS + Math.floor(random.next() * (WATCH_SECONDS_SPREAD + 1));
    const limits = { silenceMs: SILENCE_MS, totalMs: timeoutSeconds * 1000 + OVERDUE_MS };
    const watchdog = new Watchdog(clock, limits, signal);
    const watched: Watched = { startedMs: clock.monotonicMs(), resourceVersion: startVersion, events: 0 };
    try {
      const scope = { ...(namespace && { namespace }), ...(labelSelector && { labelSelector }) };
      const options = { ...scope, resourceVersion: startVersion, timeoutSeconds, signal: watchdog.signal };
      for await (const event of api.watch(kind, options)) {
        watchdog.heard();
        this.#take(event, watched);
      }
      return this.#afterEnd(watched, watchdog.verdict);
    } catch (error) {
      return this.#afterError(watched, toKubeError(error));
    } finally {
      watchdog.clear();
    }
  }

  #take(event: WatchEvent<T>, watched: Watched): void {
    const { store } = this.#options;
    this.#touch();
    watched.events += 1;
    if (event.type === "BOOKMARK") {
      watched.resourceVersion = event.resourceVersion;
      return;
    }
    const object = this.#keep(event.object);
    watched.resourceVersion = object.metadata.resourceVersion ?? watched.resourceVersion;
    if (event.type === "DELETED") store.remove(keyOf(object.metadata), object);
    else store.put(object);
  }

  #afterEnd(watched: Watched, verdict: Verdict | undefined): State {
    const { kind } = this.#options;
    if (verdict === "silent") {
      // A version that the server never had, after it was restored from a backup, looks like this, too.
      const text = `the watch of ${kind.kind} was silent for ${SILENCE_MS / 1000} s`;
      return this.#waitAfter(new KubeError("Timeout", text), 0, { kind: "list", resourceVersion: undefined });
    }
    const again: State = { kind: "watch", resourceVersion: watched.resourceVersion };
    if (this.#hasWorked(watched)) {
      this.#failures = 0;
      this.#touch();
      return again;
    }
    return this.#retry(new KubeError("Unavailable", `the watch of ${kind.kind} ended at once`), again);
  }

  #afterError(watched: Watched, error: KubeError): State {
    const hasWorked = this.#hasWorked(watched);
    if (hasWorked) this.#failures = 0;
    const list: State = { kind: "list", resourceVersion: undefined };
    if (error.kind === "Expired" && hasWorked) return this.#waitAfter(error, 0, list);
    const keepsVersion = passing.has(error.kind) && this.#failures < TRIES_WITH_ONE_VERSION;
    return this.#retry(
      error,
      keepsVersion ? { kind: "watch", resourceVersion: watched.resourceVersion } : list,
    );
  }

  #hasWorked(watched: Watched): boolean {
    return watched.events > 0 || this.#options.clock.monotonicMs() - watched.startedMs >= SHORTEST_WATCH_MS;
  }

  #retry(error: KubeError, next: State): State {
    this.#failures += 1;
    const delayMs = jitteredMs(exponentialMs(this.#failures, growth), JITTER, this.#options.random);
    return this.#waitAfter(error, Math.max(delayMs, error.retryAfterMs ?? 0), next);
  }

  #waitAfter(error: KubeError, delayMs: number, next: State): State {
    this.#options.onFailure(error, delayMs);
    return delayMs === 0 ? next : { kind: "wait", delayMs, next };
  }

  #touch(): void {
    this.#contactMs = this.#options.clock.monotonicMs();
  }
}

/** What came of one watch. */
interface Watched {
  readonly startedMs: number;
  /** From where to go on. */
  resourceVersion: string;
  events: number;
}

/** Managed fields are half of an object's size and nobody here reads them. */
function trimmed<T extends KubeObject>(object: T): T {
  if (object.metadata.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
