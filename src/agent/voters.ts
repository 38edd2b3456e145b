import type { Voter } from "../model/agent-protocol.ts";

export { votersDigest } from "../model/fingerprints.ts";

/** Why this member cannot be bootstrapped with these voters; undefined when it can. */
export function problemOfVoters(
  voters: readonly Voter[],
  self: { readonly member: string; readonly raftAddress: string; readonly isSingle?: boolean },
): string | undefined {
  if (self.isSingle && voters.length !== 1)
    return `the order names ${voters.length} voters, but its config is that of a single sequencer`;
  const own = voters.filter(({ id }) => id === self.member);
  if (own.length !== 1)
    return `the order names ${self.member} ${own.length} times among its voters, expected once`;
  if (own[0]?.address !== self.raftAddress) {
    return `the order has ${self.member} at ${own[0]?.address}, but its config says ${self.raftAddress}`;
  }
  if (new Set(voters.map(({ id }) => id)).size !== voters.length) return "the order names a voter twice";
  if (new Set(voters.map(({ address }) => address)).size !== voters.length) {
    return "the order gives two voters the same address";
  }
  return undefined;
}
