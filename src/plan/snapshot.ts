import type { Parsed } from "../api/parse.ts";
import type { IdentityView } from "../model/identity.ts";
import type { KubeObject } from "../model/kube-object.ts";
import type { Member } from "../model/member.ts";
import type { EvNodeClusterObject, StatefulSet } from "../model/objects.ts";

/** All that a reconcile knows: read before anything is decided, and never changed. */
export interface Snapshot {
  readonly nowMs: number;
  readonly cluster: EvNodeClusterObject;
  readonly parsed: Parsed;
  readonly settings: Settings;
  readonly references: References;
  readonly identity: IdentityView;
  readonly chainLock: ChainLock;
  readonly statefulSet: StatefulSet | undefined;
  /** The other objects under the names of this cluster, its own and strangers', by `kind/name`. */
  readonly objects: ReadonlyMap<string, KubeObject>;
  readonly members: readonly Member[];
}

/** The operator's own settings that reach clusters. */
export interface Settings {
  readonly agentImage: string;
  readonly clusterDomain: string;
  readonly operatorNamespace: string;
}

/** What the spec refers to. */
export interface References {
  readonly signer: Referenced<undefined>;
  readonly genesis: Referenced<string>;
  readonly daAuthToken: Referenced<string>;
  readonly storageClass: Referenced<undefined>;
}

export type Referenced<T> =
  | { readonly kind: "notAsked" }
  | { readonly kind: "found"; readonly value: T }
  /** The object or its key does not exist, or is not usable; the message says which and what was expected. */
  | { readonly kind: "missing"; readonly message: string }
  | { readonly kind: "invalid"; readonly message: string; readonly reason?: "ProposerMismatch" };

export type ChainLock =
  | { readonly kind: "unknown" }
  | { readonly kind: "free" }
  | { readonly kind: "ours" }
  /** Held in our name by an object that no longer exists, such as a cluster deleted by force. */
  | { readonly kind: "leftBehind" }
  | { readonly kind: "held"; readonly by: string };

export const objectKey = (kind: string, name: string) => `${kind}/${name}`;
