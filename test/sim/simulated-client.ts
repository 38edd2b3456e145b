import type {
  DeleteOptions,
  EvictOptions,
  KubeApi,
  ListOptions,
  ListPage,
  MergePatch,
  Preconditions,
  WatchEvent,
  WatchOptions,
} from "../../src/kube/api.ts";
import { type Asked, toKubeError } from "../../src/kube/errors.ts";
import { objectPath } from "../../src/kube/paths.ts";
import { refusalToError } from "../../src/kube/status.ts";
import { type Kind, kinds } from "../../src/model/kinds.ts";
import { type KubeObject, keyOf, type ObjectRef } from "../../src/model/kube-object.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import { orAborted } from "../../src/runtime/deadline.ts";
import { evict } from "./eviction.ts";
import type { Fault, Faults, Request } from "./faults.ts";
import { pageOf } from "./pages.ts";
import { Refused } from "./refused.ts";
import type { Registry } from "./registry.ts";
import type { WatchCache } from "./watch-cache.ts";
import type { StreamEnd, WatchStream } from "./watch-stream.ts";

export interface ClientOptions {
  /** Who asks, as requests say it. */
  readonly name: string;
  /** Time that a request or an answer is under way; none when absent. */
  readonly latencyMs?: () => number;
  readonly faults?: Faults;
}

export interface ServerSide {
  readonly clock: Clock;
  readonly registry: Registry;
  readonly cacheOf: (kind: Kind<KubeObject>) => WatchCache;
}

type Question = Omit<Request, "client" | "sentAtMs">;

/** The simulated server as one client sees it, over a network of its own. */
export class SimulatedClient implements KubeApi {
  readonly #server: ServerSide;
  readonly #options: ClientOptions;
  readonly #streams = new Map<WatchStream, string>();

  constructor(server: ServerSide, options: ClientOptions) {
    this.#server = server;
    this.#options = options;
  }

  /** What happens to the watches that are open now, of one kind or of all. */
  endWatches(end: StreamEnd, kind?: Kind<KubeObject>): void {
    for (const [stream, of] of this.#streams) {
      if (kind === undefined || kind.kind === of) stream.end(end);
    }
  }

  async get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<T | undefined> {
    return this.#ask(about("get", kind, ref), ({ registry }) => registry.get(kind, ref));
  }

  async list<T extends KubeObject>(kind: Kind<T>, options: ListOptions): Promise<ListPage<T>> {
    const question = aboutAll("list", kind, options.namespace, options);
    return this.#ask(question, ({ registry, cacheOf }) => {
      registry.requireServed(kind);
      return pageOf(registry.store, kind, options, cacheOf(kind).version);
    });
  }

  async *watch<T extends KubeObject>(kind: Kind<T>, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    const { signal, ...body } = options;
    const question = aboutAll("watch", kind, options.namespace, body);
    try {
      await orAborted(
        this.#ask(question, ({ registry, cacheOf }) => {
          registry.requireServed(kind);
          cacheOf(kind).requireKept(options);
        }),
        signal,
      );
      const stream = answerOf(question, () => this.#server.cacheOf(kind).open(options));
      this.#streams.set(stream, kind.kind);
      try {
        yield* stream.events(signal) as AsyncGenerator<WatchEvent<T>>;
      } finally {
        this.#streams.delete(stream);
      }
    } catch (error) {
      if (!signal.aborted) throw toKubeError(error);
    }
  }

  async create<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T> {
    const question = about("create", kind, object.metadata, object);
    return this.#ask(question, ({ registry }) => registry.create(kind, object));
  }

  async replace<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T> {
    const question = about("replace", kind, object.metadata, object);
    return this.#ask(question, ({ registry }) => registry.replace(kind, object));
  }

  async replaceStatus<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T> {
    const question = about("replaceStatus", kind, object.metadata, object);
    return this.#ask(question, ({ registry }) => registry.replaceStatus(kind, object));
  }

  async patch<T extends KubeObject>(
    kind: Kind<T>,
    ref: ObjectRef,
    patch: MergePatch,
    preconditions: Preconditions,
  ): Promise<T> {
    const question = about("patch", kind, ref, patch, preconditions);
    return this.#ask(question, ({ registry }) => registry.patch(kind, ref, patch, preconditions));
  }

  async delete<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, options: DeleteOptions): Promise<void> {
    const question = about("delete", kind, ref, options, options.preconditions);
    return this.#ask(question, ({ registry }) => unlessGone(ref, () => registry.delete(kind, ref, options)));
  }

  async evict(pod: ObjectRef, options: EvictOptions): Promise<void> {
    const question = about("evict", kinds.pod, pod, options, options.preconditions);
    return this.#ask(question, ({ registry }) => unlessGone(pod, () => evict(registry, pod, options)));
  }

  async #ask<A>(question: Question, run: (server: ServerSide) => A): Promise<A> {
    const { name: client, faults = {} } = this.#options;
    const request = { client, sentAtMs: this.#server.clock.monotonicMs(), ...question };
    await this.#travel();
    await this.#suffer(faults.before?.(request));
    const outcome = outcomeOf(() => answerOf(question, () => run(this.#server)));
    await this.#suffer(faults.after?.(request, outcome.kind === "answered"));
    await this.#travel();
    if (outcome.kind === "failed") throw outcome.error;
    return outcome.answer;
  }

  async #travel(): Promise<void> {
    const ms = this.#options.latencyMs?.() ?? 0;
    if (ms > 0) await this.#server.clock.sleep(ms);
  }

  async #suffer(fault: Fault | undefined): Promise<void> {
    if (fault === undefined) return;
    const { error, afterMs = 0 } = fault;
    if (afterMs > 0) await this.#server.clock.sleep(afterMs);
    throw error;
  }
}

type Outcome<A> =
  | { readonly kind: "answered"; readonly answer: A }
  | { readonly kind: "failed"; readonly error: unknown };

/** A refusal is an answer like any other: it travels back, and may be lost. */
function outcomeOf<A>(run: () => A): Outcome<A> {
  try {
    return { kind: "answered", answer: run() };
  } catch (error) {
    return { kind: "failed", error };
  }
}

/** Refusals become errors in the code that does so for a real server. */
function answerOf<A>(question: Question, run: () => A): A {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw refusalToError({ status: error.code, body: JSON.stringify(error.status) }, askedOf(question));
  }
}

function askedOf({ verb, kind, namespace, name }: Question): Asked {
  const said = verb === "replaceStatus" ? "update the status of" : verb;
  const known =
    name === undefined ? namespace : keyOf({ name, ...(namespace !== undefined && { namespace }) });
  return { verb: said, kind, name: known };
}

/** Deleting or evicting what is already gone succeeds. */
function unlessGone({ name }: ObjectRef, run: () => void): void {
  try {
    run();
  } catch (error) {
    const isGone = error instanceof Refused && error.code === 404 && error.details.name === name;
    if (!isGone) throw error;
  }
}

function about(
  verb: Question["verb"],
  kind: Kind<KubeObject>,
  ref: ObjectRef,
  body?: unknown,
  preconditions?: Preconditions,
): Question {
  // For its checks: a name that is none is a bug of the caller, here as in front of a real server.
  objectPath(kind, ref);
  return { verb, kind: kind.kind, namespace: ref.namespace, name: ref.name, body, preconditions };
}

function aboutAll(
  verb: Question["verb"],
  kind: Kind<KubeObject>,
  namespace: string | undefined,
  body: unknown,
): Question {
  return { verb, kind: kind.kind, namespace, name: undefined, body, preconditions: undefined };
}
