import { annotations } from "../model/annotations.ts";
import type { StatefulSet } from "../model/objects.ts";
import { remembered } from "../model/remembered.ts";
import { type RolloutRecord, readRolloutRecord } from "../model/rollout-record.ts";
import { parseIntent, type StoredIntent } from "./stored-intent.ts";

/** The record of a rollout on the StatefulSet; undefined where there is none that can be read. */
export function recordOn(statefulSet: StatefulSet | undefined): RolloutRecord | undefined {
  return statefulSet && readRecord(statefulSet);
}

/** Observer, deciders and status all ask for it. */
const readRecord = remembered(({ metadata }: StatefulSet) =>
  readRolloutRecord(metadata.annotations?.[annotations.rollout]),
);

/** The intent that all members ran before the rollout; undefined when that is not known, or cannot be read. */
export function provenIn(
  record: RolloutRecord | undefined,
): Extract<StoredIntent, { kind: "readable" }>["intent"] | undefined {
  if (record?.kind !== "rolling") return undefined;
  const stored = readProven(record);
  return stored.kind === "readable" ? stored.intent : undefined;
}

const readProven = remembered(({ proven }: Extract<RolloutRecord, { kind: "rolling" }>) =>
  parseIntent(proven),
);
