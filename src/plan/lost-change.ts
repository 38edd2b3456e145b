import { FIRST_EPOCH } from "../model/identity.ts";
import type { OpenChange } from "../model/membership-record.ts";
import type { MembershipScene } from "./membership-scene.ts";
import { intactVolume } from "./own-volume.ts";

const WHY = "the record of it was lost";

/**
 * A change that members are in the middle of, and of which the StatefulSet says nothing: it was made anew, or somebody
 * took the record off. Members that are frozen make no block before an order takes them on or back, and which of the
 * two is open is in the identity.
 *
 * | members that are on their way to an epoch | identity | then |
 * | --- | --- | --- |
 * | none, or to the first one | | none was lost |
 * | some | an epoch before | not decided: it is taken back |
 * | some | that epoch | decided: it goes on |
 */
export function lostChange({ snapshot, identity, asked }: MembershipScene): OpenChange | undefined {
  const { members, nowMs } = snapshot;
  const onTheirWay = members.flatMap((member) => {
    const { epoch = 0, change } = intactVolume(member, identity) ?? {};
    return change
      ? [{ from: epoch, to: change.kind === "frozen" ? change.to : epoch, kind: change.kind }]
      : [];
  });
  const epoch = Math.max(0, ...onTheirWay.map(({ to }) => to));
  // Whoever is on its way to the first one goes on with the chain of a sequencer outside.
  if (epoch <= FIRST_EPOCH) return undefined;
  const now = { version: 1, startedAt: new Date(nowMs).toISOString() } as const;
  if (epoch > identity.epoch) {
    const from = { epoch: identity.epoch, replicas: members.length };
    const to = { epoch, replicas: asked?.replicas ?? members.length };
    return { ...now, kind: "takingBack", from, to, why: WHY };
  }
  const frozen = onTheirWay.filter(({ kind }) => kind === "frozen");
  // How many there were before, nobody tells: those that are left of them.
  const from = {
    epoch: Math.max(1, ...frozen.map((one) => one.from)),
    replicas: Math.max(1, frozen.length),
  };
  // What the StatefulSet says may be of before the decision.
  const replicas = identity.membership?.replicas ?? members.length;
  const to = { epoch: identity.epoch, replicas };
  return { ...now, kind: "changing", from, to, stoppedAt: now.startedAt };
}
