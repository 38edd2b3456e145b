import type { Status } from "../api/evnodecluster.ts";
import { annotations } from "../model/annotations.ts";
import { type DrillRecord, LONGEST_REQUEST, readDrillRecord } from "../model/drill-record.ts";
import type { Snapshot } from "./snapshot.ts";

/** What the owner wrote to ask for a failover drill, as much of it as is kept. */
export const drillAsked = ({ cluster }: Snapshot): string | undefined =>
  cluster.metadata.annotations?.[annotations.drill]?.slice(0, LONGEST_REQUEST);

/** The last drill, or the one that is under way. */
export const drillRecordOn = ({ cluster }: Snapshot): DrillRecord | undefined =>
  readDrillRecord(cluster.metadata.annotations?.[annotations.lastDrill]);

export const isDrilling = (snapshot: Snapshot) => drillRecordOn(snapshot)?.kind === "underWay";

const results = {
  underWay: "UnderWay",
  succeeded: "Succeeded",
  refused: "Refused",
  failed: "Failed",
} as const;

/** As the status tells it. It stays when somebody takes the record away. */
export function drillStatus(snapshot: Snapshot): Pick<Status, "lastDrill"> {
  const record = drillRecordOn(snapshot);
  const before = snapshot.cluster.status?.lastDrill;
  if (!record) return before ? { lastDrill: before } : {};
  const { kind, request, at } = record;
  const told = { request, at, result: results[kind] };
  if (record.kind === "refused") return { lastDrill: { ...told, message: record.message } };
  if (record.kind === "underWay") return { lastDrill: { ...told, from: record.from } };
  const { from, message } = record;
  if (record.kind === "failed") return { lastDrill: { ...told, from, message } };
  const { to, gapMs, blocksMissed } = record;
  return {
    lastDrill: {
      ...told,
      from,
      to,
      message,
      ...(gapMs === undefined ? {} : { gapMs }),
      ...(blocksMissed === undefined ? {} : { blocksMissed }),
    },
  };
}
