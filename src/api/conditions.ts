import { type ConditionStatus, conditionTable, type ReasonEntry } from "./condition-table.ts";

export type { ConditionStatus } from "./condition-table.ts";

type Table = typeof conditionTable;

export type ConditionType = keyof Table;
type ReasonOf<T extends ConditionType> = keyof Table[T]["reasons"] & string;

/** What is known about one condition: a type, one of its reasons, and the details in a sentence. */
export type Finding<T extends ConditionType = ConditionType> = {
  [K in T]: { readonly type: K; readonly reason: ReasonOf<K>; readonly message: string };
}[T];

type FailingReason<T extends ConditionType> = {
  [R in ReasonOf<T>]: Table[T]["reasons"][R] extends readonly ["False", string] ? R : never;
}[ReasonOf<T>];

type BlockerOf<T extends ConditionType> = {
  [K in T]: {
    readonly type: K;
    readonly reason: FailingReason<K> & ReasonOf<"Stalled">;
    readonly message: string;
  };
}[T];

/** What keeps the operator from going on: a condition that fails, for a reason that Stalled has as well. */
export type Blocker = BlockerOf<
  "ConfigValid" | "ChainSafe" | "VolumesReady" | "RolloutComplete" | "MembershipComplete" | "Connected"
>;

interface ReasonMeaning {
  readonly reason: string;
  readonly status: ConditionStatus;
  readonly meaning: string;
}

export interface ConditionMeaning {
  readonly type: ConditionType;
  readonly meaning: string;
  readonly reasons: readonly ReasonMeaning[];
}

/** The table for people, in the order in which conditions are shown. */
export const conditionMeanings: readonly ConditionMeaning[] = Object.entries(conditionTable).map(
  ([type, { meaning, reasons }]) => ({
    type: type as ConditionType,
    meaning,
    reasons: Object.entries<ReasonEntry>(reasons).map(([reason, [status, text]]) => ({
      reason,
      status,
      meaning: text,
    })),
  }),
);

export const conditionTypes: readonly ConditionType[] = conditionMeanings.map(({ type }) => type);

/** The status that a finding's reason stands for. */
export function statusOf({ type, reason }: Finding): ConditionStatus {
  const reasons: Readonly<Record<string, ReasonEntry>> = conditionTable[type].reasons;
  const entry = reasons[reason];
  if (entry === undefined) throw new Error(`Condition ${type} has no reason ${reason}.`);
  return entry[0];
}
