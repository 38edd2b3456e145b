import type { Order } from "../model/agent-protocol.ts";
import { annotations, labels } from "../model/annotations.ts";
import { kinds } from "../model/kinds.ts";
import type { Action } from "../plan/actions.ts";
import type { Snapshot } from "../plan/snapshot.ts";
import type { ActDependencies } from "./act.ts";

export type RolloutAction = Extract<
  Action,
  {
    kind:
      | "updatePod"
      | "finishUpdate"
      | "turnRollout"
      | "turnSuspension"
      | "turnMembership"
      | "moveMember"
      | "removePod"
      | "claimBudget"
      | "rehearse"
      | "endRehearsal";
  }
>;

/**
 * What a rollout, a suspension, or another membership writes. What takes a member away has the version that the
 * decision was based on as precondition: what changed meanwhile is looked at again.
 */
export async function performRollout(
  { api, world }: ActDependencies,
  { cluster, nowMs }: Snapshot,
  action: RolloutAction,
): Promise<void> {
  const { namespace = "" } = cluster.metadata;
  switch (action.kind) {
    case "updatePod":
      return world.wrote(kinds.pod, await api.replace(kinds.pod, action.object));
    case "finishUpdate": {
      const { pod, revision, member } = action;
      const patch = {
        metadata: { labels: { [labels.revision]: revision }, annotations: { [annotations.update]: null } },
      };
      const ref = { namespace, name: member.name };
      const { uid, resourceVersion } = pod;
      return world.wrote(kinds.pod, await api.patch(kinds.pod, ref, patch, { uid, resourceVersion }));
    }
    case "turnRollout":
    case "turnSuspension":
    case "turnMembership":
      return world.wrote(kinds.statefulSet, await api.replace(kinds.statefulSet, action.statefulSet));
    case "moveMember": {
      const { pod, member, order, configRevision, revision } = action;
      const notes = { ...orderNotes(order, nowMs), [annotations.configRevision]: configRevision };
      const patch = { metadata: { labels: { [labels.revision]: revision ?? null }, annotations: notes } };
      const ref = { namespace, name: member.name };
      return world.wrote(kinds.pod, await api.patch(kinds.pod, ref, patch, { uid: pod.uid }));
    }
    case "removePod": {
      const { uid, resourceVersion } = action.pod;
      const ref = { namespace, name: action.member.name };
      const preconditions = { uid, resourceVersion };
      if (action.by === "eviction") await api.evict(ref, { preconditions });
      else await api.delete(kinds.pod, ref, { preconditions, propagation: "Background" });
      return world.forget(kinds.pod, ref);
    }
    case "claimBudget":
      return world.wrote(
        kinds.disruptionBudget,
        await api.replaceStatus(kinds.disruptionBudget, action.budget),
      );
    case "rehearse":
      return world.wrote(kinds.pod, await api.create(kinds.pod, action.pod));
    case "endRehearsal": {
      const { name, uid = "" } = action.pod.metadata;
      const ref = { namespace, name };
      await api.delete(kinds.pod, ref, { preconditions: { uid }, propagation: "Background" });
      return world.forget(kinds.pod, ref);
    }
  }
}

/** An order as it stands on a pod. */
export const orderNotes = (order: Order, nowMs: number): Readonly<Record<string, string>> => ({
  [annotations.order]: JSON.stringify(order),
  [annotations.orderGivenAt]: new Date(nowMs).toISOString(),
});
