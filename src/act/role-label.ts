import { KubeError } from "../kube/errors.ts";
import { labels } from "../model/annotations.ts";
import { kinds } from "../model/kinds.ts";
import type { Action } from "../plan/actions.ts";
import type { Snapshot } from "../plan/snapshot.ts";
import type { ActDependencies } from "./act.ts";
import { ensureMayWrite } from "./may-write.ts";

type LabelPod = Extract<Action, { kind: "labelPod" }>;

/**
 * Labels a pod. A watch that has gone mute shows neither who has the leader's label nor that it is mute, so the server
 * is asked before another pod gets it: transactions must never go to two members.
 */
export async function labelPod(deps: ActDependencies, snapshot: Snapshot, action: LabelPod): Promise<void> {
  if (action.labels[labels.role] === "leader") await ensureNobodyElse(deps, snapshot, action);
  const { namespace = "" } = snapshot.cluster.metadata;
  const patch = { metadata: { labels: action.labels } };
  const ref = { namespace, name: action.member.name };
  const written = await deps.api.patch(kinds.pod, ref, patch, { uid: action.pod.uid });
  deps.world.wrote(kinds.pod, written);
}

/** What the watches did not show of the others is known from now on, and their label goes first. */
async function ensureNobodyElse(
  { api, world, mayWrite }: ActDependencies,
  { cluster }: Snapshot,
  { member }: LabelPod,
): Promise<void> {
  const { namespace = "", name } = cluster.metadata;
  const labelSelector = `${labels.cluster}=${name},${labels.role}=leader`;
  const { items } = await api.list(kinds.pod, { namespace, labelSelector });
  const others = items.filter(({ metadata }) => metadata.name !== member.name);
  for (const pod of others) world.wrote(kinds.pod, pod);
  const [other] = others;
  if (other) throw new KubeError("Conflict", `pod ${other.metadata.name} still has the leader's label`);
  ensureMayWrite(mayWrite);
}
