import type { Kind } from "../../src/model/kinds.ts";
import { type KubeObject, keyOf } from "../../src/model/kube-object.ts";
import { type Poll, pollUntil, type Session } from "./session.ts";

/** All namespaces when it names none. */
export interface Scope {
  readonly namespace?: string;
  readonly labelSelector?: string;
}

export type ChangeType = "ADDED" | "MODIFIED" | "DELETED";

export interface Following {
  /** Why nothing is seen any more, if so. */
  readonly failure: () => unknown;
  stop(): Promise<void>;
}

const WATCH_SECONDS = 7_200;

/** Shows every object that there is, as added, and then every change, one after the other. */
export async function followObjects<T extends KubeObject>(
  { api }: Pick<Session, "api">,
  kind: Kind<T>,
  scope: Scope,
  see: (object: T, type: ChangeType) => void | Promise<void>,
): Promise<Following> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const { items, resourceVersion } = await api.list(kind, scope);
  for (const item of items) await see(item, "ADDED");
  let failure: unknown;
  const follow = async () => {
    const options = { ...scope, resourceVersion, timeoutSeconds: WATCH_SECONDS, signal };
    for await (const event of api.watch(kind, options)) {
      if (event.type !== "BOOKMARK") await see(event.object, event.type);
    }
    throw new Error(`the watch of ${kind.plural} in ${scope.namespace ?? "all namespaces"} ended by itself`);
  };
  const following = follow().catch((error: unknown) => {
    if (!signal.aborted) failure = error;
  });
  return {
    failure: () => failure,
    async stop() {
      stopping.abort();
      await following;
    },
  };
}

export interface WantedObjects<T extends KubeObject> extends Poll {
  readonly kind: Kind<T>;
  readonly scope: Scope;
  readonly count: number;
  readonly holds: (object: T) => boolean;
  /** Throws when something failed that all depends on. */
  readonly check: () => Promise<void>;
}

/**
 * Answers when, by `performance.now`, it came to hold of that many objects, and of how many it does; undefined when the
 * time was over first. `meanwhile` is done once they are followed.
 */
export async function whenSoMany<T extends KubeObject>(
  session: Session,
  { kind, scope, count, holds, check, ...poll }: WantedObjects<T>,
  meanwhile: () => Promise<void> = async () => {},
): Promise<{ readonly atMs: number | undefined; readonly seen: number }> {
  const seen = new Set<string>();
  let doneMs: number | undefined;
  const following = await followObjects(session, kind, scope, (object, type) => {
    if (type !== "DELETED" && holds(object)) seen.add(keyOf(object.metadata));
    else seen.delete(keyOf(object.metadata));
    doneMs = seen.size === count ? (doneMs ?? performance.now()) : undefined;
  });
  const look = async () => {
    await check();
    const failure = following.failure();
    if (failure !== undefined) throw new Error(`${kind.plural} cannot be followed`, { cause: failure });
    return doneMs;
  };
  try {
    await meanwhile();
    return { atMs: await pollUntil(look, poll, session), seen: seen.size };
  } finally {
    await following.stop();
  }
}
