import type { Member } from "../model/member.ts";
import { executionClaimName } from "../model/names.ts";
import type { Snapshot } from "./snapshot.ts";

/** Claims of the execution clients that are there, by ordinal of those members that pass. */
export function executionClaimNames(
  { cluster, members }: Snapshot,
  passes: (claim: NonNullable<Member["executionClaim"]>) => boolean = () => true,
): readonly string[] {
  return members
    .filter(({ executionClaim }) => executionClaim !== undefined && passes(executionClaim))
    .map(({ ordinal }) => executionClaimName(cluster.metadata.name, ordinal));
}
