import { answerOf, type Member } from "../model/member.ts";

/** How many of `voters` must agree. */
export const majorityOf = (voters: number): number => Math.floor(voters / 2) + 1;

/** Whether a member takes part in raft and keeps up. Unknown is a value of its own: no answer says nothing. */
export type Participation = "yes" | "no" | "unknown";

/**
 * A member takes part when its ev-node answers, its height is at most `maxBlocksBehind` below the best, and the
 * raft ports of a majority, itself included, are within its reach. Height alone proves P2P, not raft.
 */
export function participation(member: Member, members: readonly Member[], maxBlocksBehind: number): Participation {
  if (!member.pod) return "no";
  const answer = answerOf(member);
  if (!answer) return "unknown";
  if (answer.node.kind === "closed") return "no";
  const { height } = answer.node;
  if (height === undefined) return "unknown";
  if (bestHeight(members) - height > maxBlocksBehind) return "no";
  const reached = 1 + answer.peers.filter(({ raft }) => raft.kind === "reached").length;
  return reached >= majorityOf(members.length) ? "yes" : "no";
}

export function bestHeight(members: readonly Member[]): number {
  return Math.max(0, ...members.map((member) => heightOf(member) ?? 0));
}

export function heightOf(member: Member): number | undefined {
  const answer = answerOf(member);
  return answer?.node.kind === "open" ? answer.node.height : undefined;
}

export type Leadership =
  | { readonly kind: "one"; readonly leader: Member }
  | { readonly kind: "none" }
  | { readonly kind: "several"; readonly leaders: readonly Member[] };

/** Who leads is a merge of all answers: exactly one yes is an answer, none or two are not. */
export function leadership(members: readonly Member[]): Leadership {
  const leaders = members.filter((member) => {
    const answer = answerOf(member);
    return member.pod && !member.pod.terminating && answer?.node.kind === "open" && answer.node.isLeader === true;
  });
  const [leader] = leaders;
  if (!leader) return { kind: "none" };
  return leaders.length === 1 ? { kind: "one", leader } : { kind: "several", leaders };
}
