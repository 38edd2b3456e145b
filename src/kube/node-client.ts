import { type Kind, kinds } from "../model/kinds.ts";
import { type KubeObject, keyOf, type ObjectRef } from "../model/kube-object.ts";
import type { Clock } from "../runtime/clock.ts";
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
} from "./api.ts";
import { Connections, type HttpAnswer, type HttpRequest } from "./connections.ts";
import type { CredentialSource } from "./credentials.ts";
import { type Asked, KubeError, prefix, toKubeError } from "./errors.ts";
import { jsonLines } from "./json-lines.ts";
import { collectionPath, objectPath, withQuery } from "./paths.ts";
import { refusalToError, saysObjectIsGone, statusToError, withToldCode } from "./status.ts";

export interface KubeClientOptions {
  readonly credentials: CredentialSource;
  readonly clock: Clock;
  /** Version of this program, for the user agent. */
  readonly version: string;
  readonly fieldManager?: string;
  /** Deadline of every call, and of the start of a watch. */
  readonly timeoutMs?: number;
  /** Calls under way at the same time; further ones wait. Watches do not count. */
  readonly maxConnections?: number;
  /** Told about every finished call and every started watch, for metrics. */
  readonly onCall?: (call: CallRecord) => void;
}

export interface CallRecord {
  readonly verb: string;
  readonly kind: string;
  /** HTTP status, or undefined when there was no answer. */
  readonly status: number | undefined;
  readonly tookMs: number;
}

export interface KubeClient extends KubeApi {
  /** For example `v1.35.2`. */
  serverVersion(): Promise<string>;
  /** Closes all connections; what is under way fails. */
  close(): void;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_CONNECTIONS = 32;

/** Objects are limited to about 1.5 MB by etcd; managed fields and JSON escapes come on top. */
const MAX_EVENT_BYTES = 16 * 1024 * 1024;

/** A client of a real API server. Objects go in and come out as plain JSON, no field is renamed or lost. */
export function createKubeApi(options: KubeClientOptions): KubeClient {
  return new NodeClient(options);
}

class NodeClient implements KubeClient {
  readonly #connections: Connections;
  readonly #clock: Clock;
  readonly #writeQuery: { readonly fieldManager: string };
  readonly #onCall: (call: CallRecord) => void;

  constructor(options: KubeClientOptions) {
    const { credentials, clock, version, fieldManager = "evnode-operator" } = options;
    this.#connections = new Connections({
      credentials,
      clock,
      userAgent: `evnode-operator/${version}`,
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      maxConnections: options.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
    });
    this.#clock = clock;
    this.#writeQuery = { fieldManager };
    this.#onCall = options.onCall ?? (() => {});
  }

  async get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<T | undefined> {
    const asked = askedFor("get", kind, ref);
    const answer = await this.#send({ method: "GET", path: objectPath(kind, ref) }, asked);
    return saysObjectIsGone(answer, ref.name) ? undefined : (parsed(answer, asked) as T);
  }

  async list<T extends KubeObject>(kind: Kind<T>, options: ListOptions): Promise<ListPage<T>> {
    const asked: Asked = { verb: "list", kind: kind.kind, name: options.namespace };
    const { labelSelector, resourceVersion, limit, continueToken } = options;
    const path = withQuery(collectionPath(kind, options.namespace), {
      labelSelector,
      // A page that continues another has that one's version.
      resourceVersion: continueToken === undefined ? resourceVersion : undefined,
      limit,
      continue: continueToken,
    });
    const page = parsed(await this.#send({ method: "GET", path }, asked), asked) as RawList<T>;
    return {
      items: (page.items ?? []).map((item) => withType(kind, item)),
      resourceVersion: page.metadata.resourceVersion,
      continueToken: page.metadata.continue === "" ? undefined : page.metadata.continue,
    };
  }

  async *watch<T extends KubeObject>(kind: Kind<T>, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    const asked: Asked = { verb: "watch", kind: kind.kind, name: options.namespace };
    const { signal } = options;
    try {
      const answer = await this.#openWatch(kind, options, asked);
      for await (const line of jsonLines(answer, MAX_EVENT_BYTES)) {
        const event = toEvent<T>(line as RawEvent<T>, asked);
        if (event !== undefined) yield event;
      }
    } catch (error) {
      if (!signal.aborted) throw toKubeError(error, asked);
    }
  }

  async create<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T> {
    const path = withQuery(collectionPath(kind, object.metadata.namespace), this.#writeQuery);
    const asked = askedFor("create", kind, object.metadata);
    return this.#write<T>({ method: "POST", path, body: JSON.stringify(object) }, asked);
  }

  async replace<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T> {
    const asked = askedFor("replace", kind, object.metadata);
    // Without a version the server would overwrite whatever is there.
    if (object.metadata.resourceVersion === undefined) {
      throw new KubeError("BadRequest", `${prefix(asked)}the object has no resourceVersion`);
    }
    const path = withQuery(objectPath(kind, object.metadata), this.#writeQuery);
    return this.#write<T>({ method: "PUT", path, body: JSON.stringify(object) }, asked);
  }

  async replaceStatus<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T> {
    const path = withQuery(objectPath(kind, object.metadata, "status"), this.#writeQuery);
    const asked = askedFor("update the status of", kind, object.metadata);
    return this.#write<T>({ method: "PUT", path, body: JSON.stringify(object) }, asked);
  }

  async patch<T extends KubeObject>(
    kind: Kind<T>,
    ref: ObjectRef,
    patch: MergePatch,
    preconditions: Preconditions,
  ): Promise<T> {
    const path = withQuery(objectPath(kind, ref), this.#writeQuery);
    const metadata = { ...(patch["metadata"] as object | undefined), ...definedOf(preconditions) };
    const body = JSON.stringify({ ...patch, metadata });
    const contentType = "application/merge-patch+json";
    return this.#write<T>({ method: "PATCH", path, contentType, body }, askedFor("patch", kind, ref));
  }

  async delete<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, options: DeleteOptions): Promise<void> {
    const asked = askedFor("delete", kind, ref);
    const body = JSON.stringify({
      apiVersion: "v1",
      kind: "DeleteOptions",
      preconditions: definedOf(options.preconditions),
      propagationPolicy: options.propagation,
    });
    await this.#remove({ method: "DELETE", path: objectPath(kind, ref), body }, ref, asked);
  }

  async evict(pod: ObjectRef, options: EvictOptions): Promise<void> {
    const { preconditions, gracePeriodSeconds } = options;
    const body = JSON.stringify({
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { name: pod.name, namespace: pod.namespace },
      deleteOptions: { preconditions: definedOf(preconditions), gracePeriodSeconds },
    });
    const path = objectPath(kinds.pod, pod, "eviction");
    await this.#remove({ method: "POST", path, body }, pod, askedFor("evict", kinds.pod, pod));
  }

  async serverVersion(): Promise<string> {
    const asked: Asked = { verb: "get", kind: "version" };
    const answer = await this.#send({ method: "GET", path: "/version" }, asked);
    return (parsed(answer, asked) as { readonly gitVersion: string }).gitVersion;
  }

  close(): void {
    this.#connections.close();
  }

  async #write<T>(request: HttpRequest, asked: Asked): Promise<T> {
    return parsed(await this.#send(request, asked), asked) as T;
  }

  /** Sends what makes an object go; one that is already gone is as good. */
  async #remove(request: HttpRequest, ref: ObjectRef, asked: Asked): Promise<void> {
    const answer = withToldCode(await this.#send(request, asked));
    if (!isSuccess(answer) && !saysObjectIsGone(answer, ref.name)) throw refusalToError(answer, asked);
  }

  async #send(request: HttpRequest, asked: Asked): Promise<HttpAnswer> {
    return this.#recorded(asked, () => this.#connections.send(request));
  }

  async #openWatch<T extends KubeObject>(
    kind: Kind<T>,
    options: WatchOptions,
    asked: Asked,
  ): Promise<AsyncIterable<Uint8Array>> {
    const { labelSelector, resourceVersion, timeoutSeconds } = options;
    const path = withQuery(collectionPath(kind, options.namespace), {
      watch: true,
      allowWatchBookmarks: true,
      labelSelector,
      resourceVersion,
      timeoutSeconds,
    });
    const open = () => this.#connections.open({ method: "GET", path }, options.signal);
    const answer = await this.#recorded(asked, async () => {
      const head = await open();
      return Object.assign(head, { status: head.statusCode ?? 0 });
    });
    if (answer.status === 200) return answer;
    throw refusalToError(await this.#connections.read(answer), asked);
  }

  async #recorded<A extends { readonly status: number }>(asked: Asked, run: () => Promise<A>): Promise<A> {
    const startedMs = this.#clock.monotonicMs();
    const record = (status: number | undefined) =>
      this.#onCall({
        verb: asked.verb,
        kind: asked.kind,
        status,
        tookMs: this.#clock.monotonicMs() - startedMs,
      });
    try {
      const answer = await run();
      record(answer.status);
      return answer;
    } catch (error) {
      record(undefined);
      throw toKubeError(error, asked);
    }
  }
}

interface RawList<T> {
  readonly items?: readonly T[] | null;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
}

interface RawEvent<T> {
  readonly type: string;
  readonly object: T;
}

function toEvent<T extends KubeObject>(event: RawEvent<T>, asked: Asked): WatchEvent<T> | undefined {
  switch (event.type) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED":
      return { type: event.type, object: event.object };
    case "BOOKMARK":
      return { type: "BOOKMARK", resourceVersion: event.object.metadata.resourceVersion ?? "" };
    case "ERROR":
      throw statusToError(event.object, asked);
    default:
      // A later API version may add types; none that exists today may be missed without harm.
      return undefined;
  }
}

/** Items of a list come without the type that the list has for all of them. */
function withType<T extends KubeObject>(kind: Kind<T>, item: T): T {
  return { ...item, apiVersion: kind.apiVersion, kind: kind.kind };
}

function askedFor(verb: string, kind: Kind<KubeObject>, ref: ObjectRef): Asked {
  return { verb, kind: kind.kind, name: keyOf(ref) };
}

function isSuccess(answer: HttpAnswer): boolean {
  return answer.status >= 200 && answer.status < 300;
}

function parsed(answer: HttpAnswer, asked: Asked): unknown {
  if (!isSuccess(answer)) throw refusalToError(answer, asked);
  try {
    return JSON.parse(answer.body);
  } catch {
    // The parser's own message quotes the body, which may be a Secret.
    throw new KubeError("Unavailable", `${prefix(asked)}the answer is not JSON`, { status: answer.status });
  }
}

function definedOf(preconditions: Preconditions): Preconditions {
  const { uid, resourceVersion } = preconditions;
  return resourceVersion === undefined ? { uid } : { uid, resourceVersion };
}
