/** The entry with the token that ev-node and its execution client share; only of an EVM chain. */
export const JWT_ENTRY = "jwt.hex";

/** The public facts of a cluster's identity Secret; keys and passphrase never leave the code that reads it. */
export interface Identity {
  readonly resourceVersion: string;
  readonly uid: string;
  /** A random id: what volumes and agents know the cluster by, also after it was deleted and applied again. */
  readonly clusterId: string;
  readonly chainId: string;
  /** Base64 of the proposer's address. */
  readonly proposer: string;
  /** Of its genesis as it is written; see `model/fingerprints.ts`. */
  readonly genesisDigest: string;
  /** libp2p ids by ordinal. */
  readonly peerIds: readonly string[];
  /** DNS domain of the Kubernetes cluster when the identity was made; part of the addresses in raft's log. */
  readonly clusterDomain: string;
  /** Whether it was made for an EVM chain: with a token for the execution clients. */
  readonly hasJwt: boolean;
  readonly epoch: number;
  /** The epoch that was bootstrapped; absent until every member's volume was prepared for it. */
  readonly bootstrapped: number | undefined;
  /** What the members were bootstrapped with; absent before. */
  readonly membership: Membership | undefined;
  /** When the change of members began that can not be decided any more; see `model/membership-record.ts`. */
  readonly withdrawn: string | undefined;
}

/** The epoch of every new identity. */
export const FIRST_EPOCH = 1;

/** Whether the members of this epoch were allowed to start. */
export const isBootstrapped = ({ bootstrapped, epoch }: Identity): boolean => bootstrapped === epoch;

/** What raft's own log holds of the spec, so that it can never change. */
export interface Membership {
  readonly replicas: number;
  readonly raftPort: number;
}

export function renderMembership({ replicas, raftPort }: Membership): string {
  return `${replicas} members, raft port ${raftPort}`;
}

export function parseMembership(text: string | undefined): Membership | undefined {
  const [, replicas, raftPort] = /^(\d{1,3}) members, raft port (\d{1,5})$/.exec(text ?? "") ?? [];
  return replicas && raftPort ? { replicas: Number(replicas), raftPort: Number(raftPort) } : undefined;
}

export type IdentityView =
  | { readonly kind: "absent" }
  | { readonly kind: "unusable"; readonly message: string }
  | { readonly kind: "present"; readonly identity: Identity };
