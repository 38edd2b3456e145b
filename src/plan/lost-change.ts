import { answerOf } from "../model/member.ts";
import type { OpenChange } from "../model/membership-record.ts";
import { type MembershipScene, volumeChangeOf } from "./membership-scene.ts";

const WHY = "the record of it was lost";

/**
 * A change that members are in the middle of, and of which the StatefulSet says nothing: it was made anew, or somebody
 * took the record off. Members that are frozen make no block before an order takes them on or back, and which of the
 * two is open is in the identity.
 *
 * | members that are on their way to an epoch | identity | then |
 * | --- | --- | --- |
 * | none | | none was lost |
 * | some | an epoch before | not decided: it is taken back |
 * | some | that epoch | decided: it goes on |
 */
export function lostChange({ snapshot, identity, asked }: MembershipScene): OpenChange | undefined {
  const { members, nowMs } = snapshot;
  const onTheirWay = members.flatMap((member) => {
    const change = volumeChangeOf(member, identity);
    const volume = answerOf(member)?.volume;
    if (change === undefined || volume?.kind !== "intact") return [];
    return [
      { from: volume.epoch, to: change.kind === "frozen" ? change.to : volume.epoch, kind: change.kind },
    ];
  });
  if (onTheirWay.length === 0) return undefined;
  const epoch = Math.max(...onTheirWay.map(({ to }) => to));
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
  const to = { epoch: identity.epoch, replicas: members.length };
  return { ...now, kind: "changing", from, to, stoppedAt: now.startedAt };
}
