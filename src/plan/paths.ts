import type { AgentAnswer } from "../model/agent-protocol.ts";
import { answerOf, type Member } from "../model/member.ts";

type Peer = AgentAnswer["peers"][number];
type Reach = Peer["raft"];
export type Port = "raft" | "p2p";

/** The way from one member to a port of another, as the one that it begins at tells it. */
export interface Path {
  readonly from: string;
  readonly to: string;
  readonly port: Port;
  /** Undefined when nobody can say: the agent of one of the two is silent, or its pod stops. */
  readonly told: Reach | undefined;
}

/** Every way between two members, on both ports. */
export function pathsBetween(members: readonly Member[]): readonly Path[] {
  return pairsOf(members).flatMap(({ from, to, peer }) =>
    (["raft", "p2p"] as const).map((port) => ({ from: from.name, to: to.name, port, told: peer?.[port] })),
  );
}

export interface Pair {
  readonly from: Member;
  readonly to: Member;
  /** What the one says of the other. */
  readonly peer: Peer | undefined;
}

/**
 * Every pair, once for each direction. A peer that is away is out of reach as well, so what is said of it counts only
 * while its own agent answers the operator.
 */
export function pairsOf(members: readonly Member[]): readonly Pair[] {
  return members.flatMap((from) =>
    members
      .filter((to) => to !== from)
      .map((to) => {
        const isKnown = isThere(from) && isThere(to);
        const peer = isKnown ? answerOf(from)?.peers.find(({ name }) => name === to.name) : undefined;
        return { from, to, peer };
      }),
  );
}

function isThere(member: Member): boolean {
  const { pod } = member;
  return pod !== undefined && !pod.terminating && answerOf(member)?.podUid === pod.uid;
}

export type PathState = "open" | "blocked" | "refused" | "unresolved" | "unknown";

/**
 * | told | then |
 * | --- | --- |
 * | reached | open |
 * | refused, as long as nobody is known to listen there | open: the answer came over it |
 * | refused for long, although the peer's ev-node listens | refused |
 * | no answer for long | blocked |
 * | no address for long | unresolved |
 * | anything else, or nothing | unknown |
 */
export function stateOf({ told }: Path): PathState {
  if (told === undefined || told.kind === "unknown") return "unknown";
  if (told.kind === "reached") return "open";
  if (told.kind === "refused") return told.lasting === true ? "refused" : "open";
  if (told.lasting !== true) return "unknown";
  return told.kind === "timedOut" ? "blocked" : "unresolved";
}

/** Raft paths that are known not to be open at this moment, or that an agent is about to look at. */
export function closedRaftPaths(members: readonly Member[]): readonly Path[] {
  return pathsBetween(members).filter(
    ({ port, told }) =>
      port === "raft" && told !== undefined && told.kind !== "reached" && told.kind !== "refused",
  );
}
