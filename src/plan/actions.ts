import type { Order } from "../model/agent-protocol.ts";
import type { DrillRecord } from "../model/drill-record.ts";
import type { Kind } from "../model/kinds.ts";
import type { KubeObject } from "../model/kube-object.ts";
import type { Member, MemberClaim, MemberPod } from "../model/member.ts";
import type { MembershipRecord } from "../model/membership-record.ts";
import type { Pod, PodDisruptionBudget, StatefulSet } from "../model/objects.ts";
import type { RolloutRecord } from "../model/rollout-record.ts";
import type { SuspensionRecord } from "../model/suspension-record.ts";

/** Everything the operator may do, one API call each. Writes carry what the decision was based on. */
export type Action =
  | { readonly kind: "addFinalizer" }
  | { readonly kind: "removeFinalizer" }
  /** Generates or imports signer, node keys and genesis, and writes them once. */
  | { readonly kind: "createIdentity" }
  | { readonly kind: "takeChainLock"; readonly takeOver: boolean }
  | { readonly kind: "releaseChainLock" }
  | { readonly kind: "create"; readonly resource: Kind<KubeObject>; readonly object: KubeObject }
  | {
      readonly kind: "replace";
      readonly resource: Kind<KubeObject>;
      readonly object: KubeObject;
      readonly why: string;
    }
  | {
      readonly kind: "delete";
      readonly resource: Kind<KubeObject>;
      readonly object: KubeObject;
      readonly why: string;
    }
  | { readonly kind: "order"; readonly member: Member; readonly pod: MemberPod; readonly order: Order }
  | {
      readonly kind: "markClaim";
      readonly member: Member;
      readonly claim: MemberClaim;
      readonly epoch: number;
    }
  | { readonly kind: "markBootstrapped"; readonly epoch: number }
  /** The identity names another epoch, with so many members: from then on nothing of the one before can start. */
  | { readonly kind: "decideMembership"; readonly epoch: number; readonly replicas: number }
  /** The identity says that the change of members that began then is not decided any more. */
  | { readonly kind: "withdrawMembership"; readonly startedAt: string }
  /** Another record of a change of the number of members, with the pods or the template that go with it. */
  | { readonly kind: "turnMembership"; readonly statefulSet: StatefulSet; readonly to: MembershipRecord }
  /** An order together with the config, and the revision, that its pod has from then on. */
  | {
      readonly kind: "moveMember";
      readonly member: Member;
      readonly pod: MemberPod;
      readonly order: Order;
      readonly configRevision: string;
      readonly revision: string | undefined;
    }
  /** Takes the owner's approval to rebuild this member off the EvNodeCluster. */
  | {
      readonly kind: "endApproval";
      readonly member: string;
      readonly because: "used" | "nothingLost" | "unknownMember";
    }
  /** Takes what the owner asked for once off the EvNodeCluster. */
  | {
      readonly kind: "endRequest";
      readonly annotation: "approveRollout" | "restartMember" | "drill";
      readonly why: string;
    }
  /** How far a failover drill is. One that begins, or is refused, takes its request off the EvNodeCluster. */
  | { readonly kind: "turnDrill"; readonly record: DrillRecord }
  | UpdatePod
  /** Marks a pod that was brought to this revision in place as one of it. */
  | {
      readonly kind: "finishUpdate";
      readonly member: Member;
      readonly pod: MemberPod;
      readonly revision: string;
    }
  /** A new template on the StatefulSet, or another record of the rollout. */
  | {
      readonly kind: "turnRollout";
      readonly statefulSet: StatefulSet;
      readonly to: RolloutRecord;
      readonly why: string;
    }
  /** No replicas, or all of them again, with the record of it. */
  | { readonly kind: "turnSuspension"; readonly statefulSet: StatefulSet; readonly to: SuspensionRecord }
  /** Takes a member's pod away: by the Eviction API while it is well, so that one budget decides for everybody. */
  | {
      readonly kind: "removePod";
      readonly member: Member;
      readonly pod: MemberPod;
      readonly by: "eviction" | "deletion";
      readonly why: string;
    }
  /** Writes who is away into the disruption budget's status, as an eviction does. */
  | { readonly kind: "claimBudget"; readonly budget: PodDisruptionBudget; readonly why: string }
  | { readonly kind: "rehearse"; readonly pod: Pod }
  | { readonly kind: "endRehearsal"; readonly pod: Pod }
  | {
      readonly kind: "labelPod";
      readonly member: Member;
      readonly pod: MemberPod;
      readonly labels: Readonly<Record<string, string | null>>;
      readonly why: string;
    };

/** A write of a member's whole pod. `takesAway`: ev-node ends by it, and starts again. */
export interface UpdatePod {
  readonly kind: "updatePod";
  readonly member: Member;
  readonly object: Pod;
  readonly takesAway: boolean;
  readonly why: string;
}

/** What was seen this long ago is no reason any more to take a member away. */
export const FRESH_MS = 2_000;

/** Actions of one stage may run at the same time; a stage begins when the one before succeeded. */
export type Stages = readonly (readonly Action[])[];
