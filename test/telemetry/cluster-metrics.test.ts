import { beforeEach, describe, expect, test } from "vitest";
import { conditionMeanings } from "../../src/api/conditions.ts";
import type { Status } from "../../src/api/evnodecluster.ts";
import { makePlan } from "../../src/plan/plan.ts";
import type { Snapshot } from "../../src/plan/snapshot.ts";
import { statusOf } from "../../src/plan/status.ts";
import { OperatorMetrics } from "../../src/telemetry/operator-metrics.ts";
import { cluster, justApplied, leader, member, members, snapshot } from "../builders.ts";
import { type Exposition, readExposition, samplesOf } from "./exposition.ts";

let metrics: OperatorMetrics;

beforeEach(() => {
  metrics = new OperatorMetrics("1.2.3");
});

const figures = { cpuSeconds: 1, residentBytes: 2, startedAtMs: 3_000 };
const page = async (): Promise<Exposition> => readExposition(await metrics.text(figures, async () => {}));
const statusIn = (seen: Snapshot): Status => statusOf(seen, makePlan(seen), []);
const see = (seen: Snapshot, over: Partial<Status> = {}) =>
  metrics.clusters.seen(seen, { ...statusIn(seen), ...over });

const ofSeq = { namespace: "rollup", evnodecluster: "seq" };
const seq = (ordinal: number) => ({ ...ofSeq, member: `seq-${ordinal}` });

describe("a cluster that runs well", () => {
  test.each<[string, unknown]>([
    ["evnode_cluster_replicas", [[ofSeq, 3]]],
    ["evnode_cluster_ready_members", [[ofSeq, 3]]],
    ["evnode_cluster_quorum_margin", [[ofSeq, 1]]],
    ["evnode_cluster_quorum", [[{ ...ofSeq, state: "Healthy" }, 1]]],
    ["evnode_cluster_phase", [[{ ...ofSeq, state: "Running" }, 1]]],
    ["evnode_cluster_leaders", [[ofSeq, 1]]],
    ["evnode_cluster_height", [[ofSeq, 100]]],
    ["evnode_cluster_leader_changes_total", [[ofSeq, 0]]],
    ["evnode_cluster_handover_gap_seconds_count", [[ofSeq, 0]]],
    ["evnode_cluster_rollout_started_timestamp_seconds", []],
    ["evnode_cluster_raft_rtt_max_seconds", []],
    [
      "evnode_member_leader",
      [
        [seq(0), 1],
        [seq(1), 0],
        [seq(2), 0],
      ],
    ],
    ["evnode_member_last_exit", []],
    ["evnode_member_disk_free_bytes", []],
  ])("%s", async (name, expected) => {
    see(snapshot());
    expect(samplesOf(await page(), name)).toEqual(expected);
  });

  test("tells the longest round trip when one is known", async () => {
    see(snapshot(), { network: { maximum: { from: "seq-0", to: "seq-1", rttMs: 47 } } });
    expect(samplesOf(await page(), "evnode_cluster_raft_rtt_max_seconds")).toEqual([[ofSeq, 0.047]]);
  });

  test("has one series for each condition, with its status and reason", async () => {
    see(snapshot());
    const told = samplesOf(await page(), "evnode_cluster_condition");
    expect(told).toHaveLength(conditionMeanings.length);
    expect(new Set(told.map(([{ type }]) => type))).toEqual(
      new Set(conditionMeanings.map(({ type }) => type)),
    );
    expect(told).toContainEqual([{ ...ofSeq, type: "Ready", status: "True", reason: "AllMembersReady" }, 1]);
  });
});

describe("what is not known", () => {
  const silent = snapshot({
    members: [member(0, { says: "nothing" }), member(1, { says: "nothing" }), member(2)],
  });

  test.each([
    ["the role and height of a member that does not answer", "evnode_member_leader", [[seq(2), 0]]],
    ["its height", "evnode_member_height", [[seq(2), 100]]],
    ["how many may be lost", "evnode_cluster_quorum_margin", []],
  ])("has no series: %s", async (_, name, expected) => {
    see(silent);
    expect(samplesOf(await page(), name)).toEqual(expected);
  });

  test.each<[string, Snapshot, number]>([
    ["one of three is gone", snapshot({ members: [leader(0), member(1), member(2, { pod: "none" })] }), 0],
    [
      "two of three are gone",
      snapshot({ members: [leader(0), ...members(3, { pod: "none" }).slice(1)] }),
      -1,
    ],
  ])("is told apart from what is lost: %s", async (_, seen, margin) => {
    see(seen);
    expect(samplesOf(await page(), "evnode_cluster_quorum_margin")).toEqual([[ofSeq, margin]]);
  });
});

describe("series vanish", () => {
  test("all of a cluster that is deleted, and none of another", async () => {
    const empty = (await page()).samples;
    const other = snapshot({ cluster: cluster({ metadata: { name: "other" } }) });
    see(snapshot());
    see(other);
    metrics.clusters.forget("rollup/seq");
    const left = (await page()).samples.filter(({ labels }) => "evnodecluster" in labels);
    expect(new Set(left.map(({ labels }) => labels["evnodecluster"]))).toEqual(new Set(["other"]));
    metrics.clusters.forget("rollup/other");
    metrics.clusters.forget("rollup/other");
    expect((await page()).samples).toEqual(empty);
  });

  test("of a reason, a role and a state that do not hold any more", async () => {
    see(justApplied());
    see(snapshot());
    const told = await page();
    expect(samplesOf(told, "evnode_cluster_condition")).toHaveLength(conditionMeanings.length);
    expect(samplesOf(told, "evnode_cluster_phase")).toEqual([[{ ...ofSeq, state: "Running" }, 1]]);
    expect(samplesOf(told, "evnode_member_state")).toHaveLength(3);
  });

  test("of a member that the cluster no longer has", async () => {
    see(snapshot({ members: [leader(0), ...members(5).slice(1)] }));
    see(snapshot());
    const names = (await page()).samples.flatMap(({ labels }) => labels["member"] ?? []);
    expect(new Set(names)).toEqual(new Set(["seq-0", "seq-1", "seq-2"]));
  });

  test("counters of a cluster that is made anew begin at 0", async () => {
    see(snapshot(), { lastLeader: "seq-0" });
    see(snapshot(), { lastLeader: "seq-1" });
    expect(samplesOf(await page(), "evnode_cluster_leader_changes_total")).toEqual([[ofSeq, 1]]);
    metrics.clusters.forget("rollup/seq");
    see(snapshot());
    expect(samplesOf(await page(), "evnode_cluster_leader_changes_total")).toEqual([[ofSeq, 0]]);
  });
});

describe("how many series there are", () => {
  const count = async () => (await page()).samples.filter(({ labels }) => "evnodecluster" in labels).length;

  test("does not grow with time, whatever happens", async () => {
    const worlds = [
      snapshot(),
      justApplied(),
      snapshot({ members: [member(0), leader(1), member(2, { pod: "none" })] }),
      snapshot({ members: members(3, { says: "nothing" }) }),
    ];
    for (const world of worlds) see(world);
    see(snapshot());
    const first = await count();
    for (let round = 0; round < 20; round++)
      for (const world of worlds) see({ ...world, nowMs: world.nowMs + round * 60_000 });
    see(snapshot());
    expect(await count()).toBe(first);
    expect(first).toBeLessThan(100);
  });

  test("is the same for each cluster", async () => {
    see(snapshot());
    const one = await count();
    for (let n = 0; n < 9; n++) see(snapshot({ cluster: cluster({ metadata: { name: `chain-${n}` } }) }));
    expect(await count()).toBe(10 * one);
  });

  test("does not hang on what people and processes write", async () => {
    const words = "free text of somebody";
    const lastExit = { code: 1, lastLine: words };
    const evnode = {
      kind: "waiting",
      reason: "CrashLoopBackOff",
      message: words,
      restarts: 1,
      lastExit,
    } as const;
    const seen = snapshot({ members: [leader(0), member(1, { pod: { evnode, node: words } }), member(2)] });
    expect(JSON.stringify(statusIn(seen))).toContain(words);
    see(seen);
    expect(await metrics.text(figures, async () => {})).not.toContain(words);
  });
});

describe("what happens is counted once", () => {
  const handover = {
    leader: "seq-1",
    at: "2026-01-01T00:00:10.000Z",
    height: 9,
    hash: "A",
    gapMs: 2_500,
    blocksMissed: 2,
  };
  const counts = async () => {
    const told = await page();
    const valueOf = (name: string) => samplesOf(told, name)[0]?.[1];
    return {
      handovers: valueOf("evnode_cluster_handover_gap_seconds_count"),
      seconds: valueOf("evnode_cluster_handover_gap_seconds_sum"),
      missed: valueOf("evnode_cluster_blocks_missed_total"),
      changes: valueOf("evnode_cluster_leader_changes_total"),
    };
  };

  test("a handover, however often the status tells it", async () => {
    see(snapshot(), { lastLeader: "seq-0" });
    for (let n = 0; n < 3; n++) see(snapshot(), { lastLeader: "seq-1", lastHandover: handover });
    expect(await counts()).toEqual({ handovers: 1, seconds: 2.5, missed: 2, changes: 1 });
  });

  test("and not again when the status before was not written, or the time is told a little otherwise", async () => {
    see(snapshot(), { lastHandover: { ...handover, leader: "seq-0", at: "2026-01-01T00:00:05.000Z" } });
    see(snapshot(), { lastHandover: handover });
    see(snapshot(), { lastHandover: { ...handover, leader: "seq-0", at: "2026-01-01T00:00:05.000Z" } });
    see(snapshot(), { lastHandover: { ...handover, at: "2026-01-01T00:00:10.040Z" } });
    expect((await counts()).handovers).toBe(2);
  });

  test("nothing of what an operator before this one has told", async () => {
    const status = { lastLeader: "seq-1", lastHandover: handover };
    see(snapshot({ cluster: cluster({ status }) }), status);
    expect(await counts()).toEqual({ handovers: 0, seconds: 0, missed: 0, changes: 0 });
  });

  test("what happened while no operator worked", async () => {
    const status = { lastLeader: "seq-0" };
    see(snapshot({ cluster: cluster({ status }) }), { lastLeader: "seq-1", lastHandover: handover });
    expect(await counts()).toEqual({ handovers: 1, seconds: 2.5, missed: 2, changes: 1 });
  });

  test("a rollout, with its result and how long it took", async () => {
    const [startedAt, finishedAt] = ["2026-01-01T00:00:00.000Z", "2026-01-01T00:01:30.000Z"];
    for (let n = 0; n < 2; n++)
      see(snapshot(), { lastRollout: { target: "x", result: "Reverted", startedAt, finishedAt } });
    const told = await page();
    expect(samplesOf(told, "evnode_cluster_rollouts_total")).toEqual([
      [{ ...ofSeq, result: "Completed" }, 0],
      [{ ...ofSeq, result: "Reverted" }, 1],
    ]);
    expect(samplesOf(told, "evnode_cluster_rollout_duration_seconds_sum")).toEqual([[ofSeq, 90]]);
  });

  test("a rollout that is under way is told by its begin", async () => {
    see(snapshot(), { rollout: { startedAt: "2026-01-01T00:00:00.000Z" } });
    expect(samplesOf(await page(), "evnode_cluster_rollout_started_timestamp_seconds")).toEqual([
      [ofSeq, Date.UTC(2026, 0, 1) / 1_000],
    ]);
  });
});
