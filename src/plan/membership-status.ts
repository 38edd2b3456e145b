import type { Status } from "../api/evnodecluster.ts";
import type { MembershipRecord } from "../model/membership-record.ts";
import { membershipOn, nextEpoch } from "./membership-state.ts";
import type { Snapshot } from "./snapshot.ts";

const results = {
  changing: "UnderWay",
  takingBack: "TakingBack",
  changed: "Completed",
  takenBack: "TakenBack",
} as const;

/** The epoch that runs, the one that comes next, and the change that is under way or was the last one. */
export function membershipStatus({ identity, statefulSet }: Snapshot): Pick<Status, "membership"> {
  if (identity.kind !== "present") return {};
  const record = membershipOn(statefulSet);
  const { epoch } = identity.identity;
  return {
    membership: {
      epoch,
      nextEpoch: nextEpoch(identity.identity, record),
      ...(record ? { lastChange: changeStatus(record) } : {}),
    },
  };
}

function changeStatus(record: MembershipRecord): NonNullable<Status["membership"]>["lastChange"] {
  const { kind, from, to, startedAt, stoppedAt, level } = record;
  return {
    result: results[kind],
    from: from.replicas,
    to: to.replicas,
    epoch: to.epoch,
    startedAt,
    ...(stoppedAt === undefined ? {} : { stoppedAt }),
    ...(level ? { height: level.height, hash: level.hash } : {}),
    ...("finishedAt" in record ? { finishedAt: record.finishedAt } : {}),
    ...(record.kind === "changed" && record.gapMs !== undefined ? { gapMs: record.gapMs } : {}),
    ...("why" in record ? { message: record.why } : {}),
  };
}
