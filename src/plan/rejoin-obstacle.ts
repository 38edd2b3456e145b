import { majorityOf } from "../model/majority.ts";
import { answerOf, type Member } from "../model/member.ts";
import { blocksBehind, leadership, type Participation, participation } from "./quorum.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * What speaks against letting a member without its volume join now. It comes back as a voter without memory of its
 * votes, so all that lost nothing must take part, be a majority, and have one leader: then no vote that it forgot can
 * matter, and the blocks come from the others.
 */
export function rejoinObstacle(others: readonly Member[], snapshot: Snapshot): string | undefined {
  const { members, parsed } = snapshot;
  if (others.length < majorityOf(members.length)) return "the other members are no majority";
  const maxBlocksBehind = parsed.kind === "valid" ? parsed.spec.readiness.maxBlocksBehind : 0;
  for (const other of others) {
    const seen = participation(other, members.length, maxBlocksBehind);
    if (seen !== "yes") return lackOf(other, seen, maxBlocksBehind);
  }
  return leadership(members).kind === "one" ? undefined : "not exactly one member leads";
}

function lackOf(member: Member, seen: Participation, maxBlocksBehind: number): string {
  const { name } = member;
  if (seen === "unknown") return `${name} does not tell whether it takes part`;
  if (answerOf(member)?.node.kind !== "open") return `ev-node of ${name} takes no part`;
  return (blocksBehind(member) ?? 0) > maxBlocksBehind
    ? `${name} is more than ${maxBlocksBehind} blocks behind`
    : `${name} reaches no majority on the Raft port`;
}
