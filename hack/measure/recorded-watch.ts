import type { Kind } from "../../src/model/kinds.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import type { Session } from "./session.ts";
import { wallMs } from "./wall-time.ts";

/** A change as it arrived here. The API server sends it within milliseconds of the write. */
export interface Recorded<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: T;
  readonly atMs: number;
}

export interface RecordedWatch<T> {
  /** In the order of their arrival; of one kind that is the order of the writes. */
  readonly changes: readonly Recorded<T>[];
  stop(): Promise<void>;
}

const WATCH_SECONDS = 3_600;

/** Records every change from now on, beginning with all objects that there are. */
export async function recordChanges<T extends KubeObject>(
  { api }: Pick<Session, "api">,
  kind: Kind<T>,
  { namespace, labelSelector }: { readonly namespace: string; readonly labelSelector?: string },
): Promise<RecordedWatch<T>> {
  const where = { namespace, ...(labelSelector === undefined ? {} : { labelSelector }) };
  const stopping = new AbortController();
  const { items, resourceVersion } = await api.list(kind, where);
  const startMs = wallMs();
  const changes: Recorded<T>[] = items.map((object) => ({ type: "ADDED", object, atMs: startMs }));
  const follow = async () => {
    const options = { ...where, resourceVersion, timeoutSeconds: WATCH_SECONDS, signal: stopping.signal };
    for await (const event of api.watch(kind, options)) {
      if (event.type !== "BOOKMARK") changes.push({ ...event, atMs: wallMs() });
    }
    if (!stopping.signal.aborted)
      throw new Error(`the watch of ${kind.plural} in ${namespace} ended by itself`);
  };
  const following = follow();
  // Awaited in stop, which tells of a watch that broke.
  following.catch(() => {});
  return {
    changes,
    async stop() {
      stopping.abort();
      await following;
    },
  };
}
