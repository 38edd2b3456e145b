/** Every label and annotation key of this project, in one place. */
export const labels = {
  /** Name of the EvNodeCluster an object belongs to. */
  cluster: "evnode.dev/cluster",
  /** `leader` or `follower`, on pods; kept by the operator. */
  role: "evnode.dev/role",
  managedBy: "app.kubernetes.io/managed-by",
  name: "app.kubernetes.io/name",
  instance: "app.kubernetes.io/instance",
  revision: "controller-revision-hash",
} as const;

export const annotations = {
  /** On a pod: the order to its agent, as JSON. Written by the operator with the pod's uid as precondition. */
  order: "evnode.dev/order",
  /** On a pod: when its order was given last, as an RFC 3339 time. */
  orderGivenAt: "evnode.dev/order-given-at",
  /** On a pod, first set by the pod template: which revision of its evnode.yaml the member runs. */
  configRevision: "evnode.dev/config-revision",
  /** On the identity Secret and on claims: the epoch of the membership. */
  epoch: "evnode.dev/epoch",
  /** On the identity Secret: the epoch that was bootstrapped, written before any member first started. */
  bootstrapped: "evnode.dev/bootstrapped",
  /** On the identity Secret: number of members and raft port, which stand in raft's own log from then on. */
  membership: "evnode.dev/membership",
  /** On a claim: the epoch in which a member was first started on it. */
  started: "evnode.dev/started",
  /** On the identity Secret: chain id, proposer and DNS domain, which can never change. */
  chain: "evnode.dev/chain-id",
  proposer: "evnode.dev/proposer",
  clusterDomain: "evnode.dev/cluster-domain",
  /** On every owned object: uid of the EvNodeCluster that it was made for. */
  clusterUid: "evnode.dev/cluster-uid",
  /** On the StatefulSet: what its pod template was rendered from, as JSON. */
  intent: "evnode.dev/intent",
  /** On the EvNodeCluster, by its owner: the member whose lost volume may be rebuilt. Good for one loss. */
  approveRejoin: "evnode.dev/approve-rejoin",
} as const;

export const MANAGED_BY = "evnode-operator";
export const FINALIZER = "evnode.dev/chain-lock";
