import type { Spec } from "../src/api/evnodecluster.ts";
import type { VolumeChange } from "../src/model/agent-protocol.ts";
import { annotations } from "../src/model/annotations.ts";
import type { Identity } from "../src/model/identity.ts";
import type { Member, MemberPod } from "../src/model/member.ts";
import { type MembershipRecord, openChange } from "../src/model/membership-record.ts";
import { intentsOf } from "../src/plan/intent.ts";
import { nextIntent } from "../src/plan/membership-state.ts";
import type { Snapshot } from "../src/plan/snapshot.ts";
import { cluster, leader, member, present, snapshot, withConfigs, withNotes } from "./builders.ts";
import { timeAgo } from "./member-traits.ts";

/** A cluster whose number of members is changed, somewhere on the way. */

export const HEAD = { height: 100, hash: "aa", timeMs: 1 };

export const growing: MembershipRecord = {
  version: 1,
  kind: "changing",
  from: { epoch: 1, replicas: 3 },
  to: { epoch: 2, replicas: 5 },
  startedAt: timeAgo(60_000),
};
export const stopped: MembershipRecord = { ...growing, stoppedAt: timeAgo(3_000) };
export const level: MembershipRecord = { ...stopped, level: { height: 100, hash: "aa" } };

export interface ChangingShape {
  readonly record?: MembershipRecord;
  readonly spec?: Partial<Spec>;
  readonly members?: readonly Member[];
  readonly nonMembers?: readonly Member[];
  readonly identity?: Partial<Identity>;
  readonly isCertain?: boolean;
  /** Whether the configurations of the next epoch are not in the Secret yet. */
  readonly lacksConfigs?: boolean;
}

export function changing(shape: ChangingShape = {}): Snapshot {
  const wish = { replicas: 5, membership: { approvedEpoch: 2 }, ...shape.spec } as Partial<Spec>;
  const bare = snapshot({
    cluster: cluster({ spec: wish }),
    identity: present(),
    members: shape.members ?? [leader(0), member(1), member(2)],
    nonMembers: shape.nonMembers ?? [],
    isCertain: shape.isCertain ?? true,
  });
  // The StatefulSet is of before, whatever was decided since.
  const seen = { ...withRecord(bare, shape.record), identity: present(shape.identity) };
  return shape.lacksConfigs ? seen : withConfigs(seen);
}

function withRecord(seen: Snapshot, record: MembershipRecord | undefined): Snapshot {
  const { statefulSet } = seen;
  if (!statefulSet?.spec || !record) return seen;
  const noted = withNotes(statefulSet, { [annotations.membershipChange]: JSON.stringify(record) });
  const change = openChange(record);
  const replicas = Math.max(3, change?.from.replicas ?? 0, change?.to.replicas ?? 0);
  return { ...seen, statefulSet: { ...noted, spec: { ...statefulSet.spec, replicas } } };
}

/** The revision of the configurations of five members in epoch 2. */
function nextRevision(): string {
  const seen = changing({ record: growing });
  const { identity } = seen;
  const intents = identity.kind === "present" ? intentsOf(seen, identity.identity) : undefined;
  if (identity.kind !== "present" || !intents) throw new Error("the cluster has an intent");
  return nextIntent(seen, identity.identity, intents, growing.to).intent.configRevision;
}

/** How a member is on its way to epoch 2, with this last block. */
export function onItsWay(
  ordinal: number,
  change: VolumeChange,
  { head = HEAD, pod = {} }: { readonly head?: typeof HEAD; readonly pod?: Partial<MemberPod> } = {},
): Member {
  const epoch = change.kind === "joining" ? 2 : 1;
  const started = change.kind === "frozen";
  return member(ordinal, {
    pod,
    says: {
      mode: { kind: "level", loggedHeight: started ? head.height : 0 },
      volume: { kind: "intact", epoch, started, change },
      node: { kind: "open", height: head.height, head },
    },
  });
}

export const frozen = (ordinal: number, over: Partial<Extract<VolumeChange, { kind: "frozen" }>> = {}) =>
  onItsWay(ordinal, { kind: "frozen", to: 2, settled: true, ...over });

export const joining = (ordinal: number, over: Partial<Extract<VolumeChange, { kind: "joining" }>> = {}) =>
  onItsWay(
    ordinal,
    { kind: "joining", settled: true, ...over },
    { pod: { configRevision: nextRevision(), ready: false } },
  );
