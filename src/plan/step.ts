import type { Blocker } from "../api/conditions.ts";
import type { Action, Stages } from "./actions.ts";
import type { Snapshot } from "./snapshot.ts";

/** What a decider wants. `stop` ends the list of deciders; labels and status are always brought up to date. */
export interface Step {
  readonly stages?: Stages;
  readonly blockers?: readonly Blocker[];
  readonly stop?: boolean;
  readonly recheckAfterMs?: number;
}

export type Decider = (snapshot: Snapshot) => Step;

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
}

export const actionsOf = (plan: Plan): readonly Action[] =>
  plan.decided.flatMap(({ stages }) => stages.flat());
