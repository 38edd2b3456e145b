/** What a metric is: the registry and docs/metrics.md are made from the tables in this file, so they cannot differ. */
export type MetricDefinition =
  | {
      readonly type: "gauge" | "counter";
      readonly help: string;
      readonly labels: readonly LabelName[];
    }
  | {
      readonly type: "histogram";
      readonly help: string;
      readonly labels: readonly LabelName[];
      /** Upper bounds, in seconds. */
      readonly buckets: readonly number[];
    };

/** Every label that a series may have, and what bounds the number of its values. None takes text that somebody typed. */
export const labelMeanings = {
  namespace: "Namespace of the EvNodeCluster.",
  evnodecluster: "Name of the EvNodeCluster. Its series vanish when it is deleted.",
  member: "Name of the member, which is the name of its pod: at most seven for each cluster.",
  state:
    "What is the case of a closed list, which is given with the metric. Only that series exists, with value 1.",
  type: "Type of the condition.",
  status: "True, False or Unknown.",
  reason:
    "A word of a closed list: of a condition one of the [runbook](runbook.md), of an exit one of [exits](exits.md).",
  result: "How it ended; the list is given with the metric.",
  controller: "Always `evnodecluster`: the operator has one controller.",
  name: "Of a work queue `evnodecluster`, of an election the name of the Lease.",
  verb: "What was asked of the API server: get, list, watch, create, replace, patch, delete, evict, update_status.",
  method: "The HTTP method of that.",
  kind: "Kind of the objects, of those that the operator uses.",
  code: "HTTP status of the answer, or `<error>` when there was none.",
  version: "Version of the program.",
} as const;

export type LabelName = keyof typeof labelMeanings;

const gauge = <const L extends readonly LabelName[]>(labels: L, help: string) =>
  ({ type: "gauge", help, labels }) as const;
const counter = <const L extends readonly LabelName[]>(labels: L, help: string) =>
  ({ type: "counter", help, labels }) as const;
const histogram = <const L extends readonly LabelName[]>(
  labels: L,
  buckets: readonly number[],
  help: string,
) => ({ type: "histogram", help, labels, buckets }) as const;

const ofCluster = ["namespace", "evnodecluster"] as const;
const ofMember = [...ofCluster, "member"] as const;
const ofController = ["controller"] as const;
const ofQueue = ["controller", "name"] as const;

export const clusterTable = {
  evnode_cluster_replicas: gauge(ofCluster, "Members that the cluster has."),
  evnode_cluster_ready_members: gauge(ofCluster, "Members whose pods are ready."),
  evnode_cluster_quorum_margin: gauge(
    ofCluster,
    "How many more members may be lost until no majority takes part: 0 means that one more loss stops the chain, less means that it has stopped. Absent while it is not known.",
  ),
  evnode_cluster_quorum: gauge(
    [...ofCluster, "state"],
    "The quorum in one word: Healthy, AtRisk, Lost or Unknown.",
  ),
  evnode_cluster_phase: gauge(
    [...ofCluster, "state"],
    "The state of the cluster in one word, as in status.phase.",
  ),
  evnode_cluster_condition: gauge(
    [...ofCluster, "type", "status", "reason"],
    "The conditions of the cluster, each as the one series that holds now, with value 1. The reason is the diagnosis.",
  ),
  evnode_cluster_height: gauge(ofCluster, "Height of the highest block that a member reports."),
  evnode_cluster_leaders: gauge(
    ofCluster,
    "Members that say that they lead: 1 when all is well, 0 while none is known to, more than 1 never.",
  ),
  evnode_cluster_leader_changes_total: counter(
    ofCluster,
    "How often another member than before was seen to lead, since this operator leads.",
  ),
  evnode_cluster_leader_changes_last_hour: gauge(
    ofCluster,
    "How often a member took the lead within the last hour, as far as the members' agents saw it: also one that led before.",
  ),
  evnode_cluster_handover_gap_seconds: histogram(
    ofCluster,
    [0.25, 0.5, 1, 2, 3, 5, 8, 13, 20, 30, 60, 120],
    "Longest time between two blocks around a change of the leader, as the new leader saw it.",
  ),
  evnode_cluster_blocks_missed_total: counter(
    ofCluster,
    "How many blocks would have fitted into these gaps. A lazy chain has none to miss.",
  ),
  evnode_cluster_rollout_duration_seconds: histogram(
    ofCluster,
    [10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200],
    "Time from the begin of a rollout until the last member took part again, for those that were completed or reverted.",
  ),
  evnode_cluster_rollouts_total: counter(
    [...ofCluster, "result"],
    "Rollouts that ended: Completed or Reverted.",
  ),
  evnode_cluster_rollout_started_timestamp_seconds: gauge(
    ofCluster,
    "When the rollout that is under way began; absent when there is none.",
  ),
  evnode_cluster_raft_rtt_max_seconds: gauge(
    ofCluster,
    "The longest round trip between two members, as their agents measure it.",
  ),
  evnode_cluster_last_reconcile_timestamp_seconds: gauge(
    ofCluster,
    "When the cluster was last looked at. All values of a cluster and its members are of that moment.",
  ),
} as const satisfies Record<string, MetricDefinition>;

export const memberTable = {
  evnode_member_leader: gauge(
    ofMember,
    "1 when the member leads, 0 when it follows; absent when it does not say.",
  ),
  evnode_member_ready: gauge(ofMember, "1 when the member's pod is ready, otherwise 0."),
  evnode_member_state: gauge(
    [...ofMember, "state"],
    "What the member does: Waiting, Preparing, Running, Failed, Terminating or Missing.",
  ),
  evnode_member_height: gauge(ofMember, "Height of the member's last block; absent when it is not known."),
  evnode_member_blocks_behind: gauge(
    ofMember,
    "How many blocks the member is behind the best of its peers; absent when it is not known.",
  ),
  evnode_member_execution_height: gauge(
    ofMember,
    "Height of the member's execution layer; only of an EVM chain.",
  ),
  evnode_member_peers_reached: gauge(ofMember, "Other members whose Raft port it reaches."),
  evnode_member_last_exit: gauge(
    [...ofMember, "reason"],
    "Why ev-node last ended, as a word of the page of exits, with value 1; absent when it did not end, or of an unknown end.",
  ),
  evnode_member_disk_free_bytes: gauge(ofMember, "Free space of the member's volume."),
  evnode_member_disk_size_bytes: gauge(ofMember, "Size of the member's volume."),
  evnode_member_cpu_throttled_ratio: gauge(
    ofMember,
    "In which share of the last minute the CPU limit held ev-node back, from 0 to 1; absent without a limit.",
  ),
} as const satisfies Record<string, MetricDefinition>;

const reconcileBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const queueBuckets = [0.000_01, 0.000_1, 0.001, 0.01, 0.1, 1, 10, 100, 1_000];
const requestBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];

export const operatorTable = {
  controller_runtime_reconcile_total: counter(
    [...ofController, "result"],
    "Reconciles: error, requeue_after when it said when to look again, as is usual, or success.",
  ),
  controller_runtime_reconcile_errors_total: counter(
    ofController,
    "Reconciles that failed: a call that is tried again, the deadline, or a bug.",
  ),
  controller_runtime_reconcile_panics_total: counter(
    ofController,
    "Reconciles that ended in a bug of the operator.",
  ),
  controller_runtime_reconcile_time_seconds: histogram(
    ofController,
    reconcileBuckets,
    "How long reconciles took.",
  ),
  controller_runtime_max_concurrent_reconciles: gauge(
    ofController,
    "Workers: reconciles that may run at one time.",
  ),
  controller_runtime_active_workers: gauge(ofController, "Reconciles that run now."),
  workqueue_depth: gauge(ofQueue, "Clusters that wait for a worker."),
  workqueue_adds_total: counter(ofQueue, "Clusters that were put into the queue."),
  workqueue_retries_total: counter(ofQueue, "Clusters that were put back after a failure."),
  workqueue_queue_duration_seconds: histogram(
    ofQueue,
    queueBuckets,
    "How long clusters waited for a worker.",
  ),
  workqueue_work_duration_seconds: histogram(ofQueue, queueBuckets, "How long clusters were worked on."),
  workqueue_unfinished_work_seconds: gauge(ofQueue, "How long all running reconciles have run, together."),
  workqueue_longest_running_processor_seconds: gauge(
    ofQueue,
    "How long the oldest running reconcile has run.",
  ),
  rest_client_requests_total: counter(
    ["verb", "method", "kind", "code"],
    "Requests to the API server, and starts of watches.",
  ),
  rest_client_request_duration_seconds: histogram(
    ["verb"],
    requestBuckets,
    "How long the API server took to answer; of a watch, to begin.",
  ),
  evnode_watch_synced: gauge(["kind"], "1 when everything of the kind was read once, otherwise 0."),
  evnode_watch_starts_total: counter(
    ["kind"],
    "Watches that began. The server ends each after some minutes, so this grows slowly.",
  ),
  evnode_watch_failures_total: counter(["kind"], "Watches and lists that broke off and were begun anew."),
  evnode_watch_last_event_age_seconds: gauge(
    ["kind"],
    "How long ago the API server last sent something for the kind; more than three minutes is too long.",
  ),
  leader_election_master_status: gauge(
    ["name"],
    "1 when this replica holds the Lease and works, otherwise 0.",
  ),
  evnode_operator_build_info: gauge(["version"], "Always 1."),
  process_cpu_seconds_total: counter([], "Processor time that the operator used."),
  process_resident_memory_bytes: gauge([], "Memory that the operator has."),
  process_start_time_seconds: gauge([], "When the operator started."),
} as const satisfies Record<string, MetricDefinition>;

export const metricTable = { ...clusterTable, ...memberTable, ...operatorTable } as const;

type Table = typeof metricTable;
export type MetricName = keyof Table;
export type NameOf<T extends MetricDefinition["type"]> = {
  [N in MetricName]: Table[N] extends { readonly type: T } ? N : never;
}[MetricName];
/** The labels that every series of a metric has. */
export type LabelsOf<N extends MetricName> = Readonly<Record<Table[N]["labels"][number], string>>;
/** One series of a gauge, with its value. */
export type Series = {
  [N in NameOf<"gauge">]: { readonly name: N; readonly labels: LabelsOf<N>; readonly value: number };
}[NameOf<"gauge">];
