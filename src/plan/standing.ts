import { answerOf, type Member } from "../model/member.ts";
import { blocksBehind, heightOf } from "./quorum.ts";

/** Whether a member takes part, as far as a restart of another one depends on it. Unknown is a value of its own. */
export type Standing =
  | { readonly kind: "takesPart" }
  | { readonly kind: "away"; readonly why: string }
  | { readonly kind: "unknown"; readonly why: string };

export interface StandingView {
  readonly leader: Member;
  readonly maxBlocksBehind: number;
  readonly raftPort: number;
}

/** How long ago the Raft ports may have been reached last. */
const REACH_MS = 5_000;

/**
 * Height alone proves P2P, not Raft: a follower whose Raft port is cut follows the chain all the same and looks well in
 * every answer of its own. So the leader and the member must reach each other on the Raft port too.
 *
 * | seen | then |
 * | --- | --- |
 * | no pod, or one that stops | away |
 * | no answer of its agent | unknown |
 * | it levels; ev-node does not run, or knows no leader | away |
 * | no role or no height in its answer | unknown |
 * | further behind than `maxBlocksBehind` | away |
 * | its execution client does not run, or is further than that behind ev-node's own blocks | away |
 * | no height of the execution layer in its answer | unknown |
 * | it or the leader does not reach the other on the Raft port | away, or unknown when that was not tried lately |
 * | its Raft log does not grow as the leader's does | away |
 * | anything else | takes part |
 */
export function standingOf(member: Member, view: StandingView): Standing {
  const { pod, name } = member;
  if (!pod) return away(`${name} has no pod`);
  if (pod.terminating) return away(`the pod of ${name} stops`);
  const answer = answerOf(member);
  if (answer?.podUid !== pod.uid) return unknown(`the agent of ${name} does not answer`);
  if (answer.mode?.kind === "level") return away(`${name} levels its blocks`);
  if (answer.node.kind === "closed") return away(closedMessage(name, answer.node));
  if (answer.node.isLeader === undefined) return unknown(`${name} does not say whether it leads`);
  const behind = behindAll(member, view.leader);
  if (behind === undefined) return unknown(`${name} does not tell its height`);
  if (behind > view.maxBlocksBehind)
    return away(`${name} is more than ${view.maxBlocksBehind} blocks behind`);
  const { leader } = view;
  const layer = executionOf(member, view.maxBlocksBehind);
  if (layer.kind !== "takesPart" || member === leader) return layer;
  const path = pathOf(member, leader, view);
  return path.kind === "takesPart" ? logOf(member, leader) : path;
}

/** A member that leads with its execution layer behind makes no block before it has executed what is missing. */
function executionOf(member: Member, maxBlocksBehind: number): Standing {
  const { name } = member;
  if (answerOf(member)?.execution?.isEngineOpen === false)
    return away(`the execution client of ${name} does not run`);
  const behind = executionBehind(member);
  if (behind === undefined) return unknown(`${name} does not tell how far its execution layer is`);
  return behind > maxBlocksBehind
    ? away(`the execution layer of ${name} is more than ${maxBlocksBehind} blocks behind`)
    : { kind: "takesPart" };
}

/** How far the execution layer is behind the member's own blocks; 0 where there is none, undefined if it is unknown. */
export function executionBehind(member: Member): number | undefined {
  const execution = answerOf(member)?.execution;
  return execution === undefined ? 0 : execution.blocksBehind;
}

/**
 * How far the member is behind the best of its peers, by its own answer, and behind the leader, by the leader's: who
 * hears of nobody's height takes himself for level. Undefined as long as it does not tell its own.
 */
export function behindAll(member: Member, leader: Member): number | undefined {
  const [own, height] = [blocksBehind(member), heightOf(member)];
  if (own === undefined || height === undefined) return undefined;
  return Math.max(own, (heightOf(leader) ?? height) - height);
}

type Closed = { readonly metricsPortOpen: boolean; readonly raftPortOpen: boolean };

function closedMessage(name: string, { metricsPortOpen, raftPortOpen }: Closed): string {
  return metricsPortOpen || raftPortOpen
    ? `ev-node of ${name} runs, but knows no leader yet`
    : `ev-node of ${name} does not run`;
}

function pathOf(member: Member, leader: Member, { raftPort }: StandingView): Standing {
  for (const [from, to] of [
    [member, leader],
    [leader, member],
  ] as const) {
    const reach = answerOf(from)?.peers.find(({ name }) => name === to.name)?.raft;
    const way = `${from.name} to ${to.name} on Raft port ${raftPort}`;
    if (reach === undefined || reach.kind === "unknown")
      return unknown(`the path from ${way} was not tried yet`);
    if (reach.kind !== "reached") return away(`there is no path from ${way}: ${reasons[reach.kind]}`);
    if (reach.ageMs > REACH_MS) return unknown(`the path from ${way} was not tried lately`);
  }
  return { kind: "takesPart" };
}

/** How much longer ago than the leader's the member's Raft log may have been written to. */
const LOG_MS = 2_000;
const ENOUGH_WRITES = 2;
/** A leader that wrote nothing for so long holds nothing back from anybody. */
const STILL_MS = 12_000;

/**
 * After an absence the leader sends heartbeats at once, and entries only up to ten seconds later: until then the member
 * is no help to a majority. Where the leader's own log does not grow, or agents do not tell, there is nothing to see it
 * by. On a chain that makes a block now and then, the two last writes are long ago for both.
 *
 * | the leader's log | the member's log | then |
 * | --- | --- | --- |
 * | not written to twice, or not told | any | takes part |
 * | grows | written to twice, and not longer ago | takes part |
 * | is still | written to, and not longer ago | takes part |
 * | is still | looked at for as long as entries may be held back, and not written to since | takes part |
 * | any | anything else | away |
 */
function logOf(member: Member, leader: Member): Standing {
  const [own, leaders] = [answerOf(member)?.raftLog, answerOf(leader)?.raftLog];
  if (!own || !leaders || leaders.writes < ENOUGH_WRITES) return { kind: "takesPart" };
  const isStill = leaders.agoMs >= STILL_MS;
  const isProven = isStill ? own.writes > 0 || own.agoMs >= STILL_MS : own.writes >= ENOUGH_WRITES;
  if (isProven && own.agoMs <= leaders.agoMs + LOG_MS) return { kind: "takesPart" };
  return away(`the Raft log of ${member.name} is not written to`);
}

const reasons = {
  refused: "the connection is refused",
  timedOut: "no answer, as behind a firewall",
  unresolved: "the host name has no address",
};

const away = (why: string): Standing => ({ kind: "away", why });
const unknown = (why: string): Standing => ({ kind: "unknown", why });
