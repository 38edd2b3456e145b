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
  /**
   * On a pod, first set by the pod template: which revision of its evnode.yaml the agent installs. A running ev-node
   * reads it at its next start.
   */
  configRevision: "evnode.dev/config-revision",
  /**
   * On a pod: a text whose change makes the agent restart ev-node in place, once the configuration of the pod's
   * revision is installed. The text that a pod was made with restarts nothing.
   */
  restartToken: "evnode.dev/restart-token",
  /** On a pod: the update in place that the operator began there, as JSON; see `model/pod-update.ts`. */
  update: "evnode.dev/update",
  /** On the identity Secret and on claims: the epoch of the membership. */
  epoch: "evnode.dev/epoch",
  /** On the identity Secret: the epoch that was bootstrapped, written before any member first started. */
  bootstrapped: "evnode.dev/bootstrapped",
  /** On the identity Secret: number of members and raft port, which stand in raft's own log from then on. */
  membership: "evnode.dev/membership",
  /** On the identity Secret: when the change of members began that was taken back last, and is not decided any more. */
  withdrawn: "evnode.dev/withdrawn",
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
  /** On the StatefulSet: the rollout that is under way or was taken back, as JSON; see `model/rollout-record.ts`. */
  rollout: "evnode.dev/rollout",
  /** On the StatefulSet: that its cluster is suspended, or was last, as JSON; see `model/suspension-record.ts`. */
  suspension: "evnode.dev/suspension",
  /** On the StatefulSet: how far a change of the number of members is, as JSON; see `model/membership-record.ts`. */
  membershipChange: "evnode.dev/membership-change",
  /** On the StatefulSet: what the sequencer outside told before its end, as JSON; see `model/migration-record.ts`. */
  migration: "evnode.dev/migration",
  /** On the EvNodeCluster, by its owner: hash of the rollout plan that may be carried out. Good for one rollout. */
  approveRollout: "evnode.dev/approve-rollout",
  /** On the EvNodeCluster, by its owner: any text. A change of it restarts every member, the leader last. */
  restart: "evnode.dev/restart",
  /** On the EvNodeCluster, by its owner: the member to restart once. Taken away when it was done. */
  restartMember: "evnode.dev/restart-member",
  /** On the EvNodeCluster, by its owner: the member whose lost volume may be rebuilt. Good for one loss. */
  approveRejoin: "evnode.dev/approve-rejoin",
  /** On the EvNodeCluster, by its owner: any text. The leader steps down once, if the margin allows it now. */
  drill: "evnode.dev/drill",
  /** On the EvNodeCluster: the failover drill that is under way or was last, as JSON; see `model/drill-record.ts`. */
  lastDrill: "evnode.dev/last-drill",
} as const;

/** The value of the name label on pods in which an image is tried; members have another one. */
export const REHEARSAL_NAME = "ev-node-rehearsal";

export const MANAGED_BY = "evnode-operator";
export const FINALIZER = "evnode.dev/chain-lock";
