import { annotations } from "../../../src/model/annotations.ts";
import type { KubeObject } from "../../../src/model/kube-object.ts";
import { openChange, readMembershipRecord } from "../../../src/model/membership-record.ts";

/** The change of the number of members that a StatefulSet says is under way. */
export const changeIn = (set: KubeObject | undefined) => openChange(recordIn(set));

export const recordIn = (set: KubeObject | undefined) =>
  readMembershipRecord(set?.metadata.annotations?.[annotations.membershipChange]);
