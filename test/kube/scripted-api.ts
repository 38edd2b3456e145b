import type { ListOptions, ListPage, WatchEvent, WatchOptions } from "../../src/kube/api.ts";
import type { KubeError } from "../../src/kube/errors.ts";
import type { Pod } from "../../src/model/objects.ts";

type Item = WatchEvent<Pod> | "end" | KubeError;

/** One open watch, fed by the test. */
export class ScriptedWatch {
  readonly options: WatchOptions;
  readonly #items: Item[] = [];
  #wake = () => {};
  isEnded = false;

  constructor(options: WatchOptions) {
    this.options = options;
  }

  send(...items: Item[]): void {
    this.#items.push(...items);
    this.#wake();
  }

  async *events(): AsyncGenerator<WatchEvent<Pod>> {
    const { signal } = this.options;
    signal.addEventListener("abort", () => this.#wake(), { once: true });
    try {
      while (!signal.aborted) {
        const item = this.#items.shift();
        if (item === "end") return;
        if (item instanceof Error) throw item;
        if (item !== undefined) yield item;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      this.isEnded = true;
    }
  }
}

type PageOf = (options: ListOptions) => Omit<ListPage<Pod>, "continueToken"> & { continueToken?: string };

/** Answers lists from a queue of answers, the last of which stays, and records every watch. */
export class ScriptedApi {
  readonly lists: ListOptions[] = [];
  readonly watches: ScriptedWatch[] = [];
  readonly #answers: Array<PageOf | Error> = [];
  /** What each new watch begins with; used up in order. */
  readonly openings: Item[][] = [];

  answer(...answers: Array<PageOf | Error>): void {
    this.#answers.push(...answers);
  }

  async list(_: unknown, options: ListOptions): Promise<ListPage<never>> {
    this.lists.push(options);
    const answer = this.#answers.length > 1 ? this.#answers.shift() : this.#answers[0];
    if (answer === undefined) throw new Error("the script has no answer to a list");
    if (answer instanceof Error) throw answer;
    const page = answer(options);
    return { ...page, items: page.items as never[], continueToken: page.continueToken };
  }

  watch(_: unknown, options: WatchOptions): AsyncIterable<WatchEvent<never>> {
    const watch = new ScriptedWatch(options);
    this.watches.push(watch);
    watch.send(...(this.openings.shift() ?? []));
    return watch.events() as AsyncIterable<WatchEvent<never>>;
  }

  get lastWatch(): ScriptedWatch {
    const last = this.watches.at(-1);
    if (last === undefined) throw new Error("nobody watches");
    return last;
  }
}

/** An answer to a list. */
export function page(resourceVersion: string, ...items: Pod[]): PageOf {
  return () => ({ items, resourceVersion });
}

export function pod(name: string, resourceVersion: string, extra: Partial<Pod["metadata"]> = {}): Pod {
  const metadata = { name, namespace: "default", uid: `uid-${name}`, resourceVersion, ...extra };
  return { apiVersion: "v1", kind: "Pod", metadata };
}
