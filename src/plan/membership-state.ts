import { annotations } from "../model/annotations.ts";
import type { Identity } from "../model/identity.ts";
import { type MembershipRecord, openChange, readMembershipRecord } from "../model/membership-record.ts";
import type { StatefulSet } from "../model/objects.ts";
import { remembered } from "../model/remembered.ts";
import type { Intent } from "../resources/blueprint.ts";
import type { MemberConfigs } from "../resources/member-configs.ts";
import type { Intents } from "./intent.ts";
import { configsOf } from "./rendering.ts";
import type { Snapshot } from "./snapshot.ts";

/** The record on the StatefulSet; undefined where there is none that can be read. */
export const membershipOn = (statefulSet: StatefulSet | undefined): MembershipRecord | undefined =>
  statefulSet && readRecord(statefulSet);

/** Deciders and status all ask for it. */
const readRecord = remembered(({ metadata }: StatefulSet) =>
  readMembershipRecord(metadata.annotations?.[annotations.membershipChange]),
);

/** The change of the number of members that is under way. */
export const changeOf = ({ statefulSet }: Snapshot) => openChange(membershipOn(statefulSet));

/** The number of the next membership: an attempt that was taken back has used up its own. */
export const nextEpoch = ({ epoch }: Identity, record: MembershipRecord | undefined): number =>
  Math.max(epoch, record?.to.epoch ?? 0) + 1;

/** What the members run in the next epoch: what they run now, and nothing else changed but their number. */
export function nextIntent(
  snapshot: Snapshot,
  identity: Identity,
  { current }: Intents,
  { epoch, replicas }: MembershipRecord["to"],
): { readonly intent: Intent; readonly configs: MemberConfigs } {
  const spec = { ...current.spec, replicas };
  const configs = configsOf(snapshot, inEpoch(identity, epoch), spec);
  return { intent: { ...current, spec, configRevision: configs.revision }, configs };
}

/** The same object for the same identity, as what is rendered for it is remembered by it. */
function inEpoch(identity: Identity, epoch: number): Identity {
  if (identity.epoch === epoch) return identity;
  const known = others.get(identity);
  if (known?.epoch === epoch) return known;
  const other = { ...identity, epoch };
  others.set(identity, other);
  return other;
}

const others = new WeakMap<Identity, Identity>();
