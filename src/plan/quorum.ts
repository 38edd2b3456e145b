import { majorityOf } from "../model/majority.ts";
import { answerOf, type Member } from "../model/member.ts";

/** A single sequencer: it runs without Raft, so there is no majority to keep and nobody to take over. */
export function soleOf(members: readonly Member[]): Member | undefined {
  return members.length === 1 ? members[0] : undefined;
}

/** Whether a member takes part in raft and keeps up. Unknown is a value of its own: no answer says nothing. */
export type Participation = "yes" | "no" | "unknown";

/**
 * A member takes part when its ev-node answers, it is at most `maxBlocksBehind` below the best of its peers, and
 * the raft ports of a majority, itself included, are within its reach. Height alone proves P2P, not raft.
 */
export function participation(member: Member, voters: number, maxBlocksBehind: number): Participation {
  if (!member.pod) return "no";
  const answer = answerOf(member);
  if (!answer) return "unknown";
  if (answer.node.kind === "closed") return "no";
  const behind = blocksBehind(member);
  if (behind === undefined) return "unknown";
  if (behind > maxBlocksBehind) return "no";
  const reached = 1 + answer.peers.filter(({ raft }) => raft.kind === "reached").length;
  return reached >= majorityOf(voters) ? "yes" : "no";
}

/**
 * How far the member is below the highest block that it saw among its peers. Taken from its own answer alone:
 * answers of several members are of different ages, and a chain moves on between them.
 */
export function blocksBehind(member: Member): number | undefined {
  const height = heightOf(member);
  if (height === undefined) return undefined;
  const peers =
    answerOf(member)?.peers.flatMap((peer) => (peer.height === undefined ? [] : [peer.height])) ?? [];
  return Math.max(height, ...peers) - height;
}

/** The highest block that any member reports. */
export function bestHeight(members: readonly Member[]): number | undefined {
  const heights = members.map(heightOf).filter((height) => height !== undefined);
  return heights.length === 0 ? undefined : Math.max(...heights);
}

export function heightOf(member: Member): number | undefined {
  const answer = answerOf(member);
  return answer?.node.kind === "open" ? answer.node.height : undefined;
}

/** Members whose ev-node runs outside Raft until its blocks are level with its Raft log. */
export function levelling(members: readonly Member[]): readonly Member[] {
  return members.filter((member) => answerOf(member)?.mode?.kind === "level");
}

export type Leadership =
  | { readonly kind: "one"; readonly leader: Member }
  | { readonly kind: "none" }
  | { readonly kind: "several"; readonly leaders: readonly Member[] };

/** Who leads is a merge of all answers: exactly one yes is an answer, none or two are not. */
export function leadership(members: readonly Member[]): Leadership {
  const leaders = members.filter((member) => {
    const answer = answerOf(member);
    return (
      member.pod && !member.pod.terminating && answer?.node.kind === "open" && answer.node.isLeader === true
    );
  });
  const [leader] = leaders;
  if (!leader) return { kind: "none" };
  return leaders.length === 1 ? { kind: "one", leader } : { kind: "several", leaders };
}
