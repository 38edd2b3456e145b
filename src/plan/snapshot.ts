import type { Parsed } from "../api/parse.ts";
import type { IdentityView } from "../model/identity.ts";
import type { KubeObject } from "../model/kube-object.ts";
import type { Member } from "../model/member.ts";
import type { EvNodeClusterObject, Pod, StatefulSet } from "../model/objects.ts";
import type { OldSequencer } from "../model/old-sequencer.ts";
import type { Parting } from "../model/parting.ts";
import type { Template } from "./update-way.ts";

/** All that a reconcile knows: read before anything is decided, and never changed. */
export interface Snapshot {
  readonly nowMs: number;
  /** The same moment by the clock that answers of agents are dated with. */
  readonly monotonicMs: number;
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
  /** Pods of the StatefulSet beyond the membership: of members on their way in, or out. */
  readonly nonMembers: readonly Member[];
  /** The sequencer of `spec.migration`, as the operator sees it from outside; absent where none is named. */
  readonly oldSequencer?: OldSequencer;
  /** Where members hold different blocks; absent where none were seen. */
  readonly parting?: Parting;
  /** Pod templates by revision: of the StatefulSet's newest one and of the pods that differ from it. */
  readonly revisions: ReadonlyMap<string, Template>;
  /** Pods in which the image of a change is tried, before any member is touched. */
  readonly rehearsals: readonly Pod[];
  /**
   * True when nothing in here was remembered: objects were read from the server and agents were asked for this look.
   * What takes a member away is decided on such a snapshot only.
   */
  readonly isCertain: boolean;
}

/** The operator's own settings that reach clusters. */
export interface Settings {
  readonly agentImage: string;
  readonly clusterDomain: string;
  readonly operatorNamespace: string;
  /** The one namespace that is looked after, or undefined for all. With one, nothing is asked about what belongs to all. */
  readonly watchNamespace: string | undefined;
}

/** What the spec refers to. */
export interface References {
  readonly signer: Referenced<undefined>;
  readonly genesis: Referenced<string>;
  readonly daAuthToken: Referenced<string>;
  readonly storageClass: Referenced<undefined>;
  /** Asked for as long as the cluster lives: every new pod mounts it. */
  readonly executionGenesis: Referenced<undefined>;
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

/** An age that an agent told, as it is at the moment of the snapshot. */
export const agedMs = (toldMs: number, { atMs }: { readonly atMs: number }, { monotonicMs }: Snapshot) =>
  toldMs + monotonicMs - atMs;

export const objectKey = (kind: string, name: string) => `${kind}/${name}`;
