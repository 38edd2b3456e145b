import { beforeEach, describe, expect, test } from "vitest";
import { makePlan } from "../../src/plan/plan.ts";
import { statusOf } from "../../src/plan/status.ts";
import type { Finished } from "../../src/runtime/controller.ts";
import { Queue } from "../../src/runtime/queue.ts";
import { type MetricDefinition, metricTable } from "../../src/telemetry/metric-table.ts";
import { OperatorMetrics } from "../../src/telemetry/operator-metrics.ts";
import { leader, member, snapshot } from "../builders.ts";
import { VirtualClock } from "../runtime/virtual-clock.ts";
import { type Exposition, readExposition, samplesOf } from "./exposition.ts";

let metrics: OperatorMetrics;

beforeEach(() => {
  metrics = new OperatorMetrics("1.2.3");
});

const figures = { cpuSeconds: 1, residentBytes: 2, startedAtMs: 3_000 };
const page = async (): Promise<Exposition> => readExposition(await metrics.text(figures, async () => {}));
const controller = "evnodecluster";
const ofQueue = { controller, name: controller };

/** Something happened to everything that there is. */
function everything(): void {
  const disk = { freeBytes: 1, totalBytes: 2 };
  const says = { disk, throttledShare: 0.5, execution: { height: 100 } };
  const lastExit = { code: 1, lastLine: "leader lock lost" };
  const evnode = { kind: "running", restarts: 1, lastExit } as const;
  const seen = snapshot({ members: [leader(0), member(1, { says, pod: { evnode } }), member(2)] });
  const status = statusOf(seen, makePlan(seen), []);
  const network = { maximum: { from: "seq-0", to: "seq-1", rttMs: 47 } };
  const startedAt = "2026-01-01T00:00:00.000Z";
  metrics.clusters.seen(seen, { ...status, rollout: { startedAt }, network, leaderChangesLastHour: 1 });
  metrics.called({ verb: "watch", kind: "Pod", status: 200, tookMs: 5 });
  metrics.watchFailed("Pod");
  metrics.queue.added();
  metrics.queue.handedOut(1);
  metrics.queue.done(1);
  metrics.queue.retried();
  metrics.finished({ kind: "done", recheckAfterMs: 1 }, 1);
  metrics.follow(() => ({
    isLeading: true,
    workers: 4,
    running: 1,
    depth: 2,
    unfinished: { totalMs: 3_000, longestMs: 2_000 },
    watches: [{ kind: "Pod", hasSynced: true, silentMs: 1_500 }],
  }));
}

describe("a scrape", () => {
  test("has every metric of the page in the docs, with its type, its words and its labels", async () => {
    everything();
    const { families, samples } = await page();
    const table: Readonly<Record<string, MetricDefinition>> = metricTable;
    expect(families).toEqual(Object.entries(table).map(([name, { help, type }]) => ({ name, help, type })));
    const labelsOf = (name: string) =>
      samples
        .filter((one) => one.name === name || one.name === `${name}_bucket`)
        .map(({ labels }) => Object.keys(labels).toSorted());
    const told = Object.keys(table).map((name) => [name, new Set(labelsOf(name).map(String))] as const);
    const expected = Object.entries(table).map(([name, { labels, type }]) => {
      const all = [...labels, ...(type === "histogram" ? ["le"] : [])].toSorted();
      return [name, new Set([String(all)])] as const;
    });
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(expected));
  });

  test("names each series once", async () => {
    everything();
    const { samples } = await page();
    const ids = samples.map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("of a replica that waits says so, and nothing of clusters", async () => {
    const told = await page();
    expect(samplesOf(told, "leader_election_master_status")).toEqual([[{ name: "evnode-operator" }, 0]]);
    expect(told.samples.filter(({ labels }) => "evnodecluster" in labels)).toEqual([]);
  });

  test("reads what is followed at that moment", async () => {
    everything();
    const told = await page();
    expect(samplesOf(told, "leader_election_master_status")).toEqual([[{ name: "evnode-operator" }, 1]]);
    expect(samplesOf(told, "workqueue_depth")).toEqual([[ofQueue, 2]]);
    expect(samplesOf(told, "workqueue_unfinished_work_seconds")).toEqual([[ofQueue, 3]]);
    expect(samplesOf(told, "evnode_watch_last_event_age_seconds")).toEqual([[{ kind: "Pod" }, 1.5]]);
  });

  test("counts the processor's time as it is, however often it is scraped", async () => {
    await page();
    expect(samplesOf(await page(), "process_cpu_seconds_total")).toEqual([[{}, 1]]);
  });
});

describe("how a reconcile ended", () => {
  const error = new Error("no");
  test.each<[Finished, string | undefined, number]>([
    [{ kind: "done", recheckAfterMs: 1 }, "requeue_after", 0],
    [{ kind: "done", recheckAfterMs: undefined }, "success", 0],
    [{ kind: "retry", error, delayMs: 5 }, "error", 0],
    [{ kind: "deadline", delayMs: 5 }, "error", 0],
    [{ kind: "bug", error, delayMs: 5 }, "error", 1],
    [{ kind: "stopped" }, undefined, 0],
  ])("%o is counted as %s", async (how, result, panics) => {
    metrics.finished(how, 20);
    const told = await page();
    const counted = samplesOf(told, "controller_runtime_reconcile_total").filter(([, value]) => value > 0);
    expect(counted).toEqual(result === undefined ? [] : [[{ controller, result }, 1]]);
    expect(samplesOf(told, "controller_runtime_reconcile_errors_total")).toEqual([
      [{ controller }, Number(result === "error")],
    ]);
    expect(samplesOf(told, "controller_runtime_reconcile_panics_total")).toEqual([[{ controller }, panics]]);
  });
});

describe("requests", () => {
  test.each([
    ["get", 200, { verb: "get", method: "GET", code: "200" }],
    ["update the status of", 409, { verb: "update_status", method: "PUT", code: "409" }],
    ["patch", 200, { verb: "patch", method: "PATCH", code: "200" }],
    ["evict", 429, { verb: "evict", method: "POST", code: "429" }],
    ["list", undefined, { verb: "list", method: "GET", code: "<error>" }],
  ])("%s, answered with %s", async (verb, status, labels) => {
    metrics.called({ verb, kind: "Pod", status, tookMs: 30 });
    const told = await page();
    expect(samplesOf(told, "rest_client_requests_total")).toEqual([[{ ...labels, kind: "Pod" }, 1]]);
    expect(samplesOf(told, "rest_client_request_duration_seconds_sum")).toEqual([
      [{ verb: labels.verb }, 0.03],
    ]);
  });

  test.each([
    [200, [[{ kind: "Pod" }, 1]]],
    [410, []],
    [undefined, []],
  ])("a watch that was answered with %s", async (status, started) => {
    metrics.called({ verb: "watch", kind: "Pod", status, tookMs: 1 });
    expect(samplesOf(await page(), "evnode_watch_starts_total")).toEqual(started);
  });
});

test("a queue tells how long its keys wait and are worked on", async () => {
  const clock = new VirtualClock();
  const queue = new Queue({ clock, observer: metrics.queue });
  queue.add("a");
  queue.add("a");
  await clock.advance(2_000);
  await queue.take();
  await clock.advance(3_000);
  expect(queue.unfinished()).toEqual({ totalMs: 3_000, longestMs: 3_000 });
  queue.done("a");
  queue.retry("a");
  await clock.advance(1_000);
  const told = await page();
  expect(samplesOf(told, "workqueue_adds_total")).toEqual([[ofQueue, 2]]);
  expect(samplesOf(told, "workqueue_retries_total")).toEqual([[ofQueue, 1]]);
  expect(samplesOf(told, "workqueue_queue_duration_seconds_sum")).toEqual([[ofQueue, 2]]);
  expect(samplesOf(told, "workqueue_work_duration_seconds_sum")).toEqual([[ofQueue, 3]]);
  expect(queue.unfinished()).toEqual({ totalMs: 0, longestMs: 0 });
});
