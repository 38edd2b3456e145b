import { createHash } from "node:crypto";
import type { Blocker, Finding } from "../api/conditions.ts";
import { annotations } from "../model/annotations.ts";
import type { Action, Stages } from "./actions.ts";
import { configSecretIn } from "./config-entries.ts";
import type { Wish } from "./intent.ts";
import { needsRehearsal, rehearsalOf } from "./rehearsal.ts";
import type { Scene } from "./rollout-scene.ts";
import { applyWish } from "./turn-rollout.ts";

/** What becomes of a change that has not been applied to the StatefulSet. */
export type WishState =
  | { readonly kind: "none" }
  | { readonly kind: "apply"; readonly wish: Wish; readonly stages: Stages }
  /** Not begun, and no member is touched meanwhile. */
  | {
      readonly kind: "held";
      readonly wish: Wish;
      readonly reason: Finding<"RolloutComplete">["reason"];
      readonly why: string;
      readonly actions: readonly Action[];
    }
  /** A member did not come up with it: it is not tried again, and members go on to what runs now. */
  | { readonly kind: "refused"; readonly wish: Wish; readonly why: string };

type Held = Extract<WishState, { kind: "held" }>;

/**
 * | the change | then |
 * | --- | --- |
 * | none | nothing |
 * | was taken back before | refused, until the spec asks for something else |
 * | something is wrong with the spec, or the chain has forked | held |
 * | mode Paused | held |
 * | mode Plan, and its hash is not approved | held |
 * | another image that was not tried on every node | held, and tried |
 * | anything else | applied |
 */
export function wishState(scene: Scene): WishState {
  const { intents, record, blockers, policy, snapshot } = scene;
  const { wish } = intents;
  if (!wish) return { kind: "none" };
  if (record?.kind === "reverted" && record.wish === wish.digest && !record.isWithdrawn)
    return { kind: "refused", wish, why: record.why };
  const hold = (reason: Held["reason"], why: string, actions: readonly Action[] = []): Held => {
    return { kind: "held", wish, reason, why, actions };
  };
  const [blocker] = blockers;
  if (blocker || !policy)
    return hold("RolloutWaiting", "nothing is changed while something is wrong with the spec or the chain");
  if (!configSecretIn(snapshot))
    return hold("RolloutWaiting", "the members' configurations are put back first");
  if (policy.mode === "Paused") return hold("RolloutPaused", "spec.rollout.mode is Paused");
  const approval = snapshot.cluster.metadata.annotations?.[annotations.approveRollout];
  if (policy.mode === "Plan" && approval !== planHash(scene, wish))
    return hold("PlanAwaitsApproval", approveMessage(scene, wish));
  const rehearsal =
    policy.rehearsal && needsRehearsal(intents, wish)
      ? rehearsalOf(snapshot, scene.identity, wish, policy.progressDeadlineMs)
      : ({ kind: "passed" } as const);
  if (rehearsal.kind === "underWay") return hold("Rehearsing", rehearsal.why, rehearsal.actions);
  if (rehearsal.kind === "failed") return hold("RehearsalFailed", rehearsal.why, rehearsal.actions);
  const used: Action[] =
    approval === undefined
      ? []
      : [{ kind: "endRequest", annotation: "approveRollout", why: "the plan is carried out" }];
  return {
    kind: "apply",
    wish,
    stages: [...applyWish(scene, wish), used].filter((stage) => stage.length > 0),
  };
}

/** Of what is wanted and of what runs: a plan that was made for something else is another plan. */
export function planHash({ intents }: Scene, { digest }: Wish): string {
  const text = JSON.stringify([digest, intents.applied]);
  return createHash("sha256").update(text).digest("hex").slice(0, 10);
}

function approveMessage(scene: Scene, wish: Wish): string {
  const { name, namespace = "default" } = scene.snapshot.cluster.metadata;
  const { approveRollout } = annotations;
  return `the plan in status.rollout waits for its approval: kubectl annotate --overwrite -n ${namespace} evnodeclusters/${name} ${approveRollout}=${planHash(scene, wish)}`;
}

/** What a person has to do something about. */
export function wishBlockers(state: WishState): readonly Blocker[] {
  if (state.kind === "refused") {
    const message = `The change of ${state.wish.changes.join(", ")} was taken back: ${state.why}. Edit the spec: set it back, or to something else.`;
    return [{ type: "RolloutComplete", reason: "RolloutReverted", message }];
  }
  if (state.kind !== "held" || state.reason !== "RehearsalFailed") return [];
  const message = `No member was touched: ${state.why}. Correct the spec, or what it refers to.`;
  return [{ type: "RolloutComplete", reason: "RehearsalFailed", message }];
}
