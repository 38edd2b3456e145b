import type { Quorum } from "../api/evnodecluster.ts";
import { majorityOf } from "../model/majority.ts";
import { maxBlocksBehind } from "./findings.ts";
import { participation } from "./quorum.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * How many more members may be lost until no majority takes part; negative when none does. Members that do not answer
 * are not counted upon. Undefined while the quorum is unknown: silence is no loss.
 */
export function quorumMargin(snapshot: Snapshot, quorum: Quorum | undefined): number | undefined {
  if (quorum === undefined || quorum === "Unknown") return undefined;
  const { members } = snapshot;
  const behind = maxBlocksBehind(snapshot);
  const taking = members.filter((member) => participation(member, members.length, behind) === "yes");
  return taking.length - majorityOf(members.length);
}
