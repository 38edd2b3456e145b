import { type Identity, isBootstrapped } from "../model/identity.ts";
import type { Member } from "../model/member.ts";
import { isAnyStarted, joiningOf, ownVolume } from "./own-volume.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * Whether a member's volume is taken for what it looks like: blocks that its owner copied there from the sequencer
 * whose chain goes on here. Never once a member may have started: from then on the blocks of that sequencer are not the
 * last ones any more.
 */
export function isAcceptedCopy(
  { parsed, members }: Pick<Snapshot, "parsed" | "members">,
  identity: Identity,
  member: Member,
): boolean {
  if (parsed.kind !== "valid" || parsed.migration?.copies !== "Accept") return false;
  if (isBootstrapped(identity) || isAnyStarted(members, identity)) return false;
  if (members.some(({ claim }) => claim?.started !== undefined)) return false;
  const volume = ownVolume(member, identity);
  return volume?.kind === "foreign" && volume.copy === true;
}

export interface UnprovenCopy {
  readonly member: Member;
  /** The last block that came with it; undefined while it is read. */
  readonly head: { readonly height: number; readonly hash: string } | undefined;
}

/** Members whose blocks came with a copy, of which nobody has said yet that the old sequencer has them, too. */
export function unprovenCopies(members: readonly Member[], identity: Identity): UnprovenCopy[] {
  return members.flatMap((member) => {
    const copy = joiningOf(member, identity)?.copy;
    return copy && !copy.proven ? [{ member, head: copy.head }] : [];
  });
}
