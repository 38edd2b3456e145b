import type { Blocker, Finding } from "../api/conditions.ts";
import type { Action, Stages } from "./actions.ts";
import type { RolloutView } from "./rollout-view.ts";
import type { Snapshot } from "./snapshot.ts";

/** What a decider wants. `stop` ends the list of deciders; labels and status are always brought up to date. */
export interface Step {
  readonly stages?: Stages;
  readonly blockers?: readonly Blocker[];
  readonly stop?: boolean;
  readonly recheckAfterMs?: number;
  readonly rollout?: RolloutView;
  /** What is told of a member that is being rebuilt. */
  readonly rebuilding?: string;
  /** What is due next takes a snapshot that is certain, such as to take a member away. */
  readonly needsCertainty?: boolean;
  /** What is told of a change of the number of members. */
  readonly membership?: MembershipView;
}

export interface MembershipView {
  readonly reason: Finding<"MembershipComplete">["reason"];
  readonly message: string;
}

/** `blockers` are those that the deciders before found. */
export type Decider = (snapshot: Snapshot, blockers?: readonly Blocker[]) => Step;

export const NOTHING: Step = {};

/** One decider's wish, with its name for logs and events. */
export interface Decided {
  readonly by: string;
  readonly stages: Stages;
}

export interface Plan {
  readonly decided: readonly Decided[];
  readonly blockers: readonly Blocker[];
  readonly recheckAfterMs: number | undefined;
  /** Absent while nothing is decided about rollouts: before the first start, or when a decider before stopped. */
  readonly rollout?: RolloutView;
  readonly rebuilding?: string;
  readonly membership?: MembershipView;
  readonly needsCertainty?: boolean;
}

export const actionsOf = (plan: Plan): readonly Action[] =>
  plan.decided.flatMap(({ stages }) => stages.flat());
