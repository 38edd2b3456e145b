import type { Status } from "../api/evnodecluster.ts";
import { annotations } from "../model/annotations.ts";
import type { StatefulSet } from "../model/objects.ts";
import { remembered } from "../model/remembered.ts";
import { readSuspensionRecord, type SuspensionRecord } from "../model/suspension-record.ts";
import type { Snapshot } from "./snapshot.ts";

/** The record on the StatefulSet; undefined where there is none that can be read. */
export const suspensionOn = (statefulSet: StatefulSet | undefined): SuspensionRecord | undefined =>
  statefulSet && readRecord(statefulSet);

/** Deciders and status all ask for it. */
const readRecord = remembered(({ metadata }: StatefulSet) =>
  readSuspensionRecord(metadata.annotations?.[annotations.suspension]),
);

export const isSuspended = ({ statefulSet }: Snapshot): boolean =>
  suspensionOn(statefulSet)?.kind === "suspended";

/** The highest block that a member held when they were told to stop. */
export function heightBefore({ heads }: SuspensionRecord): number | undefined {
  return heads.length === 0 ? undefined : Math.max(...heads.map(({ height }) => height));
}

/** As the status tells it, until the next one. */
export function suspensionStatus({ statefulSet }: Snapshot): Pick<Status, "suspension"> {
  const record = suspensionOn(statefulSet);
  if (!record) return {};
  const { suspendedAt, heads } = record;
  const height = heightBefore(record);
  return {
    suspension: {
      suspendedAt,
      ...(record.kind === "resumed" ? { resumedAt: record.resumedAt } : {}),
      ...(height === undefined ? {} : { height }),
      heads: [...heads],
    },
  };
}

/** In words, for conditions: nothing in it moves. */
export function suspendedMessage({ members }: Snapshot): string {
  const left = members.filter(({ pod }) => pod).map(({ name }) => name);
  if (left.length > 0) return `The cluster is suspended: ${left.join(", ")} stop.`;
  return "The cluster is suspended: no member runs. Set spec.suspend to false to go on with the chain.";
}
