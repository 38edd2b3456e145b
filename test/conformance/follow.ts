import type { WatchEvent } from "../../src/kube/api.ts";
import { type Kind, kinds } from "../../src/model/kinds.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { type Environment, settled, until } from "./environment.ts";

type Change = Exclude<WatchEvent<KubeObject>, { type: "BOOKMARK" }>;

interface Followed {
  readonly resourceVersion: string;
  readonly labelSelector: string;
  readonly kind?: Kind<KubeObject>;
  readonly timeoutSeconds?: number;
}

/** A watch that is read as it goes; bookmarks are kept apart, because a server may send any number of them. */
export function follow(env: Environment, followed: Followed) {
  const { kind = kinds.configMap, timeoutSeconds = 60, ...scope } = followed;
  const stop = new AbortController();
  const changes: Change[] = [];
  const bookmarks: string[] = [];
  const options = { ...scope, namespace: env.namespace, timeoutSeconds, signal: stop.signal };
  const read = async (): Promise<void> => {
    for await (const event of env.api.watch<KubeObject>(kind, options)) {
      if (event.type === "BOOKMARK") bookmarks.push(event.resourceVersion);
      else changes.push(event);
    }
  };
  return { stop, changes, bookmarks, ended: read() };
}

/** The changes that an act brings, once they are all there; the watch is over then. */
export async function changesOf(
  env: Environment,
  followed: Followed,
  isAll: (changes: readonly Change[]) => boolean,
  act: () => Promise<unknown>,
): Promise<readonly Change[]> {
  const watch = follow(env, followed);
  await act();
  await until(env, "all events", () => isAll(watch.changes));
  watch.stop.abort();
  await settled(env, "the end of the watch", watch.ended);
  return watch.changes;
}

export function atLeast(count: number): (changes: readonly Change[]) => boolean {
  return (changes) => changes.length >= count;
}

/** For example `MODIFIED a`, with the value of `data.a` if there is one. */
export function described({ type, object }: Change): string {
  const { data } = object as KubeObject & { readonly data?: { readonly a?: string } };
  return `${type} ${object.metadata.name}${data?.a === undefined ? "" : ` ${data.a}`}`;
}

export async function versionNow({ api, namespace }: Environment): Promise<string> {
  return (await api.list(kinds.configMap, { namespace })).resourceVersion;
}
