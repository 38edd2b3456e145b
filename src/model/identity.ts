/** The public facts of a cluster's identity Secret; keys and passphrase never leave the code that reads it. */
export interface Identity {
  readonly resourceVersion: string;
  readonly uid: string;
  /** A random id: what volumes and agents know the cluster by, also after it was deleted and applied again. */
  readonly clusterId: string;
  readonly chainId: string;
  /** Base64 of the proposer's address. */
  readonly proposer: string;
  /** libp2p ids by ordinal. */
  readonly peerIds: readonly string[];
  /** DNS domain of the Kubernetes cluster when the identity was made; part of the addresses in raft's log. */
  readonly clusterDomain: string;
  readonly epoch: number;
  /** The epoch that was bootstrapped; absent until every member's volume was prepared for it. */
  readonly bootstrapped: number | undefined;
}

export type IdentityView =
  | { readonly kind: "absent" }
  | { readonly kind: "unusable"; readonly message: string }
  | { readonly kind: "present"; readonly identity: Identity };
