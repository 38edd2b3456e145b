import type { WatchOptions } from "../../src/kube/api.ts";
import type { Kind } from "../../src/model/kinds.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import { expired } from "./refused.ts";
import { selectionIn } from "./selection.ts";
import type { Change, VersionedStore } from "./versioned-store.ts";
import { watchEventOf } from "./watch-event.ts";
import { WatchStream } from "./watch-stream.ts";

interface Watcher {
  readonly selects: (object: KubeObject) => boolean;
  readonly stream: WatchStream;
  /** What happened up to here was told, or was known before. */
  version: number;
}

/**
 * What the watches of one kind have seen of the store. Like the cache of a real API server it may lag behind, each
 * kind by itself, and never shows a change before an earlier one.
 */
export class WatchCache {
  readonly #store: VersionedStore;
  readonly #clock: Clock;
  readonly #kind: Kind<KubeObject>;
  readonly #unseen: Change[] = [];
  readonly #watchers = new Set<Watcher>();
  #lastDueMs = 0;

  constructor(store: VersionedStore, clock: Clock, kind: Kind<KubeObject>) {
    this.#store = store;
    this.#clock = clock;
    this.#kind = kind;
  }

  /** Up to which version of the store everything was seen. */
  get version(): number {
    const [next] = this.#unseen;
    return next === undefined ? this.#store.version : next.version - 1;
  }

  /** Lets the cache see a change after a while, but not before those that came earlier. */
  see(change: Change, lagMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    this.#lastDueMs = Math.max(this.#lastDueMs, nowMs + lagMs);
    this.#unseen.push(change);
    if (this.#lastDueMs > nowMs) this.#clock.after(this.#lastDueMs - nowMs, () => this.#seeNext());
    else this.#seeNext();
  }

  requireKept({ resourceVersion }: WatchOptions): void {
    const { oldestVersion } = this.#store;
    // From version 0 a real server begins with all objects; nobody here watches without a list.
    if (!(Number(resourceVersion) > 0))
      throw new Error(`a watch from version "${resourceVersion}" is not simulated`);
    if (Number(resourceVersion) >= oldestVersion) return;
    throw expired(`too old resource version: ${resourceVersion} (${oldestVersion})`);
  }

  /** A watch from a version on. Whoever opens it reads its events, which also closes it. */
  open(options: WatchOptions): WatchStream {
    this.requireKept(options);
    const version = Number(options.resourceVersion);
    const release = () => this.#watchers.delete(watcher);
    const stream = new WatchStream(this.#clock, options.timeoutSeconds, {
      version: () => this.version,
      release,
    });
    const watcher: Watcher = { selects: selectionIn(options), stream, version };
    const seen = this.#store.since(this.#kind, version).filter((change) => change.version <= this.version);
    for (const change of seen) tell(watcher, change);
    this.#watchers.add(watcher);
    return stream;
  }

  #seeNext(): void {
    const change = this.#unseen.shift();
    if (change === undefined) return;
    for (const watcher of this.#watchers) tell(watcher, change);
  }
}

/** A watch from a version to come says nothing until then. */
function tell(watcher: Watcher, change: Change): void {
  if (change.version <= watcher.version) return;
  watcher.version = change.version;
  const event = watchEventOf(change, watcher.selects);
  if (event !== undefined) watcher.stream.tell(event);
}
