import { defaultTiming, type RaftTiming } from "../../src/evnode/raft-timing.ts";
import { kinds } from "../../src/model/kinds.ts";
import type { KubeObject } from "../../src/model/kube-object.ts";
import { renderYardstick } from "../local-cluster/yardstick.ts";
import { newChainKeys } from "./chain-keys.ts";
import { remove } from "./operated-cluster.ts";
import { type Members, podsOf } from "./pods.ts";
import { pollUntil, type Session } from "./session.ts";

/** The hand-written StatefulSet that figures are compared with. */
export interface YardstickCluster extends Members {
  readonly name: string;
  /** Rendered, to be created in this order. */
  readonly objects: readonly KubeObject[];
}

const REMOVE_TIMEOUT_MS = 120_000;

export async function newYardstick(
  namespace: string,
  name: string,
  count: number,
  blockTime: string,
  timing: RaftTiming = defaultTiming,
): Promise<YardstickCluster> {
  const keys = await newChainKeys(count, `${namespace}-${name}`);
  const objects = renderYardstick({ namespace, name, replicas: count, blockTime, timing }, keys);
  return { namespace, name, count, selector: `app=${name}`, objects: objects as readonly KubeObject[] };
}

export async function createYardstick({ api }: Session, { objects }: YardstickCluster): Promise<void> {
  for (const object of objects) {
    const kind = [kinds.secret, kinds.service, kinds.statefulSet].find(({ kind }) => kind === object.kind);
    if (!kind) throw new Error(`the yardstick has a ${object.kind}, which nothing here creates`);
    await api.create<KubeObject>(kind, object);
  }
}

export async function removeYardstick(session: Session, yardstick: YardstickCluster): Promise<void> {
  const { namespace, name, count } = yardstick;
  for (const kind of [kinds.statefulSet, kinds.service, kinds.secret]) {
    await remove<KubeObject>(session, kind, { namespace, name });
  }
  const gone = async () => ((await podsOf(session, yardstick)).length === 0 ? "gone" : undefined);
  if (!(await pollUntil(gone, { everyMs: 250, timeoutMs: REMOVE_TIMEOUT_MS }, session))) {
    throw new Error(`pods of ${name} are left ${REMOVE_TIMEOUT_MS / 1_000} s after their deletion`);
  }
  for (let ordinal = 0; ordinal < count; ordinal += 1) {
    await remove(session, kinds.claim, { namespace, name: `data-${name}-${ordinal}` });
  }
}
