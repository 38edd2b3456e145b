import type { Kind } from "../../src/model/kinds.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import type { Session } from "./session.ts";

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
