import type { Order } from "../model/agent-protocol.ts";
import type { Kind } from "../model/kinds.ts";
import type { KubeObject } from "../model/kube-object.ts";
import type { Member, MemberClaim, MemberPod } from "../model/member.ts";

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
  /** Takes the owner's approval to rebuild this member off the EvNodeCluster. */
  | {
      readonly kind: "endApproval";
      readonly member: string;
      readonly because: "used" | "nothingLost" | "unknownMember";
    }
  | {
      readonly kind: "labelPod";
      readonly member: Member;
      readonly pod: MemberPod;
      readonly labels: Readonly<Record<string, string | null>>;
      readonly why: string;
    };

/** Actions of one stage may run at the same time; a stage begins when the one before succeeded. */
export type Stages = readonly (readonly Action[])[];
