import type { Clock } from "../../src/runtime/clock.ts";
import type { Random } from "../../src/runtime/random.ts";
import { servedKinds } from "./kind-rules.ts";
import { Registry } from "./registry.ts";
import { type ClientOptions, type ServerSide, SimulatedClient } from "./simulated-client.ts";
import { VersionedStore } from "./versioned-store.ts";
import { WatchCache } from "./watch-cache.ts";

export interface SimulatedServerOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** How long watches, and lists from the cache, take to see a change of this kind; no time when absent. */
  readonly watchLagMs?: (kind: string) => number;
  /** What is older is forgotten. Real servers forget after five to ten minutes. */
  readonly keepHistoryMs?: number;
}

const KEEP_HISTORY_MS = 300_000;

/**
 * A Kubernetes API server in memory, on virtual time and with chance from a seed: the same requests at the same times
 * get the same answers. It is held to what a real server does by test/conformance. Nothing acts by itself: the
 * controllers of Kubernetes are functions beside it, and whoever runs the simulation says when each takes a look.
 */
export class SimulatedServer implements ServerSide {
  /** The server without a network: for those controllers, for tests that act as somebody else, and for invariants. */
  readonly registry: Registry;
  readonly clock: Clock;
  readonly #caches: ReadonlyMap<string, WatchCache>;

  constructor(options: SimulatedServerOptions) {
    const { clock, random, watchLagMs = () => 0, keepHistoryMs = KEEP_HISTORY_MS } = options;
    const store = new VersionedStore(clock, keepHistoryMs);
    this.clock = clock;
    this.#caches = new Map(servedKinds.map((kind) => [kind.kind, new WatchCache(store, clock, kind)]));
    this.registry = new Registry(store, clock, random);
    store.subscribe((change) => this.cacheOf(change).see(change, watchLagMs(change.kind)));
  }

  client(options: ClientOptions): SimulatedClient {
    return new SimulatedClient(this, options);
  }

  readonly cacheOf = ({ kind }: { readonly kind: string }): WatchCache => {
    const cache = this.#caches.get(kind);
    if (cache === undefined) throw new Error(`${kind} is not served`);
    return cache;
  };
}
