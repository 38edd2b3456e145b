import type { MemberStatus, Status } from "../api/evnodecluster.ts";
import { answerOf, type Member } from "../model/member.ts";
import { quorumMargin } from "../plan/quorum-margin.ts";
import type { Snapshot } from "../plan/snapshot.ts";
import type { Series } from "./metric-table.ts";

interface ClusterLabels {
  readonly namespace: string;
  readonly evnodecluster: string;
}

export const labelsOf = ({ cluster: { metadata } }: Snapshot): ClusterLabels => ({
  namespace: metadata.namespace ?? "",
  evnodecluster: metadata.name,
});

/**
 * All series of a cluster and its members, from what a reconcile saw and said. What is not known has no series: an
 * absent value is unknown, and 0 is 0. No text that a person or a process wrote becomes a label.
 */
export function clusterSeries(snapshot: Snapshot, status: Status): readonly Series[] {
  const labels = labelsOf(snapshot);
  const { conditions = [], members = [], network, rollout } = status;
  const startedAtMs = rollout?.startedAt === undefined ? undefined : Date.parse(rollout.startedAt);
  const figures = present(labels, {
    evnode_cluster_replicas: status.replicas,
    evnode_cluster_ready_members: members.filter(({ ready }) => ready).length,
    evnode_cluster_leaders: members.filter(({ role }) => role === "Leader").length,
    evnode_cluster_quorum_margin: quorumMargin(snapshot, status.quorum),
    evnode_cluster_height: highest(members),
    evnode_cluster_leader_changes_last_hour: status.leaderChangesLastHour,
    evnode_cluster_rollout_started_timestamp_seconds: seconds(startedAtMs),
    evnode_cluster_raft_rtt_max_seconds: seconds(network?.maximum?.rttMs),
    evnode_cluster_last_reconcile_timestamp_seconds: seconds(snapshot.nowMs),
  });
  const { quorum = "Unknown", phase = "Pending" } = status;
  return [
    ...figures,
    { name: "evnode_cluster_quorum", labels: { ...labels, state: quorum }, value: 1 },
    { name: "evnode_cluster_phase", labels: { ...labels, state: phase }, value: 1 },
    ...conditions.map(({ type, status: holds, reason }): Series => {
      return {
        name: "evnode_cluster_condition",
        labels: { ...labels, type, status: holds, reason },
        value: 1,
      };
    }),
    ...members.flatMap((row) => memberSeries(labels, row, memberOf(snapshot, row))),
  ];
}

/** The status keeps it while nobody tells it. */
function highest(members: readonly MemberStatus[]): number | undefined {
  const heights = members.flatMap(({ height }) => height ?? []);
  return heights.length === 0 ? undefined : Math.max(...heights);
}

const memberOf = ({ members }: Snapshot, row: MemberStatus) => members.find(({ name }) => name === row.name);

function memberSeries(
  cluster: ClusterLabels,
  row: MemberStatus,
  seen: Member | undefined,
): readonly Series[] {
  const labels = { ...cluster, member: row.name };
  const answer = seen && answerOf(seen);
  const figures = present(labels, {
    evnode_member_leader:
      row.role === "Unknown" || row.role === undefined ? undefined : Number(row.role === "Leader"),
    evnode_member_ready: Number(row.ready ?? false),
    evnode_member_height: row.height,
    evnode_member_blocks_behind: row.blocksBehind,
    evnode_member_execution_height: row.executionHeight,
    evnode_member_peers_reached: row.peersReached,
    evnode_member_disk_free_bytes: answer?.disk?.freeBytes,
    evnode_member_disk_size_bytes: answer?.disk?.totalBytes,
    evnode_member_cpu_throttled_ratio: answer?.throttledShare,
  });
  const { state, lastExitReason: reason } = row;
  const words: Series[] = [];
  if (state !== undefined)
    words.push({ name: "evnode_member_state", labels: { ...labels, state }, value: 1 });
  if (reason !== undefined)
    words.push({ name: "evnode_member_last_exit", labels: { ...labels, reason }, value: 1 });
  return [...figures, ...words];
}

type Figures<L> = {
  readonly [N in Series as L extends N["labels"] ? N["name"] : never]?: number | undefined;
};

/** The series of those figures that are known. */
function present<L extends ClusterLabels>(labels: L, figures: Figures<L>): readonly Series[] {
  return Object.entries<number | undefined>(figures).flatMap(([name, value]) =>
    value === undefined || !Number.isFinite(value) ? [] : [{ name, labels, value } as unknown as Series],
  );
}

const seconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1_000);
