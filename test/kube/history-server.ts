import type { KubeApi, ListOptions, ListPage, WatchEvent, WatchOptions } from "../../src/kube/api.ts";
import { KubeError } from "../../src/kube/errors.ts";
import type { Pod } from "../../src/model/objects.ts";
import { pod } from "./scripted-api.ts";

type Event = { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: Pod };

interface Stream {
  readonly signal: AbortSignal;
  /** Version up to which events were given. */
  version: number;
  end: "open" | "closed" | "broken" | "mute";
  wake: () => void;
}

/** A server that keeps the history of its objects, as far as it is not compacted, and fails on demand. */
export class HistoryServer {
  readonly objects = new Map<string, Pod>();
  /** The next lists fail. */
  listFaults = 0;
  readonly #events: Event[] = [];
  readonly #streams = new Set<Stream>();
  #version = 100;
  #compactedTo = 100;
  #births = 0;

  get api(): Pick<KubeApi, "list" | "watch"> {
    const list = (_: unknown, options: ListOptions) => this.#list(options);
    const watch = (_: unknown, options: WatchOptions) => this.#watch(options);
    return { list, watch } as unknown as Pick<KubeApi, "list" | "watch">;
  }

  put(name: string): void {
    const known = this.objects.get(name);
    const uid = known?.metadata.uid ?? `uid-${this.#births++}`;
    this.#record(known === undefined ? "ADDED" : "MODIFIED", pod(name, `${++this.#version}`, { uid }));
  }

  remove(name: string): void {
    const known = this.objects.get(name);
    if (known === undefined) return;
    this.#record(
      "DELETED",
      pod(name, `${++this.#version}`, { ...known.metadata, resourceVersion: `${this.#version}` }),
    );
  }

  compact(): void {
    this.#compactedTo = this.#version;
  }

  /** What happens to the streams that are open now. */
  disturb(end: "closed" | "broken" | "mute"): void {
    for (const stream of this.#streams) {
      if (stream.end !== "mute") stream.end = end;
      stream.wake();
    }
  }

  #record(type: Event["type"], object: Pod): void {
    const { name } = object.metadata;
    if (type === "DELETED") this.objects.delete(name);
    else this.objects.set(name, object);
    this.#events.push({ type, object });
    for (const stream of this.#streams) stream.wake();
  }

  async #list(options: ListOptions): Promise<ListPage<Pod>> {
    if (this.listFaults > 0) {
      this.listFaults -= 1;
      throw new KubeError("Unavailable", "scripted");
    }
    const all = [...this.objects.values()];
    // Pages of two, so that most lists have several; the token is where the next one begins.
    const start = Number(options.continueToken ?? 0);
    const continueToken = start + 2 < all.length ? `${start + 2}` : undefined;
    return { items: all.slice(start, start + 2), resourceVersion: `${this.#version}`, continueToken };
  }

  async *#watch(options: WatchOptions): AsyncGenerator<WatchEvent<Pod>> {
    const version = Number(options.resourceVersion);
    if (version < this.#compactedTo) throw new KubeError("Expired", "scripted");
    const stream: Stream = { signal: options.signal, version, end: "open", wake: () => {} };
    this.#streams.add(stream);
    options.signal.addEventListener("abort", () => stream.wake(), { once: true });
    try {
      while (!options.signal.aborted) {
        if (stream.end === "broken") throw new KubeError("Unavailable", "scripted");
        if (stream.end === "closed") return;
        const next = stream.end === "mute" ? undefined : this.#after(stream.version);
        if (next === undefined) {
          await new Promise<void>((resolve) => (stream.wake = resolve));
          continue;
        }
        stream.version = Number(next.object.metadata.resourceVersion);
        yield next;
      }
    } finally {
      this.#streams.delete(stream);
    }
  }

  #after(version: number): Event | undefined {
    return this.#events.find((event) => Number(event.object.metadata.resourceVersion) > version);
  }
}
