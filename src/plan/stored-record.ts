import { annotations } from "../model/annotations.ts";
import type { StatefulSet } from "../model/objects.ts";
import { type RolloutRecord, readRolloutRecord } from "../model/rollout-record.ts";
import { parseIntent, type StoredIntent } from "./stored-intent.ts";

/** The record of a rollout on the StatefulSet; undefined where there is none that can be read. */
export function recordOn(statefulSet: StatefulSet | undefined): RolloutRecord | undefined {
  if (!statefulSet) return undefined;
  if (!records.has(statefulSet))
    records.set(statefulSet, readRolloutRecord(statefulSet.metadata.annotations?.[annotations.rollout]));
  return records.get(statefulSet);
}

/** What was found on a StatefulSet that has not changed since: observer, deciders and status all ask for it. */
const records = new WeakMap<StatefulSet, RolloutRecord | undefined>();

/** The intent that all members ran before the rollout; undefined when that is not known, or cannot be read. */
export function provenIn(
  record: RolloutRecord | undefined,
): Extract<StoredIntent, { kind: "readable" }>["intent"] | undefined {
  if (record?.kind !== "rolling") return undefined;
  const stored = proven.get(record) ?? parseIntent(record.proven);
  proven.set(record, stored);
  return stored.kind === "readable" ? stored.intent : undefined;
}

const proven = new WeakMap<RolloutRecord, StoredIntent>();
