import type { AgentAnswer } from "../model/agent-protocol.ts";
import type { Identity } from "../model/identity.ts";
import { answerOf, type Member } from "../model/member.ts";

type Volume = AgentAnswer["volume"];

/** What the agent of this very pod says for this cluster; undefined while it has not, or speaks for another identity. */
export function ownAnswer(member: Member, { clusterId }: Identity): AgentAnswer | undefined {
  const answer = answerOf(member);
  return answer && answer.podUid === member.pod?.uid && answer.clusterId === clusterId ? answer : undefined;
}

/** What it found on the volume. */
export const ownVolume = (member: Member, identity: Identity): Volume | undefined =>
  ownAnswer(member, identity)?.volume;

/** The same where it is intact. */
export function intactVolume(member: Member, identity: Identity) {
  const volume = ownVolume(member, identity);
  return volume?.kind === "intact" ? volume : undefined;
}

/** The same where it is of this epoch. */
export function volumeIn(member: Member, identity: Identity, epoch = identity.epoch) {
  const volume = intactVolume(member, identity);
  return volume?.epoch === epoch ? volume : undefined;
}

/** How far a member is that follows the chain and waits for this epoch. */
export function joiningOf(member: Member, identity: Identity, epoch = identity.epoch) {
  const change = volumeIn(member, identity, epoch)?.change;
  return change?.kind === "joining" ? change : undefined;
}

/** Whether a member was ever started in this epoch, by what stands on its volume. */
export const isAnyStarted = (members: readonly Member[], identity: Identity): boolean =>
  members.some((member) => volumeIn(member, identity)?.started);
