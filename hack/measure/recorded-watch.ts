import type { Kind } from "../../src/model/kinds.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { type ChangeType, followObjects, type Scope } from "./follow-objects.ts";
import type { Session } from "./session.ts";
import { wallMs } from "./wall-time.ts";

/** A change as it arrived here. The API server sends it within milliseconds of the write. */
export interface Recorded<T> {
  readonly type: ChangeType;
  readonly object: T;
  readonly atMs: number;
}

export interface RecordedWatch<T> {
  /** In the order of their arrival; of one kind that is the order of the writes. */
  readonly changes: readonly Recorded<T>[];
  stop(): Promise<void>;
}

/** Records every change from now on, beginning with all objects that there are. */
export async function recordChanges<T extends KubeObject>(
  session: Pick<Session, "api">,
  kind: Kind<T>,
  scope: Scope,
): Promise<RecordedWatch<T>> {
  const changes: Recorded<T>[] = [];
  const following = await followObjects(session, kind, scope, (object, type) => {
    changes.push({ type, object, atMs: wallMs() });
  });
  return {
    changes,
    async stop() {
      await following.stop();
      const failure = following.failure();
      if (failure !== undefined) throw failure;
    },
  };
}
